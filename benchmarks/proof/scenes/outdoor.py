# SPDX-License-Identifier: Apache-2.0
"""Hills with trees, stones and a hut under a clear sky; much of the picture has no noise at all."""

import math

from benchmarks.proof.scenes.kit import Kit


def make(kit: Kit) -> None:
    """Build it."""
    kit.world((0.75, 0.82, 0.9), (0.12, 0.3, 0.75), 1.0)
    height = kit.between(4, 12)
    kit.lamp((kit.between(-10, 10), kit.between(-12, -2), height), 4.5, (1.0, 0.85, 0.6), 0.5, "SUN")
    kit.ground(60, 50, 0.55, kit.material((0.12, 0.22, 0.05), 1.0))
    trunk = kit.material((0.13, 0.07, 0.03), 0.9)
    greens = [kit.material((kit.between(0.02, 0.12), kit.between(0.12, 0.25), 0.03), 0.9) for _ in range(4)]
    for _ in range(70):
        distance, angle = 3.5 + 20 * kit.rng.random() ** 0.8, kit.between(0.35, 2.8)
        x, y, tall = distance * math.cos(angle), distance * math.sin(angle) - 2, kit.between(1.2, 2.8)
        kit.put("cylinder", (x, y, 0.2), (0.16, 0.16, 1.0), trunk)
        for level in range(3):
            width = tall * (0.75 - 0.17 * level)
            kit.put(
                "cone", (x, y, 0.7 + tall * (0.2 + 0.27 * level)), (width, width, tall * 0.45), kit.rng.choice(greens)
            )
    stone = kit.material((0.35, 0.34, 0.33), 0.9)
    for _ in range(25):
        size = kit.between(0.1, 0.5)
        kit.put("ball", (kit.between(-5, 5), kit.between(-3, 3), 0.05), (size, size * 1.3, size * 0.8), stone)
    _hut(kit)
    side = kit.between(-3, 3)
    kit.camera((side, -8, 2.2), (side + 0.25, -7.8, 2.25), (kit.between(-1, 1), 4, 1.0), 30)


def _hut(kit: Kit) -> None:
    x, y = kit.between(-3, 3), kit.between(1, 4)
    kit.put("box", (x, y, 0.8), (2.0, 1.6, 1.9), kit.material(kit.tint(0.4, 0.6), 0.9))
    roof = kit.material((0.35, 0.07, 0.04), 0.8)
    for lean in (-1, 1):
        kit.put("box", (x + lean * 0.58, y, 2.1), (1.6, 2.0, 0.08), roof, (0, lean * 40, 0))
    kit.put("box", (x, y - 0.81, 0.6), (0.5, 0.04, 1.1), kit.material((0.2, 0.1, 0.04), 0.6))
    flag = kit.put("box", (x + 1.5, y - 0.5, 2.2), (0.7, 0.02, 0.4), kit.material(kit.tint(0.9, 0.7), 0.8))
    kit.move(flag, (0, 0, 0), (0, 0, 25))
    kit.put("cylinder", (x + 1.15, y - 0.5, 1.2), (0.05, 0.05, 2.5), kit.material((0.6, 0.6, 0.6), 0.3, metallic=1))
