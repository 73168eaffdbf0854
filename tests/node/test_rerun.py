# SPDX-License-Identifier: Apache-2.0
"""What a panel's member finds of another verifier's vote: those same tiles again, and a doubt acquits."""

from typing import Any

import pytest

from inferix.models.result import Measurement, TileResult
from inferix.models.roles import Outcome
from inferix.models.work import ObjectionDuty
from inferix.proofs.rerun import Made, is_contradicted, outcome_of, rule_against, seen_by
from node.checks import Finding
from node.rerun import Rerun
from node.verifier import Verifier
from tests.node.delivery import Delivery, honest, other_seed, remove, voted
from tests.node.running import Node, Start
from tests.node.test_tiles import _last_bits, _lower_half

ACCUSED, MEMBER = 9, 10
CASE = b"\x0c" * 32
ACCEPTED, REJECTED, VOID = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.VOID


@pytest.fixture
def member(start: Start) -> Node:
    return start(MEMBER, "verifier")


def rerun(member: Node, delivery: Delivery, said: Outcome, seen: Measurement | None) -> Finding:
    """What the member finds of a vote of the accused."""
    measured = member.network.keep(seen) if seen is not None else b"\x01" * 32
    fields = delivery.verify(member).model_dump(exclude={"kind"})
    item = Rerun(**fields, case=CASE, outcome=said, verifier=ACCUSED, measured=measured)
    member.offer(ObjectionDuty(objection=CASE, deadline=item.deadline, sealed_key=b""))
    member.loop.step()
    role = member.loop._role
    assert isinstance(role, Verifier)
    finding, published = role._find(item)
    if published.tiles:
        assert audited(item, delivery, seen, published) is finding.outcome, "who audits comes to the same"
    return finding


def audited(item: Rerun, delivery: Delivery, seen: Measurement | None, published: Measurement) -> Outcome:
    """What a stranger makes of what the member published, without rendering."""
    said = seen_by(item.outcome, item.name, seen)
    own = Made(published.build, published.device_class, published.kernel)
    rule = rule_against(said, delivery.result, own)
    assert published.rule in (rule.name, "")
    return outcome_of(published, rule, said.frames(list(item.task.frames())))


def places(tiles: list[TileResult]) -> list[tuple[int, int, int]]:
    return [(tile.frame, tile.x, tile.y) for tile in tiles]


def claiming(seen: Measurement, **changes: Any) -> Measurement:
    """A measurement of the same places that says something else of each."""
    return seen.model_copy(update={"tiles": [tile.model_copy(update=changes) for tile in seen.tiles]})


def test_an_honest_vote_stands_by_the_very_tiles_that_it_lists(
    verifier: Node, member: Node, delivery: Delivery
) -> None:
    said, seen = voted(verifier, delivery.frames().verify(verifier))
    found = rerun(member, delivery, said, seen)
    assert (said, found.outcome) == (ACCEPTED, ACCEPTED)
    assert places(found.tiles) == places(seen.tiles)
    rendered = [(tile.x, tile.y) for tile in member.engine.tiles]
    assert rendered == [(tile.x, tile.y) for tile in seen.tiles]


def test_an_honest_rejection_stands(verifier: Node, member: Node, delivery: Delivery) -> None:
    said, seen = voted(verifier, delivery.frames(other_seed).verify(verifier))
    found = rerun(member, delivery, said, seen)
    assert (said, found.outcome) == (REJECTED, REJECTED)
    assert places(found.tiles) == places(seen.tiles)


def test_an_acceptance_of_a_forged_frame_is_contradicted_by_its_own_tiles(
    verifier: Node, member: Node, delivery: Delivery
) -> None:
    _, seen = voted(verifier, delivery.frames(other_seed).verify(verifier))
    found = rerun(member, delivery, ACCEPTED, claiming(seen, equal=True, share_ppm=0))
    assert (found.outcome, places(found.tiles)) == (REJECTED, places(seen.tiles))


def test_a_rejection_of_an_honest_frame_is_contradicted_where_it_says_that_tiles_differ(
    verifier: Node, member: Node, delivery: Delivery
) -> None:
    _, seen = voted(verifier, delivery.frames().verify(verifier))
    only_second = [tile for tile in seen.tiles if tile.frame == 2]
    lie = claiming(seen.model_copy(update={"tiles": only_second}), equal=False, share_ppm=1_000_000)
    found = rerun(member, delivery, REJECTED, lie)
    assert (found.outcome, places(found.tiles)) == (ACCEPTED, places(only_second))


@pytest.mark.parametrize(
    ("pixels", "said", "found"),
    [(honest, ACCEPTED, ACCEPTED), (other_seed, ACCEPTED, REJECTED), (honest, REJECTED, ACCEPTED)],
)
def test_who_publishes_no_measurement_is_judged_by_the_tiles_that_it_had_to_render(
    verifier: Node, member: Node, delivery: Delivery, pixels: Any, said: Outcome, found: Outcome
) -> None:
    _, seen = voted(verifier, delivery.frames(pixels).verify(verifier))
    again = rerun(member, delivery, said, None)
    assert again.outcome is found
    assert places(again.tiles) == places(seen.tiles)


@pytest.mark.parametrize("change", [{"node": 8}, {"attempt": 1}, {"task": b"x" * 32}, {"tiles": []}])
def test_a_measurement_of_something_else_is_none(
    verifier: Node, member: Node, delivery: Delivery, change: dict[str, Any]
) -> None:
    _, seen = voted(verifier, delivery.frames(other_seed).verify(verifier))
    found = rerun(member, delivery, ACCEPTED, seen.model_copy(update=change))
    assert (found.outcome, places(found.tiles)) == (REJECTED, places(seen.tiles))


def test_tiles_of_choice_beside_the_draw_save_nobody(verifier: Node, member: Node, delivery: Delivery) -> None:
    """The worker forged the lower half, its friend says that it looked at the upper one."""
    _, seen = voted(verifier, delivery.frames(_lower_half).verify(verifier))
    upper = [tile.model_copy(update={"y": 0, "equal": True, "share_ppm": 0}) for tile in seen.tiles]
    found = rerun(member, delivery, ACCEPTED, seen.model_copy(update={"tiles": upper}))
    assert found.outcome is REJECTED
    assert places(found.tiles) == places(seen.tiles)


def test_one_clean_tile_of_the_draw_is_not_enough_to_have_accepted(
    verifier: Node, member: Node, delivery: Delivery
) -> None:
    _, seen = voted(verifier, delivery.frames(_lower_half).verify(verifier))
    first = seen.model_copy(update={"tiles": seen.tiles[:1]})
    found = rerun(member, delivery, ACCEPTED, claiming(first, equal=True, share_ppm=0))
    assert found.outcome is REJECTED


def test_who_accepted_within_the_tolerance_is_not_held_to_the_last_bit(
    verifier: Node, member: Node, delivery: Delivery
) -> None:
    _, seen = voted(verifier, delivery.frames(_last_bits).verify(verifier))
    exact = rerun(member, delivery, ACCEPTED, seen)
    other = seen.model_copy(update={"kernel": "another"})
    assert (exact.outcome, rerun(member, delivery, ACCEPTED, other).outcome) == (REJECTED, ACCEPTED)


def test_who_rejected_by_the_last_bit_is_contradicted_by_a_machine_that_sees_it_only(
    verifier: Node, member: Node, delivery: Delivery
) -> None:
    _, seen = voted(verifier, delivery.frames(_last_bits).verify(verifier))
    delivery.change(kernel="another")
    found = rerun(member, delivery, REJECTED, seen.model_copy(update={"kernel": "another"}))
    assert (found.outcome, "not calibrated" in found.reason) == (VOID, True)
    assert rerun(member, delivery, REJECTED, None).outcome is VOID


@pytest.mark.parametrize("change", [{"device_class": "abacus"}, {"build": "another"}])
@pytest.mark.parametrize("said", [ACCEPTED, REJECTED])
def test_nobody_is_contradicted_across_machines_that_are_not_calibrated(
    verifier: Node, member: Node, delivery: Delivery, change: dict[str, Any], said: Outcome
) -> None:
    _, seen = voted(verifier, delivery.frames(other_seed if said is ACCEPTED else honest).verify(verifier))
    lie = claiming(seen, equal=said is ACCEPTED)
    assert is_contradicted(said, rerun(member, delivery, said, lie).outcome)
    assert rerun(member, delivery, said, lie.model_copy(update=change)).outcome is VOID


def test_a_worker_on_another_build_contradicts_no_verifier(verifier: Node, member: Node, delivery: Delivery) -> None:
    _, seen = voted(verifier, delivery.frames(other_seed).verify(verifier))
    delivery.change(device_class="abacus")
    assert rerun(member, delivery, ACCEPTED, claiming(seen, equal=True)).outcome is VOID


def test_what_cannot_be_had_any_more_is_unserved_and_not_told(verifier: Node, member: Node, delivery: Delivery) -> None:
    said, seen = voted(verifier, delivery.frames().verify(verifier))
    remove(member.network, delivery.result.frames[0].raw.cid)
    member.network.time += 10**6
    assert rerun(member, delivery, said, seen).outcome is Outcome.UNSERVED


@pytest.mark.parametrize("said", [ACCEPTED, REJECTED])
def test_only_the_opposite_contradicts(said: Outcome) -> None:
    opposite = REJECTED if said is ACCEPTED else ACCEPTED
    assert [outcome for outcome in Outcome if is_contradicted(said, outcome)] == [opposite]


def test_regression_what_is_rendered_for_an_objection_is_of_the_seat_that_the_network_lists(
    member: Node, delivery: Delivery
) -> None:
    """A member asked whether the network still listed an appeal of that id, and waited for ever."""
    assert rerun(member, delivery.frames(), ACCEPTED, None).outcome is ACCEPTED
