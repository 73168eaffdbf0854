# SPDX-License-Identifier: Apache-2.0
"""Columns in mist, with shafts of light between them."""

from benchmarks.proof.scenes.kit import Kit


def make(kit: Kit) -> None:
    """Build it."""
    kit.world((0.01, 0.012, 0.02), (0.02, 0.025, 0.05))
    kit.fog((14, 18, 6), kit.between(0.05, 0.09), (0.85, 0.9, 1.0))
    stone = kit.material(kit.tint(0.15, 0.5), 0.8)
    kit.put("plane", (0, 0, 0), (14, 18, 1), kit.material((0.25, 0.23, 0.22), 0.35))
    for row in range(5):
        for x in (-2.2, 2.2):
            y = -3 + 2.4 * row
            kit.put("cylinder", (x, y, 2), (0.7, 0.7, 4), stone)
            kit.put("box", (x, y, 0.12), (1.0, 1.0, 0.24), stone)
    for _ in range(3):
        spot = kit.lamp(
            (kit.between(-6, 6), kit.between(-1, 6), 5.5), kit.between(2500, 5000), kit.tint(0.4, 1.0), 0.1, "SPOT"
        )
        spot.data.spot_size, spot.data.spot_blend = 0.55, 0.2
        kit.aim(spot, (kit.between(-1, 1), kit.between(0, 5), 0))
    kit.lamp((0, 8, 3), 150, (1.0, 0.6, 0.3), 3)
    figure = kit.put(
        "ball", (kit.between(-1, 1), kit.between(0, 2), 0.9), 0.9, kit.material((1.0, 0.75, 0.3), 0.15, metallic=1)
    )
    kit.move(figure, (0.1, 0, 0.05))
    kit.camera((kit.between(-0.8, 0.8), -6.5, 1.6), (0, -6.3, 1.65), (0, 3, 1.5), 30)
