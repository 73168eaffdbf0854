# SPDX-License-Identifier: Apache-2.0
"""Where a mark can be: in the camera's view, in front of everything there, facing the camera, apart from the others.

Pure geometry on what a small preview shows: its depth says how far a mark may stand, its brightness where people look
and noise hides. Camera space is Blender's: x to the right, y up, the camera looks along -z.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.draw import ByteStream
from inferix.proofs.rendering.angv.marks import Box, Mark
from inferix.proofs.rendering.compare import FloatArray

Points = NDArray[np.float64]

_BEFORE: Final = 0.9  # of the way to the nearest thing there
_WEIGHT_STEPS: Final = 255
_TRIES: Final = 500


@dataclass(frozen=True, slots=True)
class Camera:
    """A perspective camera. ``world``: (4, 4) from camera to world space, a rotation and a place; ``tan_x``, ``tan_y``:
    tangents of half the angles of view; ``near``, ``far``: clipping distances, in the scene's units; width and height
    of the frame in pixels.

    :raises ValueError: it sees nothing.
    """

    world: Points
    tan_x: float
    tan_y: float
    near: float
    far: float
    width: int
    height: int

    def __post_init__(self) -> None:
        is_open = self.tan_x > 0 and self.tan_y > 0 and 0 < self.near < self.far
        if not is_open or min(self.width, self.height) < 1 or self.world.shape != (4, 4):
            raise ValueError("a camera has a 4x4 matrix, angles of view, clipping distances and a frame")


@dataclass(frozen=True, slots=True)
class Preview:
    """A small render of the whole frame: ``depth`` (rows, columns) along the view, inf where nothing is; ``light``
    (rows, columns) >= 0, linear luminance.

    :raises ValueError: they are not of one shape.
    """

    depth: FloatArray
    light: FloatArray

    def __post_init__(self) -> None:
        if self.depth.ndim != 2 or self.depth.shape != self.light.shape or self.depth.size == 0:
            raise ValueError(f"depth {self.depth.shape} and light {self.light.shape} are not of one picture")

    def cells(self, box: Box, width: int, height: int) -> tuple[slice, slice]:
        """The part of the preview in which a box of a frame of this size lies, whole cells."""
        rows, columns = self.depth.shape
        top, left = box.y * rows // height, box.x * columns // width
        bottom, right = -(-(box.y + box.height) * rows // height), -(-(box.x + box.width) * columns // width)
        return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def significance(preview: Preview) -> FloatArray:
    """(rows, columns) >= 0: how much goes on around each cell: differences of brightness, relative to it."""
    light = np.sqrt(np.nan_to_num(preview.light.astype(np.float64), posinf=1.0).clip(0, 1))
    rows, columns = (np.abs(np.diff(light, axis=axis, append=np.take(light, [-1], axis=axis))) for axis in (0, 1))
    found: FloatArray = (rows + columns).astype(np.float32)
    return found


def place(
    key: bytes,
    marks: Sequence[Mark],
    camera: Camera,
    preview: Preview,
    usable: Callable[[Mark, Box], bool] = lambda *_: True,
) -> list[tuple[Mark, Box, float]]:
    """Each mark with its imprint and its distance along the view; drawn by the key, more often where much goes on.

    Envelopes (`Box.grown`) are inside the frame and apart from one another, so that each mark is measured alone.
    Where a place is not ``usable`` another is drawn. Marks for which there is no place are left out.

    :raises ValueError: the key is not 32 bytes.
    """
    if len(key) != 32:
        raise ValueError(f"a key has 32 bytes, not {len(key)}")
    stream = ByteStream(b"inferix/angv/places" + key)
    totals = _totals(preview)
    found: list[tuple[Mark, Box, float]] = []
    for mark in marks:
        for _ in range(_TRIES):
            box = _draw_box(stream, mark, totals, preview.depth.shape, (camera.width, camera.height))
            distance = _distance(box, camera, preview)
            if (
                distance is not None
                and box.grown().is_inside(camera.width, camera.height)
                and not any(box.grown().overlaps(other.grown()) for _, other, _ in found)
                and usable(mark, box)
            ):
                found.append((mark, box, distance))
                break
    return found


def corners(camera: Camera, box: Box, distance: float) -> Points:
    """(4, 3) world coordinates of a rectangle that faces the camera and fills ``box``: from the top left, clockwise."""
    x = np.array([box.x, box.x + box.width, box.x + box.width, box.x]) / camera.width * 2 - 1
    y = 1 - np.array([box.y, box.y, box.y + box.height, box.y + box.height]) / camera.height * 2
    points = np.stack([x * camera.tan_x * distance, y * camera.tan_y * distance, np.full(4, -distance), np.ones(4)])
    world: Points = (camera.world @ points).T[:, :3]
    return world


def _totals(preview: Preview) -> NDArray[np.int64]:
    """Cumulative whole weights of the cells; every cell has some."""
    weights = significance(preview)
    peak = float(weights.max())
    steps = (
        np.floor(weights * (_WEIGHT_STEPS / peak)).astype(np.int64) if peak > 0 else np.zeros(weights.shape, np.int64)
    )
    return np.cumsum(steps.ravel() + 1)


def _draw_box(
    stream: ByteStream, mark: Mark, totals: NDArray[np.int64], shape: tuple[int, ...], size: tuple[int, int]
) -> Box:
    row, column = divmod(int(np.searchsorted(totals, stream.below(int(totals[-1])), side="right")), shape[1])
    x, y = (
        (cell * length + stream.below(length)) // cells
        for cell, cells, length in ((column, shape[1], size[0]), (row, shape[0], size[1]))
    )
    return Box(x - mark.width // 2, y - mark.height // 2, mark.width, mark.height)


def _distance(box: Box, camera: Camera, preview: Preview) -> float | None:
    """How far away a mark stands so that nothing hides it; None where there is no room before what is there."""
    if not box.is_inside(camera.width, camera.height):
        return None
    nearest = float(np.nanmin(preview.depth[preview.cells(box, camera.width, camera.height)]))
    distance = min(nearest, camera.far) * _BEFORE
    return distance if distance > camera.near else None
