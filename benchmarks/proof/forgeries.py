# SPDX-License-Identifier: Apache-2.0
"""What a worker may deliver in place of its frame, made from frames and cheaper renders.

Pure: arrays are (height, width, 10) float32, linear, row 0 on top: RGBA, then the denoiser's guides, albedo and normal.
None is changed in place.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from inferix.proofs.rendering import COLOUR, TILE_SIZE, BoolArray, FloatArray, noise_cells

SHARES: Final = (0.05, 0.10, 0.25, 0.50)
WHERE: Final = ("in one piece", "scattered", "where it is smooth")


def uniform_noise(like: FloatArray, chance: Generator) -> FloatArray:
    """Colours at random, evenly between black and white."""
    return _opaque(chance.random(like.shape, np.float32))


def black_and_white(like: FloatArray, chance: Generator) -> FloatArray:
    """Pixels at random, each black or white."""
    grey = (chance.random(like.shape[:2]) < 0.5).astype(np.float32)
    return _opaque(np.repeat(grey[..., None], like.shape[2], axis=2))


def upscaled(small: FloatArray, height: int, width: int) -> FloatArray:
    """A smaller frame at the ordered size, bilinear."""
    lines, columns = _positions(small.shape[0], height), _positions(small.shape[1], width)
    return _blend(_blend(small, lines, 0), columns, 1)


def mean_of(parts: Sequence[FloatArray], samples: Sequence[int]) -> FloatArray:
    """Sample subsets put together. ``samples``: of each."""
    weights = np.asarray(samples, np.float64) / sum(samples)
    total = sum(weight * part for weight, part in zip(weights, parts, strict=True))
    return np.asarray(total, np.float32)


def without_last(full: FloatArray, last: FloatArray, samples: int, count: int = 1) -> FloatArray:
    """A frame of ``samples`` samples less its last ``count``, whose mean is ``last``."""
    left = samples * full.astype(np.float64) - count * last.astype(np.float64)
    return np.asarray(left / (samples - count), np.float32)


def made_up_guides(honest: FloatArray, chance: Generator) -> FloatArray:
    """The honest pixels beside guides of nothing: albedo at random, normals at random."""
    forged = honest.copy()
    forged[..., COLOUR:] = chance.random((*honest.shape[:2], honest.shape[2] - COLOUR), np.float32)
    return forged


def interpolated(before: FloatArray, after: FloatArray) -> FloatArray:
    """The frame between two others, never rendered."""
    return mean_of((before, after), (1, 1))


def left_out(frame: FloatArray, one_in: int) -> FloatArray:
    """Of every tile the same pixels never rendered, one in four or eight, but the mean of their four neighbours. The
    guides are left as they were: so it is harder to see.

    :raises ValueError: another part.
    """
    if one_in not in (4, 8):
        raise ValueError(f"one pixel in 4 or 8 is left out, not in {one_in}")
    colour = np.pad(frame[..., :COLOUR].astype(np.float64), ((1, 1), (1, 1), (0, 0)), mode="edge")
    around = (colour[:-2, 1:-1] + colour[2:, 1:-1] + colour[1:-1, :-2] + colour[1:-1, 2:]) / 4
    filled = frame.copy()
    lines, columns = slice(1, None, 2), slice(1, None, one_in // 2)
    filled[lines, columns, :COLOUR] = around[lines, columns]
    return filled


def eight_bits(frame: FloatArray) -> FloatArray:
    """What is left after an 8-bit sRGB file without compression losses; the guides are as they were."""
    clipped = frame[..., :COLOUR].clip(0, 1).astype(np.float64)
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    levels = np.rint(encoded * 255) / 255
    decoded = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    decoded[..., 3] = np.rint(clipped[..., 3] * 255) / 255
    return np.concatenate([decoded.astype(np.float32), frame[..., COLOUR:]], axis=2)


def pasted(honest: FloatArray, cheap: FloatArray, where: BoolArray) -> FloatArray:
    """An honest frame with ``cheap`` pixels where the mask says so."""
    mixed: FloatArray = np.where(where[..., None], cheap, honest)
    return mixed


def mask(where: str, share: float, honest: FloatArray, chance: Generator) -> BoolArray:
    """The pixels that are cheated: about ``share`` of all. ``where``: one of `WHERE`.

    :raises ValueError: another name, or a share that is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share is in (0, 1], not {share}")
    height, width = honest.shape[:2]
    if where == WHERE[0]:
        return _rectangle(height, width, share, chance)
    cells = (-(-height // TILE_SIZE), -(-width // TILE_SIZE))
    if where == WHERE[1]:
        order = chance.permutation(cells[0] * cells[1])
    elif where == WHERE[2]:
        order = np.argsort(_noise(honest).ravel(), kind="stable")
    else:
        raise ValueError(f"{where!r} is not one of {', '.join(WHERE)}")
    return _cells(order, cells, height, width, share)


def _rectangle(height: int, width: int, share: float, chance: Generator) -> BoolArray:
    """Of the frame's proportions, anywhere."""
    lines = min(max(round(height * share**0.5), 1), height)
    columns = min(max(round(height * width * share / lines), 1), width)
    top, left = (int(chance.integers(0, most + 1)) for most in (height - lines, width - columns))
    chosen = np.zeros((height, width), np.bool_)
    chosen[top : top + lines, left : left + columns] = True
    return chosen


def _cells(order: NDArray[np.int64], cells: tuple[int, int], height: int, width: int, share: float) -> BoolArray:
    """Whole cells in this order, as many as make up the share. They lie as tiles may: nothing suits a cheat better."""
    chosen = np.zeros((height, width), np.bool_)
    for index in order:
        if chosen.sum() >= share * chosen.size:
            break
        row, column = divmod(int(index), cells[1])
        tops, lefts = row * TILE_SIZE, column * TILE_SIZE
        chosen[tops : tops + TILE_SIZE, lefts : lefts + TILE_SIZE] = True
    return chosen


def _noise(frame: FloatArray) -> FloatArray:
    height, width = frame.shape[:2]
    return noise_cells({top: frame[top : top + TILE_SIZE] for top in range(0, height, TILE_SIZE)}, width, height)


def _opaque(frame: FloatArray) -> FloatArray:
    frame[..., 3] = 1
    return frame


def _positions(source: int, wanted: int) -> NDArray[np.float64]:
    """Where the centres of the wanted pixels lie among the source's."""
    return ((np.arange(wanted) + 0.5) * source / wanted - 0.5).clip(0, source - 1)


def _blend(frame: FloatArray, at: NDArray[np.float64], axis: int) -> FloatArray:
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, frame.shape[axis] - 1)
    part = (at - low).astype(np.float32).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    mixed = frame.take(low, axis) * (np.float32(1) - part) + frame.take(high, axis) * part
    return np.asarray(mixed, np.float32)
