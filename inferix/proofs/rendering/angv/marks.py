# SPDX-License-Identifier: Apache-2.0
"""Keys, and what each mark looks like: all of it follows from the key, the key from task secret, scene and frame."""

import hmac
import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from inferix.proofs.draw import ByteStream
from inferix.proofs.rendering.compare import FloatArray

MARKS: Final = 12
"""Marks that a frame of an order carries, where there is room."""

LEAST_MARKS: Final = 4
"""With fewer a frame cannot be told: one mark adds little more to a score than chance does. Chosen, not counted."""

TARGET: Final = 5.0
"""Error of each of them before the pixel filter, in levels of 255 (`contrast_levels`): with less, denoised frames are
seldom recognised; more is seen."""

PATCH: Final = 512  # pixels of a mark's texture, each way
CORNERS: Final = (4, 7)  # pixels between the corners of an imprint; it is one pixel wider
_PERIOD: Final = NormalDist(25, 5)  # texture pixels
_LEAST_PERIOD: Final = 5.0
_UNIT: Final = 2**53


@dataclass(frozen=True, slots=True)
class Box:
    """An imprint in pixels of the frame; (0, 0) is the top left corner."""

    x: int
    y: int
    width: int
    height: int

    def grown(self) -> "Box":
        """The envelope of the published test: the same centre, three times as wide and high."""
        return Box(self.x - self.width, self.y - self.height, 3 * self.width, 3 * self.height)

    def overlaps(self, other: "Box") -> bool:
        """Whether they share a pixel."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    def is_inside(self, width: int, height: int) -> bool:
        """Whether all of it is in a frame of this size."""
        return self.x >= 0 and self.y >= 0 and self.x + self.width <= width and self.y + self.height <= height


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: size of its imprint in pixels, whether it is brighter (1) or darker (-1) than what is behind it, and
    the periods of its wave in texture pixels."""

    width: int
    height: int
    sign: int
    period_x: float
    period_y: float


def angv_key(task_key: bytes, scene: bytes, frame: int) -> bytes:
    """32 bytes: ``HMAC-SHA256(key = task_key, "inferix/angv" || scene || int32 frame)``, ``scene`` its SHA-256.

    A fresh one for every frame: with one key a task, a frame cannot be told from the one before it.

    :raises ValueError: a key or hash that is not 32 bytes; OverflowError: the frame does not fit.
    """
    if len(task_key) != 32 or len(scene) != 32:
        raise ValueError("a task key and the hash of a scene have 32 bytes each")
    return hmac.digest(task_key, b"inferix/angv" + scene + frame.to_bytes(4, signed=True), "sha256")


def draw_marks(key: bytes, count: int = MARKS) -> list[Mark]:
    """The marks of a key: sizes, signs and waves; where they are is `places.place`'s business.

    :raises ValueError: less than one mark, or a key that is not 32 bytes.
    """
    if count < 1 or len(key) != 32:
        raise ValueError(f"a key of 32 bytes has at least one mark, not {len(key)} and {count}")
    stream = ByteStream(b"inferix/angv/marks" + key)
    numbers = _normal(stream)
    least, most = CORNERS
    marks = []
    for _ in range(count):
        width, height = (least + 1 + stream.below(most - least + 1) for _ in range(2))
        sign = 1 if stream.below(2) else -1
        marks.append(Mark(width, height, sign, next(numbers), next(numbers)))
    return marks


def wave(mark: Mark, size: int = PATCH) -> FloatArray:
    """(size, size) float32 in [-1, 1]: the real part of exp(2 pi i (x / X + y / Y)), as published.

    Seen from where it is, some twenty periods fall on six pixels: it averages to nothing, and what a frame shows of it
    is the mark's mean alone.
    """
    x, y = np.meshgrid(np.arange(size) / mark.period_x, np.arange(size) / mark.period_y)
    found: FloatArray = np.cos(2 * math.pi * (x + y)).astype(np.float32)
    return found


def contrast_levels(mark: Mark, target: float) -> float:
    """Levels of 255 by which a mark has to differ from what is around it for its error to be ``target``.

    The mean Laplacian over a rectangle is the sum of the steps over its border, over its area. A pixel filter leaves
    some two thirds of it: choose the target accordingly.
    """
    return target * mark.width * mark.height / (2 * (mark.width + mark.height))


def _normal(stream: ByteStream) -> Iterator[float]:
    while True:
        yield max(_PERIOD.inv_cdf((stream.below(_UNIT) + 0.5) / _UNIT), _LEAST_PERIOD)
