# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.tracing``: whether frames that are ordered with marks are known by them, and what that costs.

As a client has it: marks put into a package, its frames rendered, finished and traced, by the code that clients and
nodes run. Beside each the same frame of the package without marks, and the keys of the job's other frames. The demo
scene and one variant of each scene of the proof's benchmark, of which no threshold was chosen; seconds are elapsed.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from benchmarks.proof import scenes
from benchmarks.proof.blender import Blender
from benchmarks.proof.counts import Share
from benchmarks.table import SECTION, Row, Sheet, show
from devnet.processes import ROOT
from inferix.client.jobfile import JobFile
from inferix.client.marks import Marks, put_in, trace
from inferix.models.job import RenderSettings
from inferix.proofs.pictures import load_pictures
from inferix.proofs.rendering.angv import MARKS, luma
from inferix.sealing import JobKey
from node.engines import EngineSettings, load_engine
from node.engines import RenderSettings as Rendered
from node.engines.blender.host import BlenderEngine
from node.engines.crops import ByteArray, read_picture

DEMO: Final = ROOT / "assets" / "scenes" / "demo.blend"
LAST: Final = {"demo": 8}
SIZE, SAMPLES, SEED, VARIANT, EACH = (480, 270), 8, 7, 5_000, 3
"""Of each scene so many frames, from its first to its last, are marked and rendered."""


@dataclass(frozen=True, slots=True)
class Found:
    """One frame. ``score``: of its own marks; ``other``: the most of another frame's key, and of any where the scene
    has no marks; ``psnr``: decibels, of the picture with marks against that without."""

    placed: int
    score: float
    other: float
    psnr: float
    seconds: float


def scenes_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and package of each."""
    yield "demo", DEMO
    with Blender(folder / "making") as blender:
        for name in scenes.NAMES:
            blender.save(name, VARIANT, folder / f"{name}.blend")
            yield name, folder / f"{name}.blend"


def measured(name: str, package: Path, folder: Path) -> list[Found]:
    """Each marked frame of a scene."""
    engine = load_engine("blender", EngineSettings(threads=1))
    assert isinstance(engine, BlenderEngine)
    settings = RenderSettings(
        first_frame=1, last_frame=LAST.get(name, scenes.FRAMES), width=SIZE[0], height=SIZE[1], samples=SAMPLES
    )
    key, marked = JobKey(name.encode().ljust(32, b"\0")), folder / "marked.blend"
    began = time.perf_counter()
    marks = put_in(engine, package, marked, key, settings, EACH, lambda _: None)
    seconds = (time.perf_counter() - began) / EACH
    frames = list(marks.frames)
    shown, plain = (_pictures(engine, which, frames, folder) for which in (marked, package))
    found = []
    for frame, picture, without in zip(frames, shown, plain, strict=True):
        own, others = list[float](), list[float]()
        for one, places in marks.frames.items():
            job = JobFile(name, key.hex(), "", settings=settings.model_dump())
            job.marks = Marks(scene=marks.scene, frames={one: places}).model_dump(mode="json")
            (own if one == frame else others).append(trace(job, picture).score)
            others.append(trace(job, without).score)
        placed = len(marks.frames[frame])
        found.append(Found(placed, own[0], max(others), _psnr(picture, without), seconds))
    return found


def _pictures(engine: BlenderEngine, package: Path, frames: Sequence[int], folder: Path) -> list[ByteArray]:
    found = []
    with engine.open(package, folder / "work") as session:
        for frame in frames:
            raw = session.render(frame, SEED, Rendered(*SIZE, SAMPLES))
            found.append(read_picture(session.assemble_frame(frame, raw.path).path, folder / "reading"))
    return found


def _psnr(one: ByteArray, other: ByteArray) -> float:
    error = float(np.mean((luma(one) - luma(other)) ** 2))
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def sheet(rows: dict[str, list[Found]]) -> Sheet:
    """A line a scene, and one of all."""
    threshold = load_pictures().keys.threshold
    body = [_cells(name, found) for name, found in rows.items()]
    body += [SECTION, _cells("all", list(chain.from_iterable(rows.values())))]
    columns = (
        "scene",
        "frames",
        "marks",
        "known",
        "95 %",
        "least",
        "others",
        "PSNR, dB",
        "seconds",
    )
    notes = [
        f"frames: of {EACH}, those with marks; marks: placed, of {MARKS}, mean; known: score above {threshold:g}",
        "least: of their scores; others: the most of other frames' keys, and of all keys where the scene has no marks",
        "seconds: of marking a frame",
        f"{SIZE[0]}x{SIZE[1]}, {SAMPLES} samples, denoised, 8 bits; PSNR: of luma, beside the frame without, mean",
    ]
    return Sheet("Frames that are known by their marks", columns, body, notes)


def _cells(name: str, found: Sequence[Found]) -> Row:
    if not found:
        return (name, "0", *["-"] * 7)
    threshold = load_pictures().keys.threshold
    known = Share(sum(item.score > threshold for item in found), len(found))
    low, high = (end * 100 for end in known.interval)
    return (
        name,
        f"{len(found)}",
        f"{np.mean([item.placed for item in found]):.1f}",
        f"{known.count}",
        f"[{low:.0f}, {high:.0f}]",
        f"{min(item.score for item in found):.1f}",
        f"{max(item.other for item in found):.1f}",
        f"{np.mean([item.psnr for item in found]):.1f}",
        f"{np.mean([item.seconds for item in found]):.1f}",
    )


def main() -> int:
    """0 when everything was measured."""
    rows = {}
    with TemporaryDirectory(prefix="inferix-tracing-") as folder:
        for name, package in scenes_of(Path(folder)):
            rows[name] = measured(name, package, Path(folder))
            print(*_cells(name, rows[name]), flush=True)
    show(sheet(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
