# SPDX-License-Identifier: Apache-2.0
"""Whoever looks at a frame that another has rejected looks at that one's tiles too: a small forgery is seen by few."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from inferix.jobkeys import task_key
from inferix.models.result import Measurement
from inferix.models.roles import Outcome
from inferix.models.work import Named, ObjectionDuty, PanelDuty
from inferix.proofs.rendering import (
    TILE_SIZE,
    Tile,
    frame_seed,
    guide_rows,
    load_calibration,
    noise_cells,
    reads_whole,
    tile_plan,
)
from inferix.proofs.rerun import NAMED_TILES, Made, is_contradicted, outcome_of, rule_against, seen_by
from node.checks import Finding
from node.engines import FloatArray
from node.engines import RenderSettings as EngineRender
from node.rerun import Rerun
from node.tiles import MORE_TILES
from node.verifier import Verifier
from tests.node.delivery import WORKER, Delivery, honest, other_seed, voted
from tests.node.running import Node, Start

ACCEPTED, REJECTED, VOID = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.VOID
FIRST, SECOND, THIRD = 10, 9, 29  # who rejects, who looks later: the `verifier`, and another
FORGED = 32  # from this line on, a third of the frame
SETTINGS = EngineRender(64, 48, 16)
CASE = b"\x0c" * 32


def forged(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    image = honest(frame, seed, settings)
    image[FORGED:] = other_seed(frame, seed, settings)[FORGED:]
    return image


def plan(delivery: Delivery, seed: bytes, verifier: int, frame: int, pixels: Any = forged) -> tuple[Tile, ...]:
    """The tiles of a verifier's draw."""
    draw = (seed, delivery.task.id, 0, verifier, frame)
    own = frame_seed(task_key(delivery.job.key, delivery.task.id), 0, WORKER, frame)
    image = pixels(frame, own, SETTINGS)
    strips = {top: image[top : top + TILE_SIZE] for top in guide_rows(*draw, 48)}
    return tile_plan(*draw, 64, 48, MORE_TILES, noise=noise_cells(strips, 64, 48))


def is_forged(tile: Tile) -> bool:
    return tile.y + tile.height > FORGED


def seeds(delivery: Delivery) -> Iterator[bytes]:
    """Of draws whose first three tiles show `SECOND` nothing, and `FIRST` that the first frame is forged."""
    for number in range(3_000):
        seed = hashlib.sha256(number.to_bytes(4)).digest()
        calm = all(not is_forged(tile) for frame in (1, 2) for tile in plan(delivery, seed, SECOND, frame)[:3])
        if calm and is_forged(plan(delivery, seed, FIRST, 1)[0]):
            yield seed


@pytest.fixture
def seed(delivery: Delivery) -> bytes:
    return next(seeds(delivery))


@pytest.fixture
def first(start: Start) -> Node:
    return start(FIRST, "verifier")


def found(node: Node, item: Any) -> tuple[Finding, Measurement]:
    listed = ObjectionDuty(objection=CASE, deadline=item.deadline, sealed_key=b"") if isinstance(item, Rerun) else item
    node.offer(listed)
    node.loop.step()
    role = node.loop._role
    assert isinstance(role, Verifier)
    return role._find(item)


def rejection(first: Node, delivery: Delivery, seed: bytes) -> Measurement:
    """What the first one measured of the forged frame."""
    finding, measurement = found(first, delivery.frames(forged).verify(first, seed=seed))
    assert finding.outcome is REJECTED
    return measurement


def named(node: Node, measurement: Measurement, seed: bytes) -> list[Named]:
    return [Named(verifier=FIRST, measured=node.network.keep(measurement), seed=seed)]


def looked_at(node: Node) -> set[tuple[int, int]]:
    return {(tile.x, tile.y) for tile in node.engine.tiles}


def test_what_one_saw_the_other_confirms(first: Node, verifier: Node, delivery: Delivery, seed: bytes) -> None:
    theirs = rejection(first, delivery, seed)
    item = delivery.verify(verifier, seed=seed, named=named(verifier, theirs, seed))
    outcome, measurement = voted(verifier, item)
    assert outcome is REJECTED and "another's rejection" in measurement.reason
    differ = [(tile.x, tile.y) for tile in theirs.tiles if not tile.equal]
    assert [(tile.x, tile.y) for tile in measurement.named] == differ[:NAMED_TILES]
    assert measurement.tiles == [] and not any(tile.equal for tile in measurement.named)


def test_alone_it_sees_nothing(first: Node, verifier: Node, delivery: Delivery, seed: bytes) -> None:
    rejection(first, delivery, seed)
    outcome, measurement = voted(verifier, delivery.verify(verifier, seed=seed))
    assert (outcome, measurement.named) == (ACCEPTED, [])


def lie(delivery: Delivery, seed: bytes, first: Node, tiles: list[Tile]) -> Measurement:
    """Says of an honest frame that these differ."""
    _, measured = found(first, delivery.frames().verify(first, seed=seed))
    one = measured.tiles[0]
    said = [
        one.model_copy(update={"frame": 1, "x": tile.x, "y": tile.y, "equal": False, "share_ppm": 10**6})
        for tile in tiles
    ]
    return measured.model_copy(update={"tiles": said})


def test_attack_a_rejection_of_an_honest_frame_confirms_nothing(
    first: Node, verifier: Node, delivery: Delivery, seed: bytes
) -> None:
    drawn = list(plan(delivery, seed, FIRST, 1, honest)[:4])
    theirs = lie(delivery, seed, first, drawn)
    item = delivery.verify(verifier, seed=seed, named=named(verifier, theirs, seed))
    outcome, measurement = voted(verifier, item)
    assert (outcome, measurement.named) == (ACCEPTED, [])
    assert {(tile.x, tile.y) for tile in drawn} <= looked_at(verifier), "they were looked at"
    assert len([tile for tile in measurement.tiles if tile.frame == 1]) >= 3, "they do not stand for its own draw"


def test_attack_tiles_of_choice_beside_the_draw_are_not_looked_at(
    first: Node, verifier: Node, delivery: Delivery, seed: bytes
) -> None:
    """One who searched a whole frame for where two kernels differ names what it was not drawn."""
    everywhere = {Tile(x, y, 8, 8) for x in range(0, 64, 8) for y in range(0, 48, 8)}
    own = set(plan(delivery, seed, SECOND, 1, honest)) | set(plan(delivery, seed, SECOND, 2, honest))
    beside = sorted(everywhere - set(plan(delivery, seed, FIRST, 1, honest)) - own, key=lambda tile: (tile.y, tile.x))
    assert len(beside) > 2
    theirs = lie(delivery, seed, first, beside)
    outcome, _ = voted(verifier, delivery.verify(verifier, seed=seed, named=named(verifier, theirs, seed)))
    assert outcome is ACCEPTED
    assert not {(tile.x, tile.y) for tile in beside} & looked_at(verifier)


def test_attack_one_tile_named_eight_times_is_one(first: Node, verifier: Node, delivery: Delivery, seed: bytes) -> None:
    """One tile never rejects: memory and disks err too."""
    theirs = rejection(first, delivery, seed)
    differs = next(tile for tile in theirs.tiles if not tile.equal and tile.frame == 1)
    theirs = theirs.model_copy(update={"tiles": [differs] * NAMED_TILES})
    item = delivery.verify(verifier, seed=seed, named=named(verifier, theirs, seed))
    outcome, measurement = voted(verifier, item)
    assert (outcome, measurement.named) == (ACCEPTED, [])
    rule = load_calibration().rule("cpu", "cpu", same_kernel=True)
    said = measurement.model_copy(update={"named": [differs] * NAMED_TILES})
    assert outcome_of(said, rule, [1, 2]) is ACCEPTED, "nor where a member says that it confirmed it"


@pytest.mark.parametrize(
    "change", [{"node": 8}, {"attempt": 1}, {"task": b"x" * 32}, {"method": "none"}, {"tiles": []}]
)
def test_a_measurement_of_something_else_names_nothing(
    first: Node, verifier: Node, delivery: Delivery, seed: bytes, change: dict[str, Any]
) -> None:
    theirs = rejection(first, delivery, seed).model_copy(update=change)
    item = delivery.verify(verifier, seed=seed, named=named(verifier, theirs, seed))
    assert voted(verifier, item)[0] is ACCEPTED


def test_a_rejection_whose_measurement_is_withheld_names_nothing_and_waits_for_nothing(
    first: Node, verifier: Node, delivery: Delivery, seed: bytes
) -> None:
    rejection(first, delivery, seed)
    gone = Named(verifier=FIRST, measured=b"\x05" * 32, seed=seed)
    assert voted(verifier, delivery.verify(verifier, seed=seed, named=[gone]))[0] is ACCEPTED


def test_what_is_not_calibrated_blames_nobody_however_many_tiles_are_named(
    first: Node, verifier: Node, delivery: Delivery, seed: bytes
) -> None:
    theirs = rejection(first, delivery, seed)
    delivery.change(device_class="abacus")
    item = delivery.verify(verifier, seed=seed, named=named(verifier, theirs, seed))
    assert voted(verifier, item)[0] is VOID


def test_pixels_that_were_not_committed_to_are_found_by_all_once_one_has(
    first: Node, verifier: Node, start: Start, delivery: Delivery
) -> None:
    """One check in sixteen reads all pixels; its rejection has no tiles."""
    draws = ((seed, [(seed, delivery.task.id, 0, node, 1) for node in (SECOND, THIRD)]) for seed in seeds(delivery))
    seed = next(seed for seed, theirs in draws if not any(reads_whole(*draw) for draw in theirs))
    delivery.frames()
    finding, theirs = found(first, delivery.verify(first, seed=seed))
    assert finding.outcome is ACCEPTED
    theirs = theirs.model_copy(update={"method": "none", "tiles": []})
    delivery.change_first(pixels=b"\x01" * 32)
    third = start(THIRD, "verifier")
    assert found(third, delivery.verify(third, seed=seed))[0].outcome is ACCEPTED, "alone it reads no more than tiles"
    item = delivery.verify(verifier, seed=seed, named=named(verifier, theirs, seed))
    outcome, measurement = voted(verifier, item)
    assert outcome is REJECTED and "not those that were committed to" in measurement.reason
    assert measurement.method == "none"


# -- panels


def panel(delivery: Delivery, node: Node, seed: bytes, theirs: list[Named]) -> PanelDuty:
    fields = delivery.verify(node, seed=seed).model_dump(exclude={"kind", "named"})
    return PanelDuty(**fields, case=CASE, outcome=REJECTED, named=theirs)


def test_attack_a_worker_that_forged_little_does_not_win_its_appeal(
    first: Node, verifier: Node, delivery: Delivery, seed: bytes
) -> None:
    theirs = rejection(first, delivery, seed)
    item = panel(delivery, verifier, seed, named(verifier, theirs, seed))
    assert found(verifier, item)[0].outcome is REJECTED
    assert found(verifier, panel(delivery, verifier, seed, []))[0].outcome is ACCEPTED, "by its own tiles alone"


def contradicted(verifier: Node, delivery: Delivery, seed: bytes, seen: Measurement, theirs: list[Named]) -> bool:
    """Whether a member of a panel finds otherwise than a rejection of `FIRST + 1` said, and an audit after it."""
    fields = delivery.verify(verifier, seed=seed).model_dump(exclude={"kind", "named"})
    measured = verifier.network.keep(seen)
    item = Rerun(**fields, case=CASE, outcome=REJECTED, verifier=seen.node, measured=measured, named=theirs)
    finding, published = found(verifier, item)
    said = seen_by(REJECTED, item.name, seen)
    rule = rule_against(said, delivery.result, Made(published.build, published.device_class, published.kernel))
    assert outcome_of(published, rule, said.frames([1, 2])) is finding.outcome, "who audits comes to the same"
    return is_contradicted(REJECTED, finding.outcome)


def test_who_confirmed_a_rejection_is_not_contradicted_by_its_own_tiles(
    first: Node, verifier: Node, start: Start, delivery: Delivery, seed: bytes
) -> None:
    theirs = named(verifier, rejection(first, delivery, seed), seed)
    third = start(THIRD, "verifier")
    finding, seen = found(third, delivery.verify(third, seed=seed, named=theirs))
    assert finding.outcome is REJECTED and seen.named
    assert not contradicted(verifier, delivery, seed, seen, theirs)


def test_attack_who_says_that_it_confirmed_a_false_rejection_is_contradicted(
    first: Node, verifier: Node, start: Start, delivery: Delivery, seed: bytes
) -> None:
    false = lie(delivery, seed, first, list(plan(delivery, seed, FIRST, 1, honest)[:4]))
    third = start(THIRD, "verifier")
    _, seen = found(third, delivery.verify(third, seed=seed))
    seen = seen.model_copy(update={"tiles": [], "named": false.tiles})
    assert contradicted(verifier, delivery, seed, seen, named(verifier, false, seed))


def test_as_many_tiles_confirm_as_reject_a_whole_draw() -> None:
    rule = load_calibration().rule("cpu", "cpu", same_kernel=True)
    assert rule.failures_to_reject(MORE_TILES) == 2
