# SPDX-License-Identifier: Apache-2.0
"""A vote judged again: what its verifier measured, by which rule a difference speaks against it, what tiles come to.

Nobody is blamed across machines between which it was not measured what is normal; and who compared bit for bit is
contradicted by a machine that can do so too, no other. Members of a panel judge by this, and an audit repeats it from
what they published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from inferix.models.result import Measurement, Result, TileResult
from inferix.models.roles import Outcome
from inferix.proofs.assembly import PictureMeasure, judge_picture
from inferix.proofs.calibration import Rule, load_calibration
from inferix.proofs.rendering.compare import TileMeasure
from inferix.proofs.rendering.sequence import TileTest, confirms, judge
from inferix.proofs.rendering.tiles import Tile

NAMED_TILES: Final = 8
"""Of the tiles that a rejection says differ in a frame, as many are rendered again."""


@dataclass(frozen=True, slots=True)
class Made:
    """By what something was computed, as results and measurements name it; ``kernel`` empty where nobody knows."""

    build: str
    device_class: str
    kernel: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a verifier says that it measured, None where it is not to be had; ``tiles``: by frame, what to render again.

    Of a rejection these are the frames in which it says that a tile differs: only they blame the worker.
    """

    outcome: Outcome
    measurement: Measurement | None
    tiles: Mapping[int, tuple[Tile, ...]] = field(default_factory=dict)

    def frames(self, ordered: list[int]) -> list[int]:
        """Which of the frames are looked at: all, but for a rejection that says where."""
        named = [frame for frame in ordered if frame in self.tiles] if self.outcome is Outcome.REJECTED else []
        return named or ordered


def seen_by(outcome: Outcome, name: tuple[bytes, int, int], measurement: Measurement | None) -> Seen:
    """What of a measurement counts: nothing of another attempt's or verifier's. ``name``: task, attempt, verifier."""
    if measurement is None or not _is_of(measurement, name):
        return Seen(outcome, None)
    differ = {tile.frame for tile in measurement.tiles if not tile.equal}
    listed = measurement.tiles if measurement.method == "tiles" else []
    wanted = [tile for tile in listed if outcome is Outcome.ACCEPTED or tile.frame in differ]
    return Seen(outcome, measurement, _by_frame(wanted))


def differing(name: tuple[bytes, int, int], measurement: Measurement) -> Mapping[int, tuple[Tile, ...]]:
    """By frame, at most `NAMED_TILES` of those that a rejection says differ, the worst first; none of another's."""
    if not _is_of(measurement, name) or measurement.method != "tiles":
        return {}
    differ = sorted((tile for tile in measurement.tiles if not tile.equal), key=lambda tile: -tile.share_ppm)
    return {frame: tiles[:NAMED_TILES] for frame, tiles in _by_frame(differ).items()}


def _is_of(measurement: Measurement, name: tuple[bytes, int, int]) -> bool:
    return (measurement.task, measurement.attempt, measurement.node) == name


def _by_frame(results: Sequence[TileResult]) -> dict[int, tuple[Tile, ...]]:
    tiles: dict[int, tuple[Tile, ...]] = {}
    for tile in results:
        place, known = Tile(tile.x, tile.y, tile.width, tile.height), tiles.get(tile.frame, ())
        tiles[tile.frame] = known if place in known else (*known, place)
    return tiles


def rule_against(seen: Seen, result: Result, own: Made) -> Rule:
    """By which thresholds what renders here contradicts a vote; ``calibrated`` is False where it must not."""
    calibration = load_calibration()
    is_exact = own.kernel != "" and result.kernel == own.kernel
    is_refutable = True
    if seen.measurement is not None:
        theirs = calibration.rule(
            result.device_class,
            seen.measurement.device_class,
            same_build=result.build == seen.measurement.build,
            same_kernel=seen.measurement.kernel != "" and result.kernel == seen.measurement.kernel,
        )
        between = calibration.rule(
            seen.measurement.device_class, own.device_class, same_build=seen.measurement.build == own.build
        )
        is_refutable = theirs.calibrated and between.calibrated
        needs_exact, is_exact = theirs.exact, is_exact and theirs.exact
    else:
        # How it compared nobody knows: an acceptance may have been within the tolerance, a rejection by the last bit.
        needs_exact, is_exact = True, is_exact and seen.outcome is Outcome.REJECTED
    rule = calibration.rule(
        result.device_class, own.device_class, same_build=result.build == own.build, same_kernel=is_exact
    )
    is_refutable &= rule.exact or not needs_exact or seen.outcome is Outcome.ACCEPTED
    rule = rule.against(accepted=seen.outcome is Outcome.ACCEPTED)
    return replace(rule, calibrated=rule.calibrated and is_refutable)


def is_contradicted(said: Outcome, found: Outcome) -> bool:
    """Whether what was found says otherwise; what could not be told blames nobody."""
    return {said, found} == {Outcome.ACCEPTED, Outcome.REJECTED}


def outcome_of(published: Measurement, rule: Rule, frames: Sequence[int]) -> Outcome:
    """What a member's published tiles come to by a rule, where these frames were to be looked at; VOID, which acquits,
    where they do not tell. Of a measurement with tiles."""
    blames = Outcome.REJECTED if rule.calibrated else Outcome.VOID
    agrees = Outcome.ACCEPTED if rule.calibrated else Outcome.VOID
    if published.method == "redo":
        redone = published.tiles[0]
        if judge_picture(PictureMeasure(redone.share_ppm, 0, redone.equal)).accepted:
            return agrees
        return blames if rule.exact else Outcome.VOID  # finished pictures of two kernels were never counted
    named = {(tile.frame, tile.x, tile.y): tile for tile in published.named}  # each place once: one never rejects
    if confirms([_measure(tile) for tile in named.values()], rule):
        return blames
    failed = 0
    for frame in frames:
        measures = [_measure(tile) for tile in published.tiles if tile.frame == frame]
        if not measures:
            return Outcome.VOID
        if not judge(measures, rule).accepted:
            return blames
        failed += sum(TileTest(rule).fails(found) for found in measures)
    return Outcome.VOID if failed else agrees


def _measure(tile: TileResult) -> TileMeasure:
    return TileMeasure(tile.share_ppm, tile.informative, tile.equal, 0.0)
