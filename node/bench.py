# SPDX-License-Identifier: Apache-2.0
"""``inferix bench``: measurements that an operator can make and give to the others."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from inferix.errors import InvalidInput
from inferix.proofs.rendering import load_calibration, write_calibration
from inferix.proofs.rendering.agreement import (
    Agreement,
    Sample,
    better_known,
    calibrated,
    compare,
    pairs_of,
    read_sample,
)

if TYPE_CHECKING:
    from node.engines import Device, Engine

_DEVICES: Final = ("cpu", "plain-cpu", "gpu", "optix", "cuda", "hip", "oneapi", "metal")
_PATH: Final = click.Path(path_type=Path)
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def bench() -> None:
    """Measure this machine against others."""


@bench.command()
@click.argument("packages", nargs=-1, type=_FILE)
@click.option("--device", "devices", type=click.Choice(_DEVICES), multiple=True, help="Repeatable; default: cpu.")
@click.option("--frames", type=click.IntRange(1, 100), default=4, show_default=True, help="Of each package.")
@click.option("--width", type=click.IntRange(32, 8192), default=480, show_default=True)
@click.option("--height", type=click.IntRange(32, 8192), default=270, show_default=True)
@click.option("--samples", type=click.IntRange(8, 4096), default=64, show_default=True, help="A multiple of eight.")
@click.option("--with", "others", type=_FILE, multiple=True, help="A sample of another machine. Repeatable.")
@click.option("--out", type=_PATH, default=Path("agreement"), show_default=True, help="For its samples.")
@click.option("--calibration", type=_PATH, default=None, help="Write a calibration with what was counted.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Processors to use; 0: all.")
@click.option("--unsafe-no-sandbox", is_flag=True, help="Open the packages without isolation: your own ones only.")
def agreement(
    packages: tuple[Path, ...],
    devices: tuple[str, ...],
    others: tuple[Path, ...],
    out: Path,
    calibration: Path | None,
    threads: int,
    unsafe_no_sandbox: bool,
    **size: int,
) -> None:
    """How far kernels, GPUs and machines agree about the same tiles.

    Renders tiles of PACKAGES (default: the project's own scenes) on this machine, honestly and as cheats would, leaves
    a sample a device in a folder, and compares every two samples: its own and those of others. plain-cpu is the
    processor's slower kernel, gpu the first kernel that finds a GPU (`inferix bench devices` lists them). Send your
    samples to others, so that your device class can be calibrated with theirs.
    """
    from node.agreement import PACKAGES, Size, machine_of, make_sample

    if size["samples"] % 8:
        raise InvalidInput(f"--samples {size['samples']}: give a multiple of eight, so that an eighth can be cheated")
    samples = [read_sample(path) for path in others]
    names = dict.fromkeys(devices or ("cpu",))
    engines = {name: _engine(name, threads, unsafe=unsafe_no_sandbox) for name in names}
    for engine, device in engines.values():
        if device != "cpu":
            machine_of(engine, PACKAGES[-1])  # what is not there is refused before hours are spent on what is
    for name, (engine, device) in engines.items():
        made = make_sample(engine, device, packages or PACKAGES, Size(**size), click.echo)
        path = out / f"{name}.npz"
        out.mkdir(parents=True, exist_ok=True)
        made.write(path)
        click.echo(f"{path}: {made.name}, Blender {made.build}")
        samples.append(made)
    found = _compared(samples)
    if calibration is not None:
        _write(calibration, found)


@bench.command()
@click.option("--unsafe-no-sandbox", is_flag=True, help="Without isolation.")
def devices(unsafe_no_sandbox: bool) -> None:
    """What can be measured on this machine: every --device, and what Cycles finds for it."""
    from node.agreement import PACKAGES, machine_of
    from node.engines import EngineMissing

    for name in _DEVICES:
        try:
            found = machine_of(_engine(name, unsafe=unsafe_no_sandbox)[0], PACKAGES[-1])
            says = f"{found.device_class}: {found.kernel or 'kernel unknown'}"
        except EngineMissing as error:
            says = f"not here: {error}"
        click.echo(f"{name:10}{says}")


def _engine(name: str, threads: int = 0, *, unsafe: bool = False) -> tuple["Engine", "Device"]:
    """The engine for a --device, and what it is to be asked for."""
    from node.engines import EngineSettings, load_engine

    device = cast("Device", name.removeprefix("plain-"))
    settings = EngineSettings(threads, device, unsafe=unsafe, plain_kernel=name == "plain-cpu")
    return load_engine("blender", settings), device


def _compared(samples: Sequence[Sample]) -> list[Agreement]:
    tolerance, found = load_calibration().tolerance, list[Agreement]()
    for one, other in combinations(samples, 2):
        result = compare(one, other, tolerance)
        found.append(result)
        limit = f"tolerance, {tolerance.max_share_ppm / 10_000:g} % of a tile's pixels may be off"
        click.echo(f"\n{result.one}\n{result.other}\n  compared  {'bit for bit' if result.kind == 'exact' else limit}")
        honest, worst = result.honest, result.worst_ppm / 10_000
        click.echo(f"  {'honest':14}{honest.failed} of {honest.tiles} tiles fail, {result.equal} have equal bits;")
        click.echo(f"  {'':14}{worst:g} % of the worst one's pixels are off")
        for item in result.forged:
            click.echo(f"  {item.name:14}{item.failed} of {item.tiles} tiles with noise fail")
    if not found:
        click.echo("\nnothing to compare with: give another --device, or a sample of another machine by --with")
    return found


def _write(path: Path, found: Sequence[Agreement]) -> None:
    if not found:
        raise InvalidInput("nothing was compared, so that there is nothing to calibrate")
    source = "inferix bench agreement"
    machines = sorted({name for result in found for name in (result.one, result.other)})
    pairs, known = pairs_of(found, f"{source}: {', '.join(machines)}"), load_calibration()
    new = [pair for pair in pairs if better_known(known, pair) is None]
    write_calibration(path, calibrated(known, new or pairs, source))
    for pair in (pair for pair in pairs if pair not in new):
        click.echo(f"\n{pair.one} and {pair.other} stay as they are, calibrated by more honest tiles")
    click.echo(f"\n{path}: a calibration with {len(new)} new pairs; it is in force where it lies beside the code")
