# SPDX-License-Identifier: Apache-2.0
"""Bottles and glasses before a striped wall: light is bent many times before it is seen."""

from benchmarks.proof.scenes.kit import Kit


def make(kit: Kit) -> None:
    """Build it."""
    kit.world((0.3, 0.32, 0.38), (0.5, 0.52, 0.6), 0.7)
    kit.put("plane", (0, 0, 0), (16, 12, 1), kit.material(kit.tint(0.25, 0.5), 0.25))
    stripes = [kit.material(kit.tint(0.7, 0.6), 0.7), kit.material((0.75, 0.73, 0.68), 0.7)]
    for at in range(24):
        kit.put("box", (-6 + 0.5 * at, 3, 2), (0.5, 0.1, 4), stripes[at % 2])
    kit.lamp((-3, -2, 4.5), kit.between(350, 600), (1.0, 0.92, 0.8), 1.2)
    kit.lamp((4, 1, 3), kit.between(150, 300), (0.7, 0.85, 1.0), 2.0)
    x = -2.6
    while x < 2.6:
        shape = kit.rng.choice(("bottle", "cup", "ball"))
        size = {"bottle": kit.between(1.3, 2.0), "cup": kit.between(1.0, 1.4), "ball": kit.between(0.6, 1.0)}[shape]
        tint = kit.tint(kit.between(0.02, 0.5), 1.0)
        clear = kit.material(tint, 0.0, transmission_weight=1.0, ior=kit.between(1.3, 1.6))
        thing = kit.put(shape, (x + 0.35, kit.between(-1.0, 1.0), size / 2 + 0.001), size, clear)
        if shape == "ball":
            kit.move(thing, (0.12, 0, 0))
        x += kit.between(0.7, 1.0)
    for _ in range(6):
        place = (kit.between(-2.5, 2.5), kit.between(-1.8, -1.1), 0.1)
        kit.put("ball", place, 0.2, kit.material(kit.tint(0.8, 0.6), 0.15, metallic=kit.rng.choice((0.0, 1.0))))
    side = kit.between(-0.8, 0.8)
    kit.camera((side, -6, 1.6), (side + 0.15, -5.95, 1.62), (0, 0.4, 0.75), 42)
