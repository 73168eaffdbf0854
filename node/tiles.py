# SPDX-License-Identifier: Apache-2.0
"""Checks one delivered raw frame: reads where it has to, renders tile after tile, stops when it is sure.

What it costs is the point: of a frame that takes minutes, a verifier renders some four squares of eight pixels and
unpacks some six strips of sixteen lines. See docs/proof-of-rendering.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from inferix.models.result import FrameResult, TileResult
from inferix.proofs.rendering import (
    DRAWN,
    TILE_SIZE,
    Rule,
    Tile,
    TileMeasure,
    TileTest,
    Verdict,
    another_seed,
    confirms,
    guide_rows,
    judge,
    measure,
    noise_cells,
    reads_whole,
    tile_plan,
)
from node.engines import BadResult, FloatArray, RenderSettings
from node.engines.blocks import RawBlocks

TILES: Final = 10
MORE_TILES: Final = DRAWN  # where ten cannot tell: the plan goes on, its first ten are the same
MAX_TILES_A_TASK: Final = 2_000  # so that the measurement fits one document


Watch = Callable[[FloatArray, FloatArray, FloatArray | None], None]


class TileRenderer(Protocol):
    """The one call of `node.engines.Session` that a check needs."""

    def tiles(self, frame: int, seed: int, settings: RenderSettings, tiles: Sequence[Tile]) -> list[FloatArray]:
        """The raw passes of these rectangles only."""
        ...


@dataclass(frozen=True, slots=True)
class Draw:
    """What a verifier's places are drawn from. ``seed``: sealed after the receipt; ``verifier``: its node id."""

    seed: bytes
    task: bytes
    attempt: int
    verifier: int
    frame: int

    @property
    def key(self) -> tuple[bytes, bytes, int, int, int]:
        """The first arguments of every draw in `inferix.proofs.rendering`."""
        return self.seed, self.task, self.attempt, self.verifier, self.frame


@dataclass(frozen=True, slots=True)
class Committed:
    """A delivered frame, and its file as it was fetched, of the SHA-256 that was committed to."""

    frame: FrameResult
    path: Path


def check_frame(
    session: TileRenderer,
    settings: RenderSettings,
    seed: int,
    committed: Committed,
    draw: Draw,
    rule: Rule,
    most: int = MORE_TILES,
    again: Sequence[Tile] = (),
    watch: Watch | None = None,
) -> tuple[list[TileResult], Verdict]:
    """The tiles that were rendered, in order, and what they come to. ``seed``: of the frame; ``most``: tiles.

    ``watch`` gets each tile as delivered, as rendered here, and with another seed where that was done.

    ``again``: these and no others, where they are those that are drawn, and enough to tell.

    :raises BadResult: it is no raw frame, or its pixels are not those that were committed to. EngineStopped.
    """
    rule = rule.of_frame(settings.width, settings.height)
    with RawBlocks(committed.path, (settings.width, settings.height)) as blocks:
        if reads_whole(*draw.key) and blocks.pixels_sha256() != committed.frame.pixels:
            raise BadResult("its pixels are not those that were committed to")
        plan = plan_tiles(blocks, settings, draw, most)
        if again and plan[: len(again)] == tuple(again):
            redone = _redone(session, draw.frame, seed, settings, again, rule)
            results, verdict = _all(draw.frame, again, [blocks.crop(tile) for tile in again], redone, rule)
            if verdict.conclusive or len(again) == len(plan):
                return results, verdict
        test, results = TileTest(rule), []
        while not test.decided and len(results) < len(plan):
            tiles = plan[len(results) :][: test.wanted]
            redone = _redone(session, draw.frame, seed, settings, tiles, rule)
            compared = [(blocks.crop(tile), *own) for tile, own in zip(tiles, redone, strict=True)]
            measures = [measure(theirs, own, rule.tolerance, another) for theirs, own, another in compared]
            if watch is not None:
                for each in compared:
                    watch(*each)
            results += [_result(draw.frame, tile, found) for tile, found in zip(tiles, measures, strict=True)]
            for found in measures:
                if not test.decided:
                    test.add(found)
    return results, test.verdict()


def confirm(
    session: TileRenderer,
    settings: RenderSettings,
    seed: int,
    committed: Committed,
    named: Sequence[tuple[Draw, Sequence[Tile]]],
    rule: Rule,
) -> list[TileResult]:
    """The tiles of another's rejection that differ here too; empty where none is confirmed. ``named``: of each
    rejection its verifier's draw, and the tiles of this frame that it says differ: those beside the draw are left out.

    All pixels are read: what one in sixteen looks at may be why the other rejects.

    :raises BadResult: as `check_frame`.
    """
    rule = rule.of_frame(settings.width, settings.height)
    with RawBlocks(committed.path, (settings.width, settings.height)) as blocks:
        if blocks.pixels_sha256() != committed.frame.pixels:
            raise BadResult("its pixels are not those that were committed to")
        for draw, tiles in named:
            plan = plan_tiles(blocks, settings, draw, MORE_TILES)
            looked_at = [tile for tile in tiles if tile in plan]
            redone = _redone(session, draw.frame, seed, settings, looked_at, rule) if looked_at else []
            delivered = [blocks.crop(tile) for tile in looked_at]
            pairs = zip(delivered, redone, strict=True)
            measures = [measure(theirs, own, rule.tolerance, another) for theirs, (own, another) in pairs]
            first = plan[: rule.slight.tiles] if rule.slight else ()
            counted = [found for tile, found in zip(looked_at, measures, strict=True) if tile in first]
            if confirms(measures, rule, counted):
                return [_result(draw.frame, tile, found) for tile, found in zip(looked_at, measures, strict=True)]
    return []


def _redone(
    session: TileRenderer, frame: int, seed: int, settings: RenderSettings, tiles: Sequence[Tile], rule: Rule
) -> list[tuple[FloatArray, FloatArray | None]]:
    """Each tile as it has to be and, where a tolerance is measured in noise, with another seed."""
    own = session.tiles(frame, seed, settings, tiles)
    if rule.exact:
        return [(pixels, None) for pixels in own]
    return list(zip(own, session.tiles(frame, another_seed(seed), settings, tiles), strict=True))


def plan_tiles(blocks: RawBlocks, settings: RenderSettings, draw: Draw, count: int) -> tuple[Tile, ...]:
    """The tiles in order, every second one where strips of the delivered frame have noise."""
    tops = guide_rows(*draw.key, settings.height)
    strips = {top: blocks.lines(top, min(TILE_SIZE, settings.height - top)) for top in tops}
    noise = noise_cells(strips, settings.width, settings.height)
    return tile_plan(*draw.key, settings.width, settings.height, count, noise=noise)


def _all(
    frame: int,
    tiles: Sequence[Tile],
    delivered: Sequence[FloatArray],
    redone: Sequence[tuple[FloatArray, FloatArray | None]],
    rule: Rule,
) -> tuple[list[TileResult], Verdict]:
    """Every tile of a list. ``failed`` names those after the decision too."""
    pairs = zip(delivered, redone, strict=True)
    measures = [measure(theirs, own, rule.tolerance, another) for theirs, (own, another) in pairs]
    results = [_result(frame, tile, found) for tile, found in zip(tiles, measures, strict=True)]
    verdict = judge(measures, rule)
    failed = {index for index, found in enumerate(measures) if TileTest(rule).fails(found)}
    return results, replace(verdict, failed=tuple(sorted(failed.union(verdict.failed))))


def _result(frame: int, tile: Tile, found: TileMeasure) -> TileResult:
    return TileResult(
        frame=frame,
        x=tile.x,
        y=tile.y,
        width=tile.width,
        height=tile.height,
        share_ppm=found.share_ppm,
        informative=found.informative,
        equal=found.equal,
    )
