# SPDX-License-Identifier: Apache-2.0
"""How a committee of verifiers judges a delivered frame, by the calls that a node makes (node/tiles.py).

A node renders the tiles that it wants; here they are cut from a whole frame of the same kernel, which has the same bits
(every run checks that it has), so that one render serves every verifier and every forgery.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from inferix.models.parameters import DEFAULTS
from inferix.proofs.rendering import (
    TILE_SIZE,
    FloatArray,
    Reference,
    Rule,
    Tile,
    TileMeasure,
    TileTest,
    Tolerance,
    guide_rows,
    noise_cells,
    tile_plan,
)
from node.engines.exr import crop
from node.tiles import MORE_TILES, TILES, Draw

SEATS: Final = DEFAULTS["committee"]
NEEDED: Final = DEFAULTS["votes_needed"]


@dataclass(frozen=True, slots=True)
class Vote:
    """One verifier's. ``sure``: the test came to an end; ``used``: tiles."""

    rejects: bool
    sure: bool
    used: int
    failed: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """A frame that a worker delivered, and where each verifier looks: their draws differ in the verifier only."""

    frame: FloatArray
    draws: tuple[Draw, ...]

    def plans(self) -> list[tuple[Tile, ...]]:
        """The tiles of each verifier, in order; half of them follow the noise of what was delivered."""
        height, width = self.frame.shape[:2]
        plans = []
        for draw in self.draws:
            tops = guide_rows(*draw.key, height)
            strips = {top: self.frame[top : min(top + TILE_SIZE, height)] for top in tops}
            noise = noise_cells(strips, width, height)
            plans.append(tile_plan(*draw.key, width, height, MORE_TILES, noise=noise))
        return plans


@dataclass
class Own:
    """What a verifier renders: the frame and, where that is not compared bit for bit, the same with another seed."""

    frame: FloatArray
    another: FloatArray | None = None
    _references: dict[tuple[Tile, Tolerance], Reference] = field(default_factory=dict)

    def measure(self, delivered: FloatArray, tile: Tile, tolerance: Tolerance) -> TileMeasure:
        """A tile of a delivered frame beside its own."""
        found = self._references.get((tile, tolerance))
        if found is None:
            another = crop(self.another, tile) if self.another is not None else None
            found = self._references[tile, tolerance] = Reference(crop(self.frame, tile), tolerance, another)
        return found.measure(crop(delivered, tile))


def vote(frame: FloatArray, own: Own, plan: Sequence[Tile], rule: Rule) -> Vote:
    """Measure tile after tile until it is sure, or the plan is used up."""
    test = TileTest(rule)
    for tile in plan:
        if test.decided:
            break
        test.add(own.measure(frame, tile, rule.tolerance))
    verdict = test.verdict()
    return Vote(not verdict.accepted, verdict.conclusive, verdict.used, len(verdict.failed))


def drawn(plans: Sequence[Sequence[Tile]]) -> list[Tile]:
    """The first tiles of every verifier, each once: what errors of tiles are counted on."""
    return list(dict.fromkeys(tile for plan in plans for tile in plan[:TILES]))


def measures(frame: FloatArray, own: Own, tiles: Sequence[Tile], tolerance: Tolerance) -> list[TileMeasure]:
    """Every one of these tiles."""
    return [own.measure(frame, tile, tolerance) for tile in tiles]
