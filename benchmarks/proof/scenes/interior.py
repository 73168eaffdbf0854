# SPDX-License-Identifier: Apache-2.0
"""A room with a window: sofa, table, shelf of books, pictures on the wall, daylight from one side."""

from benchmarks.proof.scenes.kit import Kit


def make(kit: Kit) -> None:
    """Build it."""
    wall = kit.material(kit.tint(0.15, 0.75), 0.9)
    floor = kit.material(kit.tint(0.5, 0.25), kit.between(0.25, 0.5))
    kit.put("plane", (0, 0, 0), (7, 7, 1), floor)
    kit.put("plane", (0, 0, 3), (7, 7, 1), kit.material((0.8, 0.8, 0.8), 0.9), (180, 0, 0))
    kit.put("plane", (0, 3, 1.5), (7, 3, 1), wall, (90, 0, 0))
    kit.put("plane", (3.2, 0, 1.5), (7, 3, 1), wall, (90, 0, -90))
    for low, high in ((0, 0.8), (2.4, 3)):  # below and above the window
        kit.put("box", (-3.2, 0, (low + high) / 2), (0.2, 7, high - low), wall)
    for y in (-2.6, 0.0, 2.6):
        kit.put("box", (-3.2, y, 1.5), (0.23, 0.5 if y == 0 else 1.6, 3), wall)
    kit.world((0.7, 0.85, 1.0), (0.3, 0.5, 0.9), 2.0)
    kit.lamp((-6, kit.between(-3, 2), kit.between(3, 5)), 5, (1.0, 0.85, 0.65), 2, "SUN")
    kit.lamp((-3.0, 0, 1.6), kit.between(60, 120), (0.8, 0.9, 1.0), 1.5)
    _furniture(kit)
    _shelf(kit)
    side = kit.between(-0.6, 0.8)
    kit.camera((side, -3.2, 1.5), (side + 0.12, -3.1, 1.52), (kit.between(-0.3, 0.6), 3, 1.1), 26)


def _furniture(kit: Kit) -> None:
    cloth, wood = kit.material(kit.tint(0.6, 0.4), 0.95), kit.material((0.3, 0.17, 0.08), 0.35)
    x = kit.between(-0.8, 0.4)
    kit.put("box", (x, 2.3, 0.3), (2.2, 0.9, 0.4), cloth)
    kit.put("box", (x, 2.7, 0.7), (2.2, 0.25, 0.8), cloth)
    for end in (-1.15, 1.15):
        kit.put("box", (x + end, 2.3, 0.45), (0.25, 0.9, 0.65), cloth)
    for at in range(3):
        cushion = kit.material(kit.tint(0.7, 0.6), 0.9)
        kit.put("box", (x - 0.7 + 0.7 * at, 2.5, 0.68), (0.45, 0.16, 0.4), cushion, (-18, 0, kit.between(-12, 12)))
    table = (kit.between(-0.5, 0.7), 0.9)
    kit.put("cylinder", (*table, 0.42), (1.3, 1.3, 0.06), wood)
    kit.put("cylinder", (*table, 0.2), (0.12, 0.12, 0.4), wood)
    kit.put("bottle", (table[0] + 0.2, 1.0, 0.66), 0.42, kit.material(kit.tint(0.3, 0.9), 0.05))
    fruit = kit.put("ball", (table[0] - 0.25, 0.8, 0.55), 0.2, kit.material((0.7, 0.12, 0.05), 0.3))
    kit.move(fruit, (0.06, 0, 0), (0, 40, 0))
    kit.put("box", (0, 1.2, 0.005), (3.2, 2.2, 0.01), kit.material(kit.tint(0.5, 0.3), 1.0))


def _shelf(kit: Kit) -> None:
    wood = kit.material((0.4, 0.25, 0.12), 0.4)
    for level in range(3):
        height = 0.8 + 0.55 * level
        kit.put("box", (2.95, 1.6, height), (0.35, 1.8, 0.04), wood)
        y = 0.8
        while y < 2.3:
            thick, tall = kit.between(0.04, 0.09), kit.between(0.25, 0.42)
            kit.put("box", (2.95, y, height + 0.02 + tall / 2), (0.22, thick, tall), kit.material(kit.tint(0.7, 0.5)))
            y += thick + 0.005
    for at in range(2):
        x = -1.6 + 1.3 * at + kit.between(-0.1, 0.1)
        kit.put("box", (x, 2.97, 1.9), (0.8, 0.04, 0.6), kit.material((0.05, 0.05, 0.05), 0.3))
        kit.put("box", (x, 2.94, 1.9), (0.7, 0.03, 0.5), kit.material(kit.tint(0.8, 0.5), 0.6))
