# SPDX-License-Identifier: Apache-2.0
"""A street at night after rain: lit windows, lanterns, signs, and their reflections. Mostly dark, and full of lamps."""

from benchmarks.proof.scenes.kit import Kit

_WINDOWS = ((1.0, 0.7, 0.35), (0.6, 0.8, 1.0), (1.0, 0.45, 0.2))


def make(kit: Kit) -> None:
    """Build it."""
    kit.world((0.012, 0.014, 0.03), (0.002, 0.003, 0.01))
    kit.put("plane", (0, 0, 0), (60, 80, 1), kit.material((0.03, 0.03, 0.035), kit.between(0.08, 0.22)))
    for side in (-1, 1):
        for row in range(5):
            _house(kit, side, -2 + 5 * row)
            _lantern(kit, side * 2.6, -3 + 4.5 * row)
    car = kit.material(kit.tint(0.8, 0.3), 0.2, metallic=0.6)
    x, y = kit.between(-1.2, 1.2), kit.between(1, 6)
    body = kit.put("box", (x, y, 0.45), (1.5, 3.2, 0.5), car)
    kit.move(body, (0, 0.3, 0))
    kit.put("box", (x, y + 0.2, 0.85), (1.3, 1.7, 0.4), car)
    for edge in (-0.55, 0.55):
        kit.put("ball", (x + edge, y - 1.62, 0.5), 0.16, kit.glow((1.0, 0.05, 0.02), 12))
    for _ in range(40):
        height = kit.between(5, 20)
        kit.put("ball", (kit.between(-25, 25), 45, height + 4), 0.09, kit.glow((0.8, 0.85, 1.0), 6))
    start = kit.between(-1.5, 1.5)
    kit.camera((start, -7, 1.5), (start, -6.6, 1.5), (0, 8, 1.8), 30)


def _house(kit: Kit, side: int, y: float) -> None:
    tall, wide = kit.between(4, 9), 4.2
    kit.put("box", (side * 6, y, tall / 2), (4, wide, tall), kit.material(kit.tint(0.3, 0.12), 0.9))
    for floor in range(int(tall // 1.4)):
        for at in range(3):
            if kit.rng.random() < 0.5:
                pane = kit.glow(kit.rng.choice(_WINDOWS), kit.between(1, 4))
                kit.put("box", (side * 3.99, y - 1.3 + 1.3 * at, 0.9 + 1.4 * floor), (0.03, 0.6, 0.8), pane)
    if kit.rng.random() < 0.5:
        kit.put("box", (side * 3.8, y, 2.6), (0.3, 1.4, 0.4), kit.glow(kit.tint(0.9, 1.0), 6))


def _lantern(kit: Kit, x: float, y: float) -> None:
    kit.put("cylinder", (x, y, 1.4), (0.07, 0.07, 2.8), kit.material((0.1, 0.1, 0.1), 0.4, metallic=1))
    kit.put("ball", (x, y, 2.9), 0.26, kit.glow((1.0, 0.75, 0.45), 35))
