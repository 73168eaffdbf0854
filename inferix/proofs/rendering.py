# SPDX-License-Identifier: Apache-2.0
"""Proof of rendering by same-seed re-rendering of secret tiles.

A path tracer's noise is a function of its seed, so a re-rendered tile of the raw pass repeats bit for bit on the same
kernel and within a small tolerance on another. A frame of another seed, with fewer samples, cleaned by a denoiser or
scaled up differs in nearly every noisy pixel. The worker commits to its pixels before anybody can know the tiles.

Measuring and judging are apart: a measure is a fact that can be published, the tolerance a decision that can change.
The default thresholds held for 360 honest tiles rendered with another CPU kernel (largest share off: 0.8 %), and were
passed by none of the forged tiles that had noise in them, down to 23 of 24 samples. CPU against GPU is not covered:
verify on the device class that rendered.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.draw import ByteStream

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

SEED_LIMIT: Final = 2**31 - 1
MILLION: Final = 1_000_000
_OVERLAP_TRIES: Final = 64
_WEIGHT_STEPS: Final = 255  # noise is rounded to integers, so that a draw does not hang on the last bit of a float


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle in pixels; (0, 0) is the top left corner of the frame."""

    x: int
    y: int
    width: int
    height: int

    def overlaps(self, other: "Tile") -> bool:
        """Whether they share a pixel."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True, slots=True)
class Tolerance:
    """When a pixel, a tile and a frame count as different.

    A pixel is off when a channel differs by more than ``absolute + relative * |own value|``; a tile fails when more
    than ``max_share_ppm`` (parts per million) of its pixels are off; a frame when more than ``max_failed_tiles`` fail.
    Below ``min_informative`` tiles with noise in them a frame that passes is not conclusive.
    """

    absolute: float = 1e-3
    relative: float = 4e-3
    max_share_ppm: int = 20_000
    max_failed_tiles: int = 0
    min_informative: int = 3


@dataclass(frozen=True, slots=True)
class TileMeasure:
    """One tile compared. ``fault`` says why nothing could be compared, else "".

    ``informative``: this tile has noise above the tolerance, so another seed would show. ``equal``: same bits.
    """

    share_ppm: int
    informative: bool
    equal: bool
    max_difference: float
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``conclusive`` is False where the tiles could not tell a forgery: draw more. ``failed``: indices of tiles."""

    accepted: bool
    conclusive: bool
    reason: str
    failed: tuple[int, ...] = ()


def frame_seed(task_key: bytes, attempt: int, worker: int, frame: int) -> int:
    """Seed of one frame, in [0, 2**31 - 1): nobody without the task's key knows it, no two attempts share it.

    ``HMAC-SHA256(key = task_key, "inferix/frame-seed" || uint8 attempt || uint32 worker || int32 frame)``, integers
    big-endian; the first 8 bytes as a big-endian integer, modulo 2**31 - 1.

    :raises ValueError: the key is not 32 bytes; OverflowError: an integer does not fit.
    """
    if len(task_key) != 32:
        raise ValueError(f"a task key has 32 bytes, not {len(task_key)}")
    message = b"inferix/frame-seed" + attempt.to_bytes(1) + worker.to_bytes(4) + frame.to_bytes(4, signed=True)
    return int.from_bytes(hmac.digest(task_key, message, "sha256")[:8]) % SEED_LIMIT


def tile_plan(
    seed: bytes,
    task: bytes,
    attempt: int,
    verifier: int,
    frame: int,
    width: int,
    height: int,
    count: int = 10,
    size: int = 32,
    noise: FloatArray | None = None,
) -> tuple[Tile, ...]:
    """The tiles that ``verifier`` re-renders: ``count`` squares of ``size`` pixels, smaller where the frame is.

    ``seed``: 32 bytes that became known after the receipt. ``noise``: (rows, columns) >= 0 over the whole frame; every
    second tile is then drawn where it is high, the others anywhere, so that neither a calm nor a busy part is safe.
    Tiles do not overlap unless the frame is too small for that. The same arguments give the same tiles everywhere.

    :raises ValueError: a size or count below 1, or a seed or task that is not 32 bytes.
    """
    if len(seed) != 32 or len(task) != 32:
        raise ValueError("seed and task have 32 bytes each")
    if min(width, height, size, count) < 1:
        raise ValueError(f"a frame, tile size and count are at least 1, not {width}x{height}, {size}, {count}")
    domain = (
        b"inferix/tiles" + seed + task + attempt.to_bytes(1) + verifier.to_bytes(4) + frame.to_bytes(4, signed=True)
    )
    stream = ByteStream(domain)
    shape = (min(size, width), min(size, height))
    weights = _weights(noise)
    tiles: list[Tile] = []
    for index in range(count):
        guide = weights if index % 2 else None
        for _ in range(_OVERLAP_TRIES):
            tile = _draw_tile(stream, width, height, shape, guide)
            if not any(tile.overlaps(other) for other in tiles):
                break
        tiles.append(tile)
    return tuple(tiles)


def redo_frame(seed: bytes, task: bytes, attempt: int, verifier: int, frames: Sequence[int]) -> int:
    """The frame of an assemble task that ``verifier`` redoes, drawn from a seed known after the receipt."""
    domain = b"inferix/redo" + seed + task + attempt.to_bytes(1) + verifier.to_bytes(4)
    return frames[ByteStream(domain).below(len(frames))]


def measure(submitted: FloatArray, rerendered: FloatArray, tolerance: Tolerance = Tolerance()) -> TileMeasure:
    """Compare a submitted tile with one's own re-render, both (height, width, 4) float32 RGBA.

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


def judge(measures: Sequence[TileMeasure], tolerance: Tolerance = Tolerance()) -> Verdict:
    """Accept or reject a frame by its tiles."""
    if not measures:
        return Verdict(False, False, "no tile was measured")
    failed = tuple(
        index for index, tile in enumerate(measures) if tile.fault or tile.share_ppm > tolerance.max_share_ppm
    )
    if len(failed) > tolerance.max_failed_tiles:
        worst = measures[max(failed, key=lambda index: measures[index].share_ppm)]
        detail = worst.fault or f"up to {worst.share_ppm / 10_000:.1f} % of the pixels are off"
        return Verdict(
            False, True, f"{len(failed)} of {len(measures)} tiles differ from their re-render: {detail}", failed
        )
    informative = sum(tile.informative for tile in measures)
    if informative < min(tolerance.min_informative, len(measures)):
        reason = f"all {len(measures)} tiles agree, but only {informative} of them have noise to tell by"
        return Verdict(True, False, reason, failed)
    equal = sum(tile.equal for tile in measures)
    return Verdict(True, True, f"{len(measures)} tiles agree with their re-render, {equal} of them bit for bit", failed)


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


def _weights(noise: FloatArray | None) -> NDArray[np.int64] | None:
    if noise is None or noise.ndim != 2 or noise.size == 0:
        return None
    clean = np.nan_to_num(noise, nan=0.0, posinf=0.0, neginf=0.0).clip(min=0)
    peak = float(clean.max())
    return np.floor(clean * (_WEIGHT_STEPS / peak)).astype(np.int64) if peak > 0 else None


def _draw_tile(
    stream: ByteStream, width: int, height: int, shape: tuple[int, int], weights: NDArray[np.int64] | None
) -> Tile:
    columns, rows = width - shape[0] + 1, height - shape[1] + 1  # places for the left upper corner
    if weights is None:
        return Tile(stream.below(columns), stream.below(rows), *shape)
    totals = np.cumsum(weights.ravel())
    row, column = divmod(int(np.searchsorted(totals, stream.below(int(totals[-1])), side="right")), weights.shape[1])
    # A point in that cell becomes the centre of the tile.
    x = _point(stream, column, weights.shape[1], width) - shape[0] // 2
    y = _point(stream, row, weights.shape[0], height) - shape[1] // 2
    return Tile(min(max(x, 0), columns - 1), min(max(y, 0), rows - 1), *shape)


def _point(stream: ByteStream, cell: int, cells: int, length: int) -> int:
    first, end = cell * length // cells, max((cell + 1) * length // cells, cell * length // cells + 1)
    return first + stream.below(end - first)
