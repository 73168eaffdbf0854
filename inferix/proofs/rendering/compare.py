# SPDX-License-Identifier: Apache-2.0
"""A delivered tile beside its re-render. A measure is a fact that can be published; others decide what it means."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.calibration import MILLION, Tolerance

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
TOLERANCE: Final = Tolerance()


@dataclass(frozen=True, slots=True)
class TileMeasure:
    """One tile compared. ``fault`` says why nothing could be compared, else "".

    ``share_ppm``: pixels out of tolerance, parts per million. ``informative``: this tile has noise above the tolerance,
    so another seed would show. ``equal``: same bits. ``max_difference``: largest of a channel, linear.
    """

    share_ppm: int
    informative: bool
    equal: bool
    max_difference: float
    fault: str = ""

    def fails(self, tolerance: Tolerance, *, exact: bool) -> bool:
        """Whether it speaks against who delivered it: bit for bit where ``exact``, else within the tolerance."""
        return bool(self.fault) or (not self.equal if exact else self.share_ppm > tolerance.max_share_ppm)


def measure(submitted: FloatArray, rerendered: FloatArray, tolerance: Tolerance = TOLERANCE) -> TileMeasure:
    """Compare a submitted tile with one's own re-render, both (height, width, 4) float32 RGBA, linear.

    Never raises for what was submitted: another shape or type, or values that are not finite, are faults of the tile.
    """
    own = np.ascontiguousarray(rerendered, dtype=np.float32)
    informative = _is_informative(own, tolerance)
    if submitted.shape != own.shape or submitted.dtype != np.float32:
        fault = f"{submitted.dtype} of shape {submitted.shape}, expected float32 of {own.shape}"
        return TileMeasure(MILLION, informative, False, float("inf"), fault)
    theirs = np.ascontiguousarray(submitted)
    same = theirs.view(np.uint32) == own.view(np.uint32)
    if same.all():
        return TileMeasure(0, informative, True, 0.0)
    if not np.isfinite(theirs[~same]).all():
        return TileMeasure(MILLION, informative, False, float("inf"), "it holds values that are not finite")
    with np.errstate(invalid="ignore"):
        difference = np.where(same, 0.0, np.abs(theirs.astype(np.float64) - own))
        limit = tolerance.absolute + tolerance.relative * np.abs(own)
        off = ~same & (~(difference <= limit) | ~np.isfinite(own))  # without the last, an infinite limit allows all
    share = int(off.any(axis=2).sum()) * MILLION // (own.shape[0] * own.shape[1])
    return TileMeasure(share, informative, False, float(np.nan_to_num(difference, nan=np.inf, posinf=np.inf).max()))


def _is_informative(own: FloatArray, tolerance: Tolerance) -> bool:
    """Whether neighbouring pixels differ by more than the tolerance in more of the tile than may be off."""
    if own.shape[0] < 3 or own.shape[1] < 3:
        return False
    colour = own[..., :3].astype(np.float64)
    centre = colour[1:-1, 1:-1]
    around = (colour[:-2, 1:-1] + colour[2:, 1:-1] + colour[1:-1, :-2] + colour[1:-1, 2:]) / 4
    with np.errstate(invalid="ignore"):
        noisy: BoolArray = np.abs(centre - around) > tolerance.absolute + tolerance.relative * np.abs(centre)
    return bool(noisy.any(axis=2).mean() * MILLION > tolerance.max_share_ppm)
