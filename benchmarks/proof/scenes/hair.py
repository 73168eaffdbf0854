# SPDX-License-Identifier: Apache-2.0
"""Three creatures of fur on a coloured ground: thousands of strands thinner than a pixel."""

import numpy as np

from benchmarks.proof.scenes.kit import Kit

_POINTS = 5


def make(kit: Kit) -> None:
    """Build it."""
    kit.world((0.5, 0.55, 0.65), (0.25, 0.3, 0.45), 0.6)
    kit.put("plane", (0, 0, 0), (40, 40, 1), kit.material(kit.tint(0.4, 0.5), 0.8))
    kit.lamp((3.5, -3, 5), kit.between(400, 700), (1.0, 0.9, 0.75), 1.5)
    kit.lamp((-4, 2, 3), kit.between(150, 350), (0.6, 0.75, 1.0), 1.0)
    for at in range(3):
        place = (-1.9 + 1.9 * at + kit.between(-0.2, 0.2), kit.between(-0.5, 0.8), kit.between(0.75, 0.95))
        _creature(kit, place, kit.between(0.5, 0.62), strands=2200)
    side = kit.between(-1.2, 1.2)
    kit.camera((side, -6, 1.6), (side + 0.15, -5.95, 1.62), (0, 0, 0.75), 45)


def _creature(kit: Kit, place: tuple[float, float, float], radius: float, strands: int) -> None:
    skin = kit.material(kit.tint(0.5, 0.3), 0.8)
    kit.put("ball", place, 2 * radius * 0.97, skin)
    chance = np.random.default_rng(kit.rng.getrandbits(32))
    roots = chance.normal(size=(strands, 3))
    roots /= np.linalg.norm(roots, axis=1, keepdims=True)
    along = np.linspace(0, 1, _POINTS)[None, :, None]
    comb = np.array([kit.between(-0.3, 0.3), -0.1, -kit.between(0.15, 0.5)])
    length = kit.between(0.22, 0.4) * chance.uniform(0.7, 1.2, size=(strands, 1, 1))
    points = roots[:, None, :] * (radius + length * along) + comb * length * along**2 * 1.5
    fur = kit.strands(points, 0.006, kit.material(kit.tint(0.6, 0.5), 0.4))
    fur.location = place
    kit.move(fur, (0, 0, 0), (0, 0, 6))
    for side in (-1, 1):
        eye = (place[0] + side * radius * 0.4, place[1] - radius * 1.2, place[2] + radius * 0.3)
        kit.put("ball", eye, radius * 0.28, kit.material((0.02, 0.02, 0.02), 0.05))
