# SPDX-License-Identifier: Apache-2.0
"""A wall of letters and figures: sharp edges everywhere, large and small."""

from benchmarks.proof.scenes.kit import Kit

_TEXT = "the quick brown fox jumps over lazy dogs while bright vixens pack my box with five dozen jugs of ink"
_WORDS = _TEXT.split()


def make(kit: Kit) -> None:
    """Build it."""
    kit.world((0.8, 0.8, 0.82), (0.6, 0.65, 0.75), 0.5)
    paper = kit.material(kit.tint(0.08, 0.8), 0.8)
    kit.put("plane", (0, 0.02, 0), (30, 20, 1), paper, (90, 0, 0))
    inks = [kit.material(kit.tint(0.8, 0.25), 0.4) for _ in range(3)]
    kit.lamp((-3, -4, 4), kit.between(300, 600), (1.0, 0.95, 0.85), 1.2)
    title = kit.rng.choice(_WORDS).title() + f" {kit.rng.randrange(1000)}"
    heading = kit.text(title, (-3.0, 0, 1.05), 0.75, kit.material(kit.tint(0.9, 0.6), 0.2, metallic=1), (90, 0, 0))
    kit.move(heading, (0.12, -0.1, 0))
    for row in range(10):
        size = 0.36 - 0.018 * row
        kit.text(_line(kit, int(5.8 / size * 2)), (-3.0, 0, 0.7 - 0.27 * row), size, inks[row % 3])
    for _ in range(4):
        place = (kit.between(-3, 3), kit.between(-1.2, -0.4), kit.between(-1.5, 1.5))
        kit.put(kit.rng.choice(("ball", "ring", "box")), place, 0.4, kit.material(kit.tint(0.8, 0.6), 0.3), (60, 20, 0))
    side = kit.between(-1.5, 1.5)
    kit.camera((side, -7, 0.2), (side + 0.12, -6.9, 0.2), (0, 0, -0.2), 38)


def _line(kit: Kit, length: int) -> str:
    words = ""
    while len(words) < length:
        words += kit.rng.choice((*_WORDS, str(kit.rng.randrange(10_000)))) + " "
    return words[:length]
