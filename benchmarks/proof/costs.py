# SPDX-License-Identifier: Apache-2.0
"""What a check costs beside the render, at 1920x1080 and 64 samples; processor seconds of Cycles.

By parts: a tile is rendered by itself at full size and samples; the whole frame is its fixed cost plus a cost per pixel
and sample, from two small renders of the same view. End to end: a scene saved as a package, rendered and checked by the
calls of two nodes (benchmarks/verifying.py).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from benchmarks.proof import scenes
from benchmarks.proof.blender import Blender, Shot
from inferix.proofs.rendering import TILE_SIZE, tile_plan
from node.engines import EngineSettings, RenderSettings, load_engine

FULL: Final = RenderSettings(1920, 1080, 64)
_SMALL: Final = RenderSettings(480, 270, 1)
_LOW, _HIGH = 1, 4
_TILES: Final = 3
_SEED: Final = 2026


@dataclass(frozen=True, slots=True)
class SceneCost:
    """Processor seconds: of the frame, and of one tile rendered by itself, drawn anywhere."""

    scene: str
    frame: float
    tile: float


def measure_scenes(worker: Blender, say: Callable[[str], None]) -> list[SceneCost]:
    """Variant 0 of every scene."""
    found = []
    for scene in scenes.NAMES:
        say(f"cost of a tile and a frame at 1080p: {scene}")
        found.append(_measure(worker, Shot(scene, 0, scenes.MIDDLE, _SEED, _SMALL)))
    return found


def _measure(worker: Blender, shot: Shot) -> SceneCost:
    worker.render(shot)  # whatever is done once is done
    took = []
    for samples in (_LOW, _HIGH):
        worker.render(replace(shot, settings=replace(_SMALL, samples=samples)))
        took.append(worker.last_core_seconds)
    each = (took[1] - took[0]) / (_HIGH - _LOW) / (_SMALL.width * _SMALL.height)
    fixed = max(took[0] - each * _LOW * _SMALL.width * _SMALL.height, 0.0)
    tiles = []
    name = _SEED.to_bytes(32)
    for tile in tile_plan(name, name, 0, 1, shot.frame, FULL.width, FULL.height, _TILES, TILE_SIZE):
        worker.render(replace(shot, settings=FULL), tile=tile)
        tiles.append(worker.last_core_seconds)
    return SceneCost(shot.scene, fixed + each * FULL.width * FULL.height * FULL.samples, fmean(tiles))


def end_to_end(scene: str, worker: Blender, folder: Path, threads: int) -> dict[str, Any]:
    """One scene, rendered in full and checked three times by two nodes' sessions. Takes as long as that."""
    from benchmarks import verifying

    package = folder / f"{scene}.blend"
    worker.save(scene, 0, package)
    engine = load_engine("blender", EngineSettings(threads=threads))
    checked = verifying.check(engine, package, FULL, folder / "nodes", renders=1, checks=3)
    return {"scene": scene, **asdict(checked), "share": checked.core / checked.render.core}
