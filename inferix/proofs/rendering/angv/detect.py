# SPDX-License-Identifier: Apache-2.0
"""Does a frame show the marks of a key? The published test, and a matched filter calibrated on the frame itself.

The published test wants every mark's error above a threshold. It refuses honest frames whose marks are faint, accepts
noise that has large errors everywhere, and knows no false-alarm rate. The matched filter adds up what the marks' signs
foretell, each relative to what is around it, over what chance does in the same frame. Keys choose places where much
goes on, so that scores spread wider than a normal deviate: the threshold is counted (`inferix.proofs.pictures`).
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.draw import ByteStream
from inferix.proofs.rendering.angv.marks import CORNERS, Box, Mark

Levels = NDArray[np.float64]
Sums = NDArray[np.float64]

PUBLISHED_THRESHOLD: Final = 5.0
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


class Detector:
    """One picture, (height, width) levels, for many keys: what does not depend on them is worked out once."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels

    def errors(self, boxes: Sequence[Box]) -> Levels:
        """e_i = |mean of the Laplacian over k_i - mean over its envelope three times as wide|, in levels, as published.

        :raises ValueError: an envelope is not inside the frame.
        """
        self._check(boxes)
        inside, around = (_means(self._laplacian, these) for these in (boxes, [box.grown() for box in boxes]))
        found: Levels = np.abs(inside - around)
        return found

    def passes_published(self, boxes: Sequence[Box], threshold: float = PUBLISHED_THRESHOLD) -> bool:
        """The published rule: every e_i is at least the threshold. No marks pass nothing.

        :raises ValueError: as `errors`.
        """
        return len(boxes) > 0 and bool((self.errors(boxes) >= threshold).all())

    def matched(self, marks: Sequence[tuple[Mark, Box]]) -> float:
        """How much brighter and darker boxes are, as their marks foretell, than chance has it here; 0 without marks.

        A frame is taken for marked above the threshold of `inferix.proofs.pictures.load_pictures`.

        :raises ValueError: an envelope is not inside the frame.
        """
        boxes = [box for _, box in marks]
        self._check(boxes)
        if not marks:
            return 0.0
        signs = np.array([mark.sign for mark, _ in marks])
        return float((signs * _contrasts(*self._sums, boxes)).sum() / (self._chance * np.sqrt(len(marks))))

    @cached_property
    def _laplacian(self) -> Sums:
        padded = np.pad(self._levels, 1, mode="edge")
        around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
        return _integral(around - 4 * self._levels)

    @cached_property
    def _sums(self) -> tuple[Sums, Sums]:
        return _integral(self._levels), _integral(self._levels**2)

    @cached_property
    def _chance(self) -> float:
        contrasts = _contrasts(*self._sums, _anywhere(*self._levels.shape))
        return max(float(np.sqrt(np.mean(contrasts**2))), 1e-6)

    def _check(self, boxes: Sequence[Box]) -> None:
        height, width = self._levels.shape
        for box in boxes:
            if not box.grown().is_inside(width, height) or min(box.width, box.height) < 1:
                raise ValueError(f"{box} and what is around it are not inside {width}x{height}")


def errors(levels: Levels, boxes: Sequence[Box]) -> Levels:
    """As `Detector.errors`, of one key."""
    return Detector(levels).errors(boxes)


def passes_published(levels: Levels, boxes: Sequence[Box], threshold: float = PUBLISHED_THRESHOLD) -> bool:
    """As `Detector.passes_published`, of one key."""
    return Detector(levels).passes_published(boxes, threshold)


def matched(levels: Levels, marks: Sequence[tuple[Mark, Box]]) -> float:
    """As `Detector.matched`, of one key."""
    return Detector(levels).matched(marks)


def _contrasts(sums: Sums, squares: Sums, boxes: Sequence[Box]) -> Levels:
    """Mean inside less mean of the ring around, over the ring's standard deviation; limited."""
    x, y, width, height = _sides(boxes)
    inside, around = (x, y, width, height), (x - width, y - height, 3 * width, 3 * height)
    area, whole = width * height, 9 * width * height
    ring = whole - area
    inner, inner_squares = _sum(sums, *inside), _sum(squares, *inside)
    mean = (_sum(sums, *around) - inner) / ring
    variance = (_sum(squares, *around) - inner_squares) / ring - mean**2
    contrast = (inner / area - mean) / np.sqrt(variance.clip(min=0) + _DARK**2)
    limited: Levels = contrast.clip(-_LIMIT, _LIMIT)
    return limited


@lru_cache(maxsize=16)
def _anywhere(height: int, width: int) -> tuple[Box, ...]:
    """Boxes that no key chose, the same for every frame of a size."""
    stream = ByteStream(b"inferix/angv/chance" + width.to_bytes(4) + height.to_bytes(4))
    least, most = CORNERS
    boxes = []
    for _ in range(_CHANCES):
        across, down = (min(least + 1 + stream.below(most - least + 1), side // 3) for side in (width, height))
        x, y = across + stream.below(width - 3 * across + 1), down + stream.below(height - 3 * down + 1)
        boxes.append(Box(x, y, across, down))
    return tuple(boxes)


def _integral(values: Levels) -> Sums:
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    np.cumsum(np.cumsum(values, axis=0), axis=1, out=sums[1:, 1:])
    return sums


def _sum(
    sums: Sums, x: NDArray[np.int64], y: NDArray[np.int64], width: NDArray[np.int64], height: NDArray[np.int64]
) -> Levels:
    total: Levels = sums[y + height, x + width] - sums[y, x + width] - sums[y + height, x] + sums[y, x]
    return total


def _means(sums: Sums, boxes: Sequence[Box]) -> Levels:
    x, y, width, height = _sides(boxes)
    means: Levels = _sum(sums, x, y, width, height) / (width * height)
    return means


def _sides(boxes: Sequence[Box]) -> NDArray[np.int64]:
    """Four rows: x, y, width, height."""
    return np.array([(box.x, box.y, box.width, box.height) for box in boxes], np.int64).reshape(-1, 4).T
