# SPDX-License-Identifier: Apache-2.0
"""Finished pictures beside their redoing, by the measure of the proof of assembly: honest ones and others.

A verifier finishes the raw frame that was delivered: denoiser, view transform, 8 bits. Honest pictures are finished by
another process with another number of threads; a denoiser of another processor is not at hand here. Forged ones are
finished from something else than that raw frame, or otherwise.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.proof import forgeries
from benchmarks.proof.blender import Blender
from benchmarks.proof.cases import Case
from benchmarks.proof.counts import Share
from benchmarks.proof.journal import Row
from benchmarks.proof.marks import eight_bits
from benchmarks.proof.scenes import MIDDLE
from benchmarks.table import SECTION, Sheet
from benchmarks.table import Row as Cells
from inferix.proofs.assembly import measure_picture
from inferix.proofs.calibration import Counted
from inferix.proofs.pictures import PictureTolerance, Redone
from inferix.proofs.rendering import FloatArray

HONEST: Final = "by another process"
CLAIMED: Final = (
    "not denoised",
    "without the view transform",
    "the frame before",
    "half width and height, denoised",
    "1/8 samples, denoised",
    "another seed",
)
OTHERS: Final = ("JPEG 90",)
TOLERANCE: Final = PictureTolerance(levels=4, max_share_ppm=10_000)
"""What is counted: a denoiser of another processor differs by a level or two, in more than that many few pixels."""

Bytes = NDArray[np.uint8]


def run(case: Case, worker: Blender, verifier: Blender) -> Row:
    """A case's row: by name, the share of each picture that is off, in ppm; by how many levels an honest one is."""
    shot = case.shot
    raw = worker.render(shot)
    verifier.render(replace(shot, settings=replace(shot.settings, width=16, height=16, samples=1)))  # makes its scene
    own = _finished(worker, raw)
    redone = _finished(verifier, raw)
    half = replace(shot.settings, width=-(-case.width // 2), height=-(-case.height // 2))
    before = worker.render(replace(shot, frame=MIDDLE - 1, seed=case.seed(MIDDLE - 1)))
    small = worker.denoised(worker.render(replace(shot, settings=half)))
    delivered = {
        HONEST: own,
        CLAIMED[0]: worker.levels(raw),
        CLAIMED[1]: eight_bits(worker.denoised(raw)),
        CLAIMED[2]: _finished(worker, before),
        CLAIMED[3]: worker.levels(forgeries.upscaled(small, case.height, case.width)),
        CLAIMED[4]: _finished(worker, worker.render(shot, subset=(0, case.samples // 8))),
        CLAIMED[5]: _finished(worker, worker.render(replace(shot, seed=case.seed(attempt=1)))),
        OTHERS[0]: worker.jpeg(own, 90),
    }
    found = {name: measure_picture(picture, redone, TOLERANCE) for name, picture in delivered.items()}
    faults = [f"{name}: {item.fault}" for name, item in found.items() if item.fault]
    assert not faults, faults
    shares = {name: item.share_ppm for name, item in found.items()}
    return {"case": case.number, "scene": shot.scene, "levels": found[HONEST].max_levels, "shares": shares}


def calibrate(rows: Sequence[Row]) -> Redone:
    """What the thresholds come to.

    :raises ValueError: they make no test.
    """
    claimed, others = (tuple(_counted(rows, name) for name in names) for names in (CLAIMED, OTHERS))
    return Redone(TOLERANCE, _counted(rows, HONEST), claimed, others)


def sheet(rows: Sequence[Row]) -> Sheet:
    """How many of each class differ."""
    body: list[Cells] = []
    for name in (HONEST, *CLAIMED, *OTHERS):
        item = _counted(rows, name)
        share, shares = Share(item.failed, item.tiles), [row["shares"][name] / 10_000 for row in rows]
        low, high = (f"{100 * end:.1f}" for end in share.interval)
        body.append(
            (name, f"{share.trials}", f"{share.count}", f"[{low}, {high}]", f"{min(shares):.2f}", f"{max(shares):.2f}")
        )
        body += [SECTION] if name in (HONEST, CLAIMED[-1]) else []
    columns = ("finished", "pictures", "differ", "95 %, per cent", "least share off, per cent", "largest")
    worst = max(row["levels"] for row in rows)
    notes = [
        f"off: a pixel by more than {TOLERANCE.levels} levels of 255; a picture differs when more than "
        f"{TOLERANCE.max_share_ppm / 10_000:g} per cent of it are; honest pictures: by {worst} levels at most",
        f"claimed: all but {HONEST} (honest) and {', '.join(OTHERS)}",
    ]
    return Sheet("Finished pictures beside their redoing", columns, body, notes)


def _counted(rows: Sequence[Row], name: str) -> Counted:
    shares = [row["shares"][name] for row in rows]
    return Counted(name, len(shares), sum(share > TOLERANCE.max_share_ppm for share in shares))


def _finished(blender: Blender, raw: FloatArray) -> Bytes:
    return blender.levels(blender.denoised(raw))
