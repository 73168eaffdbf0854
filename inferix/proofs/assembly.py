# SPDX-License-Identifier: Apache-2.0
"""Proof of assembly: a verifier redoes one drawn frame (denoise, view transform, 8-bit) and compares the pictures.

The denoiser repeats bit for bit on one machine and differs by a level or two between processors, so a picture counts as
the same when few pixels differ by more than that: see `inferix.proofs.pictures`, where the thresholds are from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.calibration import MILLION
from inferix.proofs.pictures import LEVELS, PictureTolerance, load_pictures
from inferix.proofs.rendering.sequence import Verdict

ByteArray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PictureMeasure:
    """Two pictures compared. ``fault`` says why nothing could be compared, else ""."""

    share_ppm: int
    max_levels: int
    equal: bool
    fault: str = ""


def measure_picture(
    submitted: ByteArray, redone: ByteArray, tolerance: PictureTolerance | None = None
) -> PictureMeasure:
    """Compare two 8-bit pictures, (height, width, 3 or 4); ``tolerance``: that in force, if not another. Never raises
    for what was submitted."""
    tolerance = tolerance or load_pictures().redone.tolerance
    if submitted.shape != redone.shape or submitted.dtype != np.uint8:
        fault = f"{submitted.dtype} of shape {submitted.shape}, expected uint8 of {redone.shape}"
        return PictureMeasure(MILLION, LEVELS, False, fault)
    difference = np.abs(submitted.astype(np.int16) - redone.astype(np.int16)).max(axis=2)
    share = int((difference > tolerance.levels).sum()) * MILLION // difference.size
    worst = int(difference.max())
    return PictureMeasure(share, worst, worst == 0)


def judge_picture(measure: PictureMeasure, tolerance: PictureTolerance | None = None) -> Verdict:
    """Accept or reject an assembled frame; ``tolerance`` as of `measure_picture`."""
    tolerance = tolerance or load_pictures().redone.tolerance
    if measure.fault:
        return Verdict(False, True, f"the picture cannot be compared: {measure.fault}")
    if measure.share_ppm > tolerance.max_share_ppm:
        share = measure.share_ppm / 10_000
        return Verdict(
            False, True, f"{share:.1f} % of the picture differ from its redoing by more than {tolerance.levels} levels"
        )
    how = "bit for bit" if measure.equal else f"within {measure.max_levels} levels"
    return Verdict(True, True, f"the picture agrees with its redoing {how}")
