# SPDX-License-Identifier: Apache-2.0
"""A vote to judge: which tiles are rendered again for it, and by which rule a difference speaks against it.

They are the tiles that the vote's measurement lists, as far as they are those that its verifier's draw gives. What it
does not list, or lists beside the draw, or has not published, the draw gives all the same: withholding neither convicts
nor saves. Nobody is blamed across machines between which it was not measured what is normal; and who compared bit for
bit is contradicted by a machine that can do so too, no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from inferix.models.document import Bytes32
from inferix.models.result import Measurement, Result
from inferix.models.roles import Outcome
from inferix.models.work import PanelDuty
from inferix.proofs.rendering import Rule, Tile, load_calibration
from node.engines import Machine


class Rerun(PanelDuty):
    """``case``: the contradiction; ``outcome``: what the vote says; ``seed``: what its committee's tiles were drawn
    from; ``verifier``: whose vote it is; ``measured``: digest of what it says that it measured."""

    verifier: int
    measured: Bytes32


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
        return [frame for frame in ordered if frame in self.tiles] if self.outcome is Outcome.REJECTED else []


def seen_by(item: Rerun, measurement: Measurement | None) -> Seen:
    """What of a measurement counts: nothing of another attempt's or verifier's."""
    name = (item.task.id, item.attempt, item.verifier)
    if measurement is None or (measurement.task, measurement.attempt, measurement.node) != name:
        return Seen(item.outcome, None)
    tiles: dict[int, tuple[Tile, ...]] = {}
    differ = {tile.frame for tile in measurement.tiles if not tile.equal}
    for tile in measurement.tiles if measurement.method == "tiles" else []:
        if item.outcome is Outcome.ACCEPTED or tile.frame in differ:
            tiles[tile.frame] = (*tiles.get(tile.frame, ()), Tile(tile.x, tile.y, tile.width, tile.height))
    return Seen(item.outcome, measurement, tiles)


def rule_against(seen: Seen, result: Result, own: Machine, build: str) -> Rule:
    """By which thresholds this machine contradicts a vote; ``calibrated`` is False where it must not."""
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
            seen.measurement.device_class, own.device_class, same_build=seen.measurement.build == build
        )
        is_refutable = theirs.calibrated and between.calibrated
        needs_exact, is_exact = theirs.exact, is_exact and theirs.exact
    else:
        # How it compared nobody knows: an acceptance may have been within the tolerance, a rejection by the last bit.
        needs_exact, is_exact = True, is_exact and seen.outcome is Outcome.REJECTED
    rule = calibration.rule(
        result.device_class, own.device_class, same_build=result.build == build, same_kernel=is_exact
    )
    is_refutable &= rule.exact or not needs_exact or seen.outcome is Outcome.ACCEPTED
    return replace(rule, calibrated=rule.calibrated and is_refutable)


def is_contradicted(said: Outcome, found: Outcome) -> bool:
    """Whether what was found says otherwise; what could not be told blames nobody."""
    return {said, found} == {Outcome.ACCEPTED, Outcome.REJECTED}
