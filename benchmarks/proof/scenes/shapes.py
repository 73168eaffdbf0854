# SPDX-License-Identifier: Apache-2.0
"""Points and faces of simple shapes, one metre in size, about the origin."""

import math
from collections.abc import Callable, Sequence
from typing import Final

Point = tuple[float, float, float]
Shape = tuple[list[Point], list[tuple[int, ...]]]

_AROUND: Final = 40


def box() -> Shape:
    """A cube."""
    points = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
    return points, [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def plane() -> Shape:
    """A square, facing up."""
    return [(-0.5, -0.5, 0), (0.5, -0.5, 0), (0.5, 0.5, 0), (-0.5, 0.5, 0)], [(0, 1, 2, 3)]


def turned(profile: Sequence[tuple[float, float]], around: int = _AROUND, *, closed: bool = False) -> Shape:
    """A profile of (radius, height) turned about the vertical axis; ``closed``: its end meets its beginning."""
    points = [
        (radius * math.cos(2 * math.pi * at / around), radius * math.sin(2 * math.pi * at / around), height)
        for radius, height in profile
        for at in range(around)
    ]
    rows = len(profile)
    faces: list[tuple[int, ...]] = []
    for row in range(rows if closed else rows - 1):
        below, above = row * around, (row + 1) % rows * around
        faces += [
            (below + at, below + (at + 1) % around, above + (at + 1) % around, above + at) for at in range(around)
        ]
    if not closed:
        faces += [tuple(reversed(range(around))), tuple(range((rows - 1) * around, rows * around))]
    return points, faces


def ball() -> Shape:
    """A sphere."""
    angles = [math.pi * (step / 24 - 0.5) for step in range(25)]
    return turned([(max(0.5 * math.cos(angle), 1e-4), 0.5 * math.sin(angle)) for angle in angles])


def cylinder() -> Shape:
    """Upright."""
    return turned([(0.5, -0.5), (0.5, 0.5)])


def cone() -> Shape:
    """Upright, its point on top."""
    return turned([(0.5, -0.5), (0.01, 0.5)], 14)


def ring() -> Shape:
    """A torus, flat on the ground."""
    angles = [2 * math.pi * step / 16 for step in range(16)]
    return turned([(0.42 + 0.08 * math.cos(angle), 0.08 * math.sin(angle)) for angle in angles], closed=True)


def bottle() -> Shape:
    """A carafe, closed at its neck."""
    profile = [
        (0.01, -0.5),
        (0.24, -0.5),
        (0.3, -0.4),
        (0.3, -0.1),
        (0.22, 0.1),
        (0.1, 0.24),
        (0.09, 0.45),
        (0.12, 0.5),
    ]
    return turned(profile)


def cup() -> Shape:
    """A glass with a wall and a foot."""
    foot = [(0.01, -0.5), (0.25, -0.5), (0.26, -0.495), (0.25, -0.48), (0.06, -0.44), (0.05, -0.4), (0.05, -0.18)]
    bowl = [(0.07, -0.14), (0.27, 0.08), (0.28, 0.12), (0.262, 0.47), (0.26, 0.5)]
    inside = [(0.24, 0.5), (0.239, 0.47), (0.255, 0.13), (0.24, 0.1), (0.04, -0.1), (0.01, -0.11)]
    return turned(foot + bowl + inside)


def land(side: float, cells: int, height: float, waves: Sequence[Point]) -> Shape:
    """A square of hills: a sum of waves, each of a frequency and two phases."""

    def level(x: float, y: float) -> float:
        return height * sum(math.sin(often * x + one) * math.cos(often * y + two) for often, one, two in waves) / 2

    steps = [side * (step / cells - 0.5) for step in range(cells + 1)]
    row = cells + 1
    faces = [
        (y * row + x, y * row + x + 1, (y + 1) * row + x + 1, (y + 1) * row + x)
        for y in range(cells)
        for x in range(cells)
    ]
    return [(x, y, level(x, y)) for y in steps for x in steps], [tuple(face) for face in faces]


UNIT: Final[dict[str, Callable[[], Shape]]] = {
    "box": box,
    "plane": plane,
    "ball": ball,
    "cylinder": cylinder,
    "cone": cone,
    "ring": ring,
    "bottle": bottle,
    "cup": cup,
}
SMOOTH: Final = {"ball", "ring", "bottle", "cup"}
