# SPDX-License-Identifier: Apache-2.0
"""``render``, ``resume``, ``jobs``, ``fetch``, ``cancel``."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from pydantic import ValidationError
from rich.table import Table

from inferix.cli.common import Bars, Unlock, api_option, client_of, console, json_option, print_json, wallet_options
from inferix.client.client import Client
from inferix.client.jobfile import JobFile, load_job, read_jobs
from inferix.client.terms import Terms
from inferix.errors import InferixError, InvalidInput, NotFound
from inferix.models.job import RenderSettings
from inferix.units import NanoUsd, format_usd

P = ParamSpec("P")
R = TypeVar("R")
NANO_USD = click.IntRange(0, 2**63 - 1)
LOOKED_FOR = 20


class Incomplete(InferixError):
    """The job ended without a film."""

    exit_code = 7


def result_options(*, wait: bool) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """``--out``, ``--raw``, ``--wait``."""

    def add(function: Callable[P, R]) -> Callable[P, R]:
        path = click.Path(path_type=Path, file_okay=False, writable=True)
        for option in (
            click.option("--wait/--no-wait", default=wait, show_default=True, help="Until the job has ended."),
            click.option("--raw", is_flag=True, help="Fetch the raw EXR passes too."),
            click.option("--out", type=path, default=Path("frames"), show_default=True),
        ):
            function = option(function)
        return function

    return add


def parse_frames(text: str) -> tuple[int, int]:
    """``1-8`` or ``5``. Raises InvalidInput."""
    match = re.fullmatch(r"(-?\d{1,9})(?:-(-?\d{1,9}))?", text)
    if match is None:
        raise InvalidInput(f"{text!r} is no range of frames: write 1-8 or 5")
    return int(match[1]), int(match[2] or match[1])


def parse_settings(frames: str, size: str, samples: int, fps: int, **choice: Any) -> RenderSettings:
    """What is rendered, from the command's words; ``choice``: camera, layer, eye. Raises InvalidInput."""
    first, last = parse_frames(frames)
    match = re.fullmatch(r"(\d{1,9})x(\d{1,9})", size)
    if match is None:
        raise InvalidInput(f"{size!r} is no size: write 1920x1080")
    try:
        return RenderSettings(
            first_frame=first, last_frame=last, width=int(match[1]), height=int(match[2]), samples=samples,
            fps_milli=fps * 1_000, **choice,
        )  # fmt: skip
    except ValidationError as error:
        raise InvalidInput(_words(error.errors()[0])) from error


def _words(problem: Mapping[str, Any]) -> str:
    """What is wrong with a setting, and within which bounds it would be right."""
    if not problem["loc"]:
        return f"--frames: {problem['msg'].removeprefix('Value error, ')}"
    bounds = {"ge": "at least", "le": "at most", "max_length": "a name of at most", "min_length": "a name of at least"}
    says = [f"give {words} {problem['ctx'][bound]}" for bound, words in bounds.items() if bound in problem["ctx"]]
    return f"{problem['loc'][0].replace('_', ' ')} is {str(problem['input'])[:40]}: {', '.join(says)}"


@click.command()
@click.argument("scene", type=click.Path(path_type=Path))
@click.option("--frames", required=True, help="First and last frame: 1-8.")
@click.option("--size", default="640x360", show_default=True, help="Width and height in pixels.")
@click.option("--samples", default=64, show_default=True, type=click.IntRange(1, 65_536))
@click.option("--fps", default=24, show_default=True, type=click.IntRange(1, 240))
@click.option("--camera", default="", help="Name of a camera; default: the scene's own.")
@click.option("--layer", default="", help="Name of a view layer; default: the first.")
@click.option("--eye", default="", type=click.Choice(["", "left", "right"]), help="Of a stereo camera; order each.")
@click.option("--price", default=0, type=NANO_USD, help="Highest, nano-USD per IBM; 0 takes the quote's high end.")
@click.option("--cap", default=0, type=NANO_USD, help="The most it may cost, nano-USD; 0 is twice the quote.")
@click.option("--attempts", default=4, show_default=True, type=click.IntRange(1, 16))
@click.option("--attempt-seconds", default=3_600, show_default=True, type=click.IntRange(10, 2_592_000))
@click.option("--threads", default=0, type=click.IntRange(0, 4_096), help="Threads of the local check; 0 is all.")
@click.option("--marks", default=0, type=click.IntRange(0, 24), help="Mark so many frames, for `inferix trace`.")
@result_options(wait=True)
@api_option
@wallet_options
def render(
    scene: Path, frames: str, size: str, samples: int, fps: int, camera: str, layer: str, eye: str,
    price: int, cap: int, attempts: int, attempt_seconds: int, threads: int, marks: int, out: Path, raw: bool,
    wait: bool, api: str, home: Path, unlock: Unlock,
) -> None:  # fmt: skip
    """Render SCENE on the network and bring the film home."""
    settings = parse_settings(frames, size, samples, fps, camera=camera, layer=layer, eye=eye)
    if not scene.is_file():
        raise InvalidInput(f"{scene}: no such file")
    bars = Bars()
    client = client_of(api, unlock(), home, bars)
    console.print(client.session.get("/network")["readers"])
    terms = Terms(price=price, cap=cap, attempts=attempts, attempt_seconds=attempt_seconds)
    with bars.progress:
        job_file = client.order(scene, settings, terms, threads=threads, marks=marks)
        click.echo(f"job 0x{job_file.job}")
        if wait:
            _finish(client, bars, job_file.job, out, raw)


@click.command()
@click.argument("name")
@result_options(wait=True)
@api_option
@wallet_options
def resume(name: str, out: Path, raw: bool, wait: bool, api: str, home: Path, unlock: Unlock) -> None:
    """Go on with an order that was cut off before it was placed; NAME as `inferix jobs` shows it."""
    bars = Bars()
    client = client_of(api, unlock(), home, bars)
    with bars.progress:
        job_file = client.resume(load_job(home, name))
        click.echo(f"job 0x{job_file.job}")
        if wait:
            _finish(client, bars, job_file.job, out, raw)


@click.command()
@click.argument("job")
@result_options(wait=False)
@api_option
@wallet_options
def fetch(job: str, out: Path, raw: bool, wait: bool, api: str, home: Path, unlock: Unlock) -> None:
    """Bring what is accepted of JOB home; goes on where it stopped."""
    bars = Bars()
    client = client_of(api, unlock(), home, bars)
    with bars.progress:
        if wait:
            _finish(client, bars, job, out, raw)
        else:
            click.echo(f"{len(client.fetch(job, out, raw=raw))} files in {click.format_filename(out)}")


def _finish(client: Client, bars: Bars, job: str, out: Path, raw: bool) -> None:
    view: dict[str, Any] = {"status": "signed"}
    for view in client.follow(job):
        tasks = view["tasks"]
        done = sum(task["done"] for task in tasks)
        waits = sorted({wait for task in tasks for wait in _waiting(task)})
        bars("work", done, max(1, len(tasks)), f"{view['status']}; {done} of {len(tasks)} tasks; {', '.join(waits)}")
    if view["status"] != "complete":
        raise Incomplete(f"the job is {view['status']}: {view['reason']}; what was accepted: `inferix fetch {job}`")
    files = client.fetch(job, out, raw=raw)
    click.echo(f"{len(files)} files in {click.format_filename(out)}; charged {format_usd(NanoUsd(view['charged']))}")


def _waiting(task: dict[str, Any]) -> list[str]:
    attempts = task["attempts"]
    reason = attempts[-1]["waits_for"] if attempts else None
    return [f"task {task['index']} waits for {reason}"] if reason and task["kind"] == "render" else []


@click.command("jobs")
@api_option
@json_option
@wallet_options
def jobs_command(api: str, as_json: bool, home: Path, unlock: Unlock) -> None:
    """Your jobs and how they stand."""
    client = client_of(api, unlock(), home, Bars())
    files, damaged = read_jobs(home)
    for error in damaged:
        click.secho(f"warning: {error}", fg="yellow", err=True)
    rows = client.session.get("/jobs", client=client.session.address)
    rows = [*_not_on_chain(client, files, {row["id"] for row in rows}), *rows]
    names = {"0x" + item.job: item.name for item in files}
    for item in (item for item in files if item.package):
        click.echo(f"{item.name} is not ordered yet: `inferix resume {item.label}` goes on", err=True)
    if as_json:
        print_json(rows)
        return
    table = Table("job", "scene", "status", "tasks", "charged", "reason")
    for row in rows:
        done = sum(task["done"] for task in row["tasks"])
        table.add_row(
            row["id"][:18], names.get(row["id"], "?"), row["status"], f"{done}/{len(row['tasks'])}",
            format_usd(NanoUsd(row["charged"])), row["reason"],
        )  # fmt: skip
    console.print(table)


def _not_on_chain(client: Client, files: list[JobFile], listed: set[str]) -> list[dict[str, Any]]:
    """Orders of this machine that wait for a keeper, or that one refused: the list of jobs has what is on chain."""
    found = []
    for item in [item for item in files if item.job and "0x" + item.job not in listed][-LOOKED_FOR:]:
        try:
            found.append({"charged": 0, **client.session.get(f"/jobs/0x{item.job}")})
        except NotFound:
            continue  # of another network, or never placed
    return found


@click.command()
@click.argument("job")
@api_option
@wallet_options
def cancel(job: str, api: str, home: Path, unlock: Unlock) -> None:
    """Take JOB back; accepted tasks stay charged."""
    client_of(api, unlock(), home, Bars()).cancel(job)
    click.echo("cancelling; `inferix jobs` shows when it has taken effect")
