# SPDX-License-Identifier: Apache-2.0
"""``explain``: the draws of a task in words."""

from typing import Any
from urllib.parse import quote

import click

from inferix.cli.common import api_option, json_option, print_json
from inferix.client.session import ask
from inferix.units import NanoUsd, format_usd


@click.command()
@click.argument("task")
@api_option
@json_option
def explain(task: str, api: str, as_json: bool) -> None:
    """Why this worker, why not that one: the draws of TASK, and what its worker could expect of cheating."""
    view = ask(api, f"/explain/{quote(task, safe='')}")
    if as_json:
        print_json(view)
        return
    click.echo(f"task {view['task']}: {view['kind']}, frames {view['frames'][0]} to {view['frames'][1]}")
    for attempt in view["attempts"]:
        click.echo(f"attempt {attempt['attempt']}: seed {attempt['seed']} of anchor {attempt['seed_anchor']}")
        for draw in attempt["draws"]:
            click.echo(f"  draw {draw['draw']}: node {draw['node']}: {draw['says']}")
        seats = ", ".join(str(seat["node"]) for seat in attempt["committee"])
        votes = ", ".join(f"node {node} {outcome}" for node, outcome in attempt["votes"].items())
        click.echo(f"  committee: {seats or '-'}; votes: {votes or '-'}; outcome: {attempt['outcome'] or 'open'}")
        if attempt["silent"]:
            click.echo(f"  silent: {', '.join(f'node {node}' for node in attempt['silent'])}")
        if (canary := attempt["canary"]) is not None:
            click.echo(f"  canary: {_canary(canary)}")
        if (cheat := attempt["cheating"]) is not None:
            value, fee, stake = (format_usd(NanoUsd(cheat[name])) for name in ("expected_value", "reward", "stake"))
            found = f"{cheat['found_ppm'] / 10_000:.2f} %"
            click.echo(f"  cheating: expected value {value}; found with {found}, for a fee of {fee}, {stake} of stake")


def _canary(found: dict[str, Any]) -> str:
    """Whether it was one, in words."""
    if found["is_canary"] is None:
        return "it may be one; not opened"
    if not found["is_canary"]:
        return "no"
    missed = ", ".join(f"node {node}" for node in found["missed"])
    return f"yes, the result was ordered to be bad; missed by {missed or 'nobody'}"
