# SPDX-License-Identifier: Apache-2.0
"""Cases one after the other: rendered, judged, written down. Stops between two of them, and goes on there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from benchmarks.proof import cases, votes
from benchmarks.proof.blender import Blender
from benchmarks.proof.cases import HONEST, Case, Made
from inferix.errors import Corrupt
from inferix.proofs.rendering import TILE_SIZE, FloatArray, Rule, Tile, Tolerance, as_stored, load_calibration
from node.engines.exr import crop
from node.gpu import load_probe

SCALES: Final = (250, 500, 1_000, 2_000)
"""Parts of the noise that are tried, in thousandths of the one in force."""
THRESHOLDS: Final = (0, 2_500, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000)
"""Shares of a tile's pixels, parts per million."""
SUBSET_ERROR: Final = 1e-5
RULES: Final = ("same kernel", "other kernel")

Row = dict[str, Any]


@dataclass
class Run:
    """The processes of a run: a worker's, a verifier's of another kernel, and one on a GPU where there is one."""

    folder: Path
    threads: int = 1
    worker: Blender = field(init=False)
    verifier: Blender = field(init=False)
    gpu: Blender | None = field(init=False, default=None)
    _other_scene: FloatArray | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.worker = Blender(self.folder / "worker", threads=self.threads)
        self.verifier = Blender(self.folder / "verifier", kernel="no AVX2", threads=self.threads)
        if load_probe().report().gpus:
            self.gpu = Blender(self.folder / "gpu", device="gpu", threads=self.threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self.worker, self.verifier, *((self.gpu,) if self.gpu else ())):
            process.close()

    def do(self, case: Case, *, check: bool) -> Row:
        """A case's row. ``check``: also that Cycles repeats itself as this benchmark relies on.

        :raises Corrupt: it does not. Unavailable: Blender ended.
        """
        made = cases.make(case, self.worker, self._other_scene)
        frame, another = (as_stored(self.verifier.render(shot)) for shot in (case.shot, case.noise_shot))
        redone = votes.Own(frame, another)
        row = _judge(case, made, redone)
        row["exact"] = self._repeats(case, made, row) if check else self._tiles_repeat(case, made)
        if self.gpu is not None:
            self._on_gpu(case, redone, row, self.gpu)
        self._other_scene = made.honest
        return row

    def _tiles_repeat(self, case: Case, made: Made, count: int = 2) -> dict[str, int]:
        """Tiles rendered by themselves, beside those of the whole frame."""
        plan = votes.Delivered(made.honest, case.draws(1)).plans()[0][:count]
        failed = 0
        for tile in plan:
            own = as_stored(self.worker.render(case.shot, tile=tile))
            failed += own.tobytes() != crop(made.honest, tile).tobytes()
        return {"tiles": len(plan), "failed": failed}

    def _repeats(self, case: Case, made: Made, row: Row) -> dict[str, int]:
        """Borders, threads, another process: the same bits. Subsets: the same but for rounding."""
        found = self._tiles_repeat(case, made, 6)
        threaded = as_stored(self.worker.render(case.shot, threads=3 - min(self.threads, 2)))
        self.worker.close()
        again = as_stored(self.worker.render(case.shot))
        differ = {
            "tiles by themselves": found["failed"],
            "another number of threads": int((threaded != made.honest).sum()),
            "another process": int((again != made.honest).sum()),
        }
        half = case.samples // 2
        parts = [self.worker.render(case.shot, subset=bound)[..., :4] for bound in ((0, half), (half, half))]
        honest = made.honest[..., :4]
        error = np.abs((parts[0] + parts[1]) / 2 - honest) / np.maximum(np.abs(honest), 1)
        row["facts"] = {**differ, "largest error of two halves' mean": float(error.max())}
        if any(differ.values()) or error.max() > SUBSET_ERROR:
            raise Corrupt(f"Cycles does not repeat itself here, so that nothing was counted: {row['facts']}")
        whole = made.honest.shape[0] // TILE_SIZE * (made.honest.shape[1] // TILE_SIZE)
        return {"tiles": found["tiles"] + 2 * whole, "failed": 0}

    def _on_gpu(self, case: Case, redone: votes.Own, row: Row, gpu: Blender) -> None:
        frame = as_stored(gpu.render(case.shot))
        row["gpu"] = gpu.device_class
        tiles = votes.drawn(votes.Delivered(frame, case.draws(votes.SEATS)).plans())
        row["tiles"][cases.GPU] = _count(frame, redone, tiles, informative=False)
        row["votes"][cases.GPU] = _votes(case, frame, {RULES[1]: redone})


def rules() -> dict[str, Rule]:
    """Thresholds of the sequential test between two CPUs: of one kernel, and of two. What slight tiles add to it is
    counted by themselves (`benchmarks.proof.slight`): votes with and without them do not add up."""
    calibration = load_calibration().without_slight()
    return {name: calibration.rule("cpu", "cpu", same_kernel=name == RULES[0]) for name in RULES}


def _judge(case: Case, made: Made, redone: votes.Own) -> Row:
    exact = votes.Own(made.honest)
    own = {RULES[0]: exact, RULES[1]: redone}
    frames = {HONEST: made.honest, **made.frames}
    plans = votes.drawn(votes.Delivered(made.honest, case.draws(votes.SEATS)).plans())
    counted = {HONEST, cases.EIGHT_BITS, *cases.UNCLAIMED, *cases.claimed(frames)}
    shot = case.shot
    return {
        "case": case.number,
        "scene": shot.scene,
        "variant": shot.variant,
        "calibration": load_calibration().without_slight().name,
        "kernels_differ": bool((redone.frame != made.honest).any()),
        "core_seconds": made.full,
        "cost": {name: round(share, 4) for name, share in made.cost.items()},
        "votes": {name: _votes(case, frame, own) for name, frame in frames.items()},
        "tiles": {
            name: _count(frame, redone, plans, informative=name not in (HONEST, cases.EIGHT_BITS), exact=exact)
            for name, frame in frames.items()
            if name in counted
        },
    }


def _votes(case: Case, frame: FloatArray, own: dict[str, votes.Own]) -> dict[str, list[list[int]]]:
    """By rule, each verifier's: rejects, sure, tiles used, tiles failed."""
    plans, thresholds = votes.Delivered(frame, case.draws(votes.SEATS)).plans(), rules()
    found: dict[str, list[list[int]]] = {}
    for name, mine in own.items():
        given = [votes.vote(frame, mine, plan, thresholds[name]) for plan in plans]
        found[name] = [[int(item.rejects), int(item.sure), item.used, item.failed] for item in given]
    return found


def _count(
    frame: FloatArray, own: votes.Own, tiles: Sequence[Tile], *, informative: bool, exact: votes.Own | None = None
) -> Row:
    """Tiles of a class (those with noise only, where ``informative``), and how many are over each threshold.

    "over": by tolerance, for each of `THRESHOLDS`; "exact": not of the same bits on one kernel.
    """
    tolerance = load_calibration().tolerance
    base = votes.measures(frame, own, tiles, tolerance)
    chosen = [tile for tile, found in zip(tiles, base, strict=True) if found.informative or not informative]
    over = {}
    for scale in SCALES:
        shares = [found.share_ppm for found in votes.measures(frame, own, chosen, scaled(tolerance, scale))]
        over[str(scale)] = [sum(share > threshold for share in shares) for threshold in THRESHOLDS]
    row: Row = {"tiles": len(chosen), "over": over}
    if exact is not None:
        row["exact"] = sum(not found.equal for found in votes.measures(frame, exact, chosen, tolerance))
    return row


def scaled(tolerance: Tolerance, scale: int) -> Tolerance:
    """The tolerance with ``scale`` thousandths of the noise in it."""
    return replace(tolerance, noise_ppm=tolerance.noise_ppm * scale // 1_000)
