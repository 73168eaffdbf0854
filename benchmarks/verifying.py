# SPDX-License-Identifier: Apache-2.0
"""What checking a frame costs beside rendering it.

A worker's and a verifier's session of the Blender engine, without network, one after the other on an idle machine. The
calls are those that a node makes (node/rendering.py, node/checks.py). Processor seconds are those of the sandboxed
processes and of this thread. Left out, because it is not rendering: fetching and decrypting the delivered file.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeVar

from benchmarks.cores import Meter
from demo.say import line
from inferix.errors import Corrupt
from inferix.proofs.rendering import judge, measure, tile_plan
from node.checks import TILES
from node.engines import Engine, FloatArray, Progress, RawFrame, RenderSettings, Session
from node.engines.exr import crop, pixels_sha256
from node.reader import SandboxedReader

T = TypeVar("T")
EVERY: Final = 0.05  # seconds between two readings of the processor seconds
SAY_EVERY: Final = 5.0
FRAME, SEED = 4, 2026
SMALL: Final = RenderSettings(64, 36, 1)


@dataclass
class Took:
    """What repetitions of one step took, warm."""

    seconds: list[float] = field(default_factory=list)
    core_seconds: list[float] = field(default_factory=list)

    @property
    def core(self) -> float:
        """Median of the processor seconds."""
        return float(median(self.core_seconds))

    @property
    def wall(self) -> float:
        """Median of the elapsed seconds."""
        return float(median(self.seconds))


@dataclass
class Checked:
    """One size. ``open``: a worker's package, opened and warmed up; ``render``: the raw pass of the frame, saved;
    ``read``: the delivered file parsed and hashed; ``noise``: the map; ``tiles``: ten re-rendered and compared."""

    settings: RenderSettings
    open: Took = field(default_factory=Took)
    render: Took = field(default_factory=Took)
    read: Took = field(default_factory=Took)
    noise: Took = field(default_factory=Took)
    tiles: Took = field(default_factory=Took)
    equal: list[int] = field(default_factory=list)

    @property
    def core(self) -> float:
        """Processor seconds of one verifier for the frame, in a warm session."""
        return self.read.core + self.noise.core + self.tiles.core


def timed(took: Took, step: Callable[[], T]) -> T:
    """Does a step and writes down what it took."""
    began, own = time.monotonic(), time.thread_time()
    with Meter(EVERY) as meter:
        result = step()
    took.seconds.append(time.monotonic() - began)
    took.core_seconds.append(time.thread_time() - own + meter.total())
    return result


def check(engine: Engine, scene: Path, settings: RenderSettings, work: Path, renders: int, checks: int) -> Checked:
    """Renders the frame ``renders`` times, checks it ``checks`` times, each time other tiles. Raises Corrupt when a
    check finds a difference."""
    found = Checked(settings)
    size = f"{settings.width}x{settings.height}, {settings.samples} samples"
    with timed(found.open, lambda: _open(engine, scene, work / "worker")) as worker:
        for number in range(renders):
            line(f"{size}: rendering frame {FRAME} ({number + 1} of {renders})")
            raw = timed(found.render, lambda: worker.render(FRAME, SEED, settings))
    with _open(engine, scene, work / "verifier") as verifier:
        _check_once(Checked(settings), verifier, raw, work, 0)  # warms it up, as a job's first frame does
        for number in range(1, checks + 1):
            line(f"{size}: checking it ({number} of {checks})")
            _check_once(found, verifier, raw, work, number)
    return found


class Told:
    """Says how far a long step is, every few seconds."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        """What the engine reports."""
        if time.monotonic() > self._next and progress.seconds > SAY_EVERY:
            self._next = time.monotonic() + SAY_EVERY
            line(f"  {progress.operation}: {progress.stage}, {100 * progress.done:.0f} %")


def _open(engine: Engine, scene: Path, work: Path) -> Session:
    session = engine.open(scene, work, Told())
    session.inspect()
    session.render(FRAME, SEED, SMALL)
    return session


def _check_once(found: Checked, session: Session, raw: RawFrame, work: Path, number: int) -> None:
    settings, name = found.settings, number.to_bytes(32, "big")

    def read() -> FloatArray:
        pixels = SandboxedReader().frame(raw.path, settings, work / "reading")
        if pixels_sha256(pixels) != raw.pixels_sha256:
            raise Corrupt("the frame that was read is not the one that was rendered")
        return pixels

    pixels = timed(found.read, read)
    noise = timed(found.noise, lambda: session.noise_map(FRAME, SEED, settings))
    plan = tile_plan(name, name, 0, 1, FRAME, settings.width, settings.height, TILES, noise=noise)

    def compare() -> Any:
        redone = session.tiles(FRAME, SEED, settings, plan)
        return [measure(crop(pixels, tile), mine) for tile, mine in zip(plan, redone, strict=True)]

    measures = timed(found.tiles, compare)
    verdict = judge(measures)
    if not verdict.accepted:
        raise Corrupt(f"an honest frame is rejected: {verdict.reason}")
    found.equal.append(sum(item.equal for item in measures))
