# SPDX-License-Identifier: Apache-2.0
"""Does a frame show the marks of a key? The published test, and a matched filter calibrated on the frame itself.

The published test wants every mark's error above a threshold. It refuses honest frames whose marks are faint, accepts
noise that has large errors everywhere, and knows no false-alarm rate. The matched filter adds up what the marks' signs
foretell, each relative to what is around it, over what chance does in the same frame: a standard score.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.draw import ByteStream
from inferix.proofs.rendering.angv.marks import CORNERS, Box, Mark

Levels = NDArray[np.float64]
Sums = NDArray[np.float64]

PUBLISHED_THRESHOLD: Final = 5.0
MATCHED_THRESHOLD: Final = 4.75  # one in a million, were it a normal deviate; see the docs for what was counted
_WEIGHTS: Final = (0.2126, 0.7152, 0.0722)
_LIMIT: Final = 4.0  # of one mark, so that an edge beside it does not decide alone
_CHANCES: Final = 2_000
_DARK: Final = 0.5  # levels, below which contrast is rounding


def luma(picture: NDArray[np.uint8]) -> Levels:
    """(height, width) levels in [0, 255] of an 8-bit picture, (height, width, 3 or 4), by the weights of BT.709.

    :raises ValueError: it is no such picture.
    """
    if picture.ndim != 3 or picture.shape[2] not in (3, 4) or picture.dtype != np.uint8:
        raise ValueError(f"a picture is 8-bit RGB or RGBA, not {picture.dtype} of {picture.shape}")
    levels: Levels = picture[..., :3] @ np.array(_WEIGHTS)
    return levels


def errors(levels: Levels, boxes: Sequence[Box]) -> Levels:
    """e_i = |mean of the Laplacian over k_i - mean over its envelope three times as wide|, in levels, as published.

    :raises ValueError: an envelope is not inside the frame.
    """
    _check(levels, boxes)
    padded = np.pad(levels, 1, mode="edge")
    laplacian = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * levels
    sums = _integral(laplacian)
    return np.array([abs(_mean(sums, box) - _mean(sums, box.grown())) for box in boxes])


def passes_published(levels: Levels, boxes: Sequence[Box], threshold: float = PUBLISHED_THRESHOLD) -> bool:
    """The published rule: every e_i is at least the threshold. No marks pass nothing.

    :raises ValueError: as `errors`.
    """
    return len(boxes) > 0 and bool((errors(levels, boxes) >= threshold).all())


def matched(levels: Levels, marks: Sequence[tuple[Mark, Box]]) -> float:
    """A standard score: how much brighter and darker boxes are, as their marks foretell, than chance has it here.

    Frames without these marks have about N(0, 1); take a frame for marked above `MATCHED_THRESHOLD`. 0 without marks.

    :raises ValueError: an envelope is not inside the frame.
    """
    boxes = [box for _, box in marks]
    _check(levels, boxes)
    if not marks:
        return 0.0
    sums, squares = _integral(levels), _integral(levels**2)
    found = _contrasts(sums, squares, boxes)
    chance = _contrasts(sums, squares, _anywhere(levels))
    scale = max(float(np.sqrt(np.mean(chance**2))), 1e-6)
    signs = np.array([mark.sign for mark, _ in marks])
    return float((signs * found).sum() / (scale * np.sqrt(len(marks))))


def _contrasts(sums: Sums, squares: Sums, boxes: Sequence[Box]) -> Levels:
    """Mean inside less mean of the ring around, over the ring's standard deviation; limited."""
    x, y, width, height = np.array([(box.x, box.y, box.width, box.height) for box in boxes]).T
    inside, around = (x, y, width, height), (x - width, y - height, 3 * width, 3 * height)
    area, whole = width * height, 9 * width * height
    ring = whole - area
    inner, inner_squares = _sum(sums, *inside), _sum(squares, *inside)
    mean = (_sum(sums, *around) - inner) / ring
    variance = (_sum(squares, *around) - inner_squares) / ring - mean**2
    contrast = (inner / area - mean) / np.sqrt(variance.clip(min=0) + _DARK**2)
    limited: Levels = contrast.clip(-_LIMIT, _LIMIT)
    return limited


def _anywhere(levels: Levels) -> list[Box]:
    """Boxes that no key chose, the same for every frame of a size."""
    height, width = levels.shape
    stream = ByteStream(b"inferix/angv/chance" + width.to_bytes(4) + height.to_bytes(4))
    least, most = CORNERS
    boxes = []
    for _ in range(_CHANCES):
        across, down = (min(least + 1 + stream.below(most - least + 1), side // 3) for side in (width, height))
        x, y = across + stream.below(width - 3 * across + 1), down + stream.below(height - 3 * down + 1)
        boxes.append(Box(x, y, across, down))
    return boxes


def _check(levels: Levels, boxes: Sequence[Box]) -> None:
    height, width = levels.shape
    for box in boxes:
        if not box.grown().is_inside(width, height) or min(box.width, box.height) < 1:
            raise ValueError(f"{box} and what is around it are not inside {width}x{height}")


def _integral(values: Levels) -> Sums:
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    np.cumsum(np.cumsum(values, axis=0), axis=1, out=sums[1:, 1:])
    return sums


def _sum(
    sums: Sums, x: NDArray[np.int64], y: NDArray[np.int64], width: NDArray[np.int64], height: NDArray[np.int64]
) -> Levels:
    total: Levels = sums[y + height, x + width] - sums[y, x + width] - sums[y + height, x] + sums[y, x]
    return total


def _mean(sums: Sums, box: Box) -> float:
    x, y, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
    total = sums[bottom, right] - sums[y, right] - sums[bottom, x] + sums[y, x]
    return float(total / (box.width * box.height))
