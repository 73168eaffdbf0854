# SPDX-License-Identifier: Apache-2.0
"""Product shots on a seamless backdrop: large smooth areas, soft shadows, few bounces. The cheat's favourite."""

from benchmarks.proof.scenes.kit import Kit


def make(kit: Kit) -> None:
    """Build it."""
    kit.world((0.35, 0.35, 0.37), (0.35, 0.35, 0.37), 0.5)
    paper = kit.material(kit.tint(0.35, 0.7), 0.95)
    kit.put("plane", (0, 0, 0), (20, 12, 1), paper)
    kit.put("plane", (0, 4, 3), (20, 8, 1), paper, (80, 0, 0))
    kit.lamp((-3, -3, 4), kit.between(250, 450), (1.0, 0.97, 0.92), 2.5)
    kit.lamp((3.5, -1, 2.5), kit.between(60, 160), (0.85, 0.92, 1.0), 2.0)
    for at in range(kit.rng.randrange(3, 6)):
        shape, size = kit.rng.choice(("ball", "box", "cylinder", "ring", "bottle")), kit.between(0.6, 1.4)
        low = {"ring": 0.09 * size}.get(shape, size / 2)
        finish = kit.material(kit.tint(0.7, 0.6), kit.between(0.05, 0.8), metallic=kit.rng.choice((0.0, 0.0, 1.0)))
        place = (-2.2 + 1.2 * at + kit.between(-0.2, 0.2), kit.between(-0.6, 0.9), low + 0.002)
        thing = kit.put(shape, place, size, finish, (0, 0, kit.between(0, 90)))
        kit.move(thing, (0, 0, 0), (0, 0, 12))
    side = kit.between(-1.5, 1.5)
    kit.camera((side, -7, 2.0), (side + 0.15, -6.95, 2.02), (0, 0.5, 0.6), 45)
