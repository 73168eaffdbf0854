# SPDX-License-Identifier: Apache-2.0
"""A flight through rings and pillars, with motion blur: every frame shows something else than the one before."""

import math

from benchmarks.proof.scenes.kit import Kit


def make(kit: Kit) -> None:
    """Build it."""
    kit.scene.render.use_motion_blur = True
    kit.scene.render.motion_blur_shutter = 0.4
    kit.world(kit.tint(0.4, 0.7), kit.tint(0.6, 0.25), 0.9)
    kit.lamp((4, -5, 8), 3.0, (1.0, 0.9, 0.8), 1, "SUN")
    metal = [kit.material(kit.tint(0.5, 0.8), kit.between(0.05, 0.4), metallic=1) for _ in range(4)]
    for at in range(14):
        bend = 1.2 * math.sin(at * 0.5)
        size, lean = kit.between(4.2, 5.5), kit.between(-20, 20)
        ring = kit.put("ring", (bend, 2.5 * at, 0.2 * at), size, metal[at % 4], (90, 0, lean))
        kit.move(ring, (0, 0, 0), (0, 25, 0))
    for _ in range(60):
        angle, away = kit.between(0, 2 * math.pi), kit.between(3.5, 9)
        place = (away * math.cos(angle), kit.between(0, 36), away * math.sin(angle))
        box = (kit.between(0.2, 0.9), kit.between(0.2, 0.9), kit.between(0.5, 3.5))
        turn = (kit.between(0, 90), kit.between(0, 90), kit.between(0, 90))
        kit.put("box", place, box, kit.material(kit.tint(0.7, 0.6), 0.4), turn)
    core = kit.put("ball", (1, 10, 1.6), 0.9, kit.glow(kit.tint(0.7, 1.0), 10))
    kit.move(core, (0, 0.5, 0))
    roll, start = kit.between(-0.8, 0.8), kit.between(-4, -2)
    kit.camera((roll, start, 0), (roll * 0.7, start + 1.6, 0.15), (0, 10, 1.0), 26, (0.3, 1.0, 0.1))
