# SPDX-License-Identifier: Apache-2.0
"""A delivered tile beside its re-render. A measure is a fact that can be published; others decide what it means.

Pixels have ten channels, `CHANNELS`: what was rendered (RGBA) and the denoiser's guides, albedo and normal, which are
delivered and decide what the finished picture looks like as much as the rest. Guides are of half precision.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.calibration import MILLION, Tolerance

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
TOLERANCE: Final = Tolerance()

CHANNELS: Final = 10
COLOUR: Final = 4
"""The first channels, float32; the others are what float16 holds of them."""

_HALF: Final = Tolerance(1_000, 2_000)
"""Two steps of half precision: what is rounded may fall to either side."""
_CONTRAST: Final = Tolerance(4_000, 16_000, 320_000)
"""Neighbours that differ by more, in more of a tile, are noise or edges, which have noise."""


@dataclass(frozen=True, slots=True)
class TileMeasure:
    """One tile compared. ``fault`` says why nothing could be compared, else "".

    ``share_ppm``: pixels out of tolerance, parts per million. ``informative``: this tile has noise, so another seed
    would show. ``equal``: same bits. ``max_difference``: largest of a channel.
    """

    share_ppm: int
    informative: bool
    equal: bool
    max_difference: float
    fault: str = ""

    def fails(self, tolerance: Tolerance, *, exact: bool) -> bool:
        """Whether it speaks against who delivered it: bit for bit where ``exact``, else within the tolerance."""
        return bool(self.fault) or (not self.equal if exact else self.share_ppm > tolerance.max_share_ppm)


class Reference:
    """One's own render of a tile, (height, width, 4 or 10) float32, linear: what delivered ones are compared with.

    ``another``: one's own render with another seed. Its difference from the first is the tile's noise: what the
    tolerance is measured in, and what says whether there is any to tell by. Without it noise counts for none in the
    tolerance, and neighbouring pixels that differ stand for it.
    """

    def __init__(self, own: FloatArray, tolerance: Tolerance = TOLERANCE, another: FloatArray | None = None) -> None:
        self._own = np.ascontiguousarray(own, dtype=np.float32)
        self._limit = _limit(self._own, tolerance, another)
        if another is None:
            self.informative = _has_contrast(self._own)
        else:
            self.informative = self._share_ppm(np.ascontiguousarray(another), COLOUR) > tolerance.max_share_ppm

    def measure(self, submitted: FloatArray) -> TileMeasure:
        """Compare a submitted tile.

        Never raises for what was submitted: another shape or type, or values that are not finite, are faults of it.
        """
        own, informative = self._own, self.informative
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
            largest = np.where(same, 0.0, np.abs(theirs.astype(np.float64) - own)).max()
        share = self._share_ppm(theirs, own.shape[2])
        return TileMeasure(share, informative, False, float(np.nan_to_num(largest, nan=np.inf, posinf=np.inf)))

    def _share_ppm(self, other: FloatArray, channels: int) -> int:
        """Pixels of which one of the first ``channels`` differs by more than it may, parts per million."""
        own, theirs = self._own[..., :channels], other[..., :channels]
        with np.errstate(invalid="ignore"):
            difference = np.abs(theirs.astype(np.float64) - own)
            # An infinite limit would allow all; and what has the same bits is equal even where it is no number.
            off = ~(difference <= self._limit[..., :channels]) | ~np.isfinite(own)
        off &= theirs.view(np.uint32) != own.view(np.uint32)
        return int(off.any(axis=2).sum()) * MILLION // (own.shape[0] * own.shape[1])


def measure(
    submitted: FloatArray,
    rerendered: FloatArray,
    tolerance: Tolerance = TOLERANCE,
    another: FloatArray | None = None,
) -> TileMeasure:
    """Compare a submitted tile with one's own render of it, and that with ``another`` seed: see `Reference`."""
    return Reference(rerendered, tolerance, another).measure(submitted)


def as_stored(pixels: FloatArray) -> FloatArray:
    """What a file holds of rendered pixels, (..., 10) float32: guides rounded to half precision, and finite."""
    stored = np.array(pixels, np.float32)
    largest = np.finfo(np.float16).max
    stored[..., COLOUR:] = np.nan_to_num(stored[..., COLOUR:]).clip(-largest, largest).astype(np.float16)
    return stored


def _limit(own: FloatArray, tolerance: Tolerance, another: FloatArray | None) -> NDArray[np.float64]:
    """By how much each channel of each pixel may differ."""
    absolute, relative = (np.full(own.shape[2], part) for part in (tolerance.absolute, tolerance.relative))
    absolute[COLOUR:] = max(tolerance.absolute, _HALF.absolute)
    relative[COLOUR:] = max(tolerance.relative, _HALF.relative)
    with np.errstate(invalid="ignore"):
        least: NDArray[np.float64] = absolute + relative * np.abs(own.astype(np.float64))
        if another is None or not tolerance.noise_ppm:
            return least
        noise = np.abs(another.astype(np.float64) - own)
        noise[~(noise > least) | ~np.isfinite(noise)] = np.nan
    # The median of the pixels that have some: a few that shine do not hide the rest, nor do those that are calm.
    flat = np.sort(noise.reshape(-1, own.shape[2]), axis=0)  # none is last
    count = np.isfinite(flat).sum(axis=0)
    middle = flat[np.maximum(count - 1, 0) // 2, np.arange(own.shape[2])]
    return least + tolerance.noise * np.where(count > 0, middle, 0.0)


def _has_contrast(own: FloatArray) -> bool:
    """Whether neighbouring pixels differ in much of the tile."""
    if own.shape[0] < 3 or own.shape[1] < 3:
        return False
    colour = own[..., :3].astype(np.float64)
    centre = colour[1:-1, 1:-1]
    around = (colour[:-2, 1:-1] + colour[2:, 1:-1] + colour[1:-1, :-2] + colour[1:-1, 2:]) / 4
    with np.errstate(invalid="ignore"):
        noisy: BoolArray = np.abs(centre - around) > _CONTRAST.absolute + _CONTRAST.relative * np.abs(centre)
    return bool(noisy.any(axis=2).mean() * MILLION > _CONTRAST.max_share_ppm)
