# SPDX-License-Identifier: Apache-2.0
"""What checking a frame costs beside rendering it.

A worker's and a verifier's session of the Blender engine, without network, one after the other on an idle machine. The
calls are those that a node makes (node/rendering.py, node/checks.py). Processor seconds are those of the sandboxed
processes and of this thread. Left out, because it is not rendering: fetching and decrypting the delivered file.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Final, TypeVar

from benchmarks.cores import Meter
from demo.say import line
from inferix.errors import Corrupt
from inferix.models.result import FileRef, FrameResult, TileResult
from inferix.proofs.rendering import Tile, Verdict, load_calibration
from node.engines import Engine, FloatArray, Progress, RawFrame, RenderSettings, Session
from node.tiles import Committed, Draw, check_frame

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
    def mean(self) -> float:
        """Mean of the processor seconds: of short steps whose parts of it are counted in hundredths."""
        return fmean(self.core_seconds)

    @property
    def wall(self) -> float:
        """Median of the elapsed seconds."""
        return float(median(self.seconds))


@dataclass
class Checked:
    """One size. ``open``: a worker's package, opened and warmed up; ``render``: the raw pass of the frame, saved;
    ``tiles``: as many as it took, re-rendered; ``read``: all the rest of a check: the delivered file read, tiles drawn,
    compared and judged. ``rendered``, ``equal``: tiles of each check, and how many repeated bit for bit."""

    settings: RenderSettings
    open: Took = field(default_factory=Took)
    render: Took = field(default_factory=Took)
    read: Took = field(default_factory=Took)
    tiles: Took = field(default_factory=Took)
    rendered: list[int] = field(default_factory=list)
    equal: list[int] = field(default_factory=list)

    @property
    def core(self) -> float:
        """Processor seconds of one verifier for the frame, in a warm session."""
        return self.read.mean + self.tiles.mean


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
        _check_once(Checked(settings), verifier, raw, 0)  # warms it up, as a job's first frame does
        for number in range(1, checks + 1):
            line(f"{size}: checking it ({number} of {checks})")
            _check_once(found, verifier, raw, number)
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


def _check_once(found: Checked, session: Session, raw: RawFrame, number: int) -> None:
    name = number.to_bytes(32, "big")
    draw = Draw(name, name, 0, 1, FRAME)
    delivered = FileRef(cid="not stored", sha256=raw.file_sha256, size=raw.path.stat().st_size)
    frame = FrameResult(frame=FRAME, raw=delivered, pixels=raw.pixels_sha256, milliseconds=0)
    own = session.machine()
    rule = load_calibration().rule(raw.device_class, own.device_class, same_kernel=raw.kernel == own.kernel != "")
    watched = _Watched(session, Took())

    def once() -> tuple[list[TileResult], Verdict]:
        return check_frame(watched, found.settings, SEED, Committed(frame, raw.path), draw, rule)

    whole = Took()
    tiles, verdict = timed(whole, once)
    if not verdict.accepted:
        raise Corrupt(f"an honest frame is rejected: {verdict.reason}")
    found.tiles.seconds.append(sum(watched.took.seconds))
    found.tiles.core_seconds.append(sum(watched.took.core_seconds))
    found.read.seconds.append(whole.wall - found.tiles.seconds[-1])
    found.read.core_seconds.append(max(0.0, whole.core - found.tiles.core_seconds[-1]))
    found.rendered.append(len(tiles))
    found.equal.append(sum(tile.equal for tile in tiles))


class _Watched:
    """A session whose tiles are timed."""

    def __init__(self, session: Session, took: Took) -> None:
        self._session, self.took = session, took

    def tiles(self, frame: int, seed: int, settings: RenderSettings, tiles: Sequence[Tile]) -> list[FloatArray]:
        """As of the session."""
        return timed(self.took, lambda: self._session.tiles(frame, seed, settings, tiles))
