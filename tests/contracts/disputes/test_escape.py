# SPDX-License-Identifier: Apache-2.0
"""Escape: checked work of a silent manager becomes final without it; a false batch of one leaf costs its bond, no lane."""

from typing import Any

import boa
import pytest
from eth_utils import keccak

from inferix.models.roles import NodeStatus, Outcome
from tests.contracts.disputes.court import NO_ORDER, Batch, Court
from tests.contracts.disputes.worker import DAY, PRICE, WORK, Case, alone, delivered, fund
from tests.contracts.system import JAILED, USD, WORKER, acting, advance, key
from tests.contracts.work.network import records_of

PROPOSED, FINAL, CANCELLED = 1, 2, 3
VOTES, DATA = 1, 2
WINDOW = 86_400


@pytest.fixture
def case(court: Court) -> Case:
    for worker in court.workers:
        fund(court, worker.owner)
    return delivered(court)


def make_final(court: Court, batch: Batch) -> None:
    advance(WINDOW)
    court.batches.finalize(batch.header.values())


def money(court: Court, who: Any) -> int:
    return int(court.ifx.balanceOf(getattr(who, "address", who)))


def test_checked_work_is_charged_without_its_manager_and_the_bond_comes_back(court: Court, case: Case) -> None:
    before, charged = money(court, case.worker.owner), court.batches.final_charge(1)
    batch = case.propose()
    bond = court.escape.bond_of(batch.commitment)
    assert court.status(batch) == PROPOSED
    assert court.escape.proposer(batch.commitment) == case.worker.owner.address
    assert money(court, case.worker.owner) == before - bond
    with boa.reverts("Batches: window not over"):
        court.batches.finalize(batch.header.values())
    with boa.reverts("Escape: not final"):
        court.escape.release(batch.commitment)
    make_final(court, batch)
    assert court.status(batch) == FINAL
    assert court.batches.final_charge(1) - charged == case.leaf.charge
    assert court.batches.epoch_totals(court.batches.final_epoch(batch.commitment)) == (case.leaf.charge, WORK)
    court.escape.release(batch.commitment)
    assert money(court, case.worker.owner) == before
    with boa.reverts("Escape: no bond"):
        court.escape.release(batch.commitment)


def test_the_bond_is_twice_charge_and_mint_and_a_dispute(court: Court, case: Case) -> None:
    dispute = court.window("dispute_bond")
    price = int(court.market.price())
    for multiple, cost in [(10_000, 4 * USD), (0, 2 * USD), (20_000, 6 * USD)]:
        court.set_parameter("mint_multiple_bps", multiple)
        assert court.escape.bond(USD) == -(-(cost + dispute) * 10**18 // price)


def test_nobody_proposes_without_the_bond(court: Court, case: Case) -> None:
    with boa.reverts(), acting(court.client):
        court.escape.propose(*case.arguments())


def test_a_manager_has_a_day(court: Court, case: Case) -> None:
    early = delivered(court, "early")
    boa.env.time_travel(seconds=-37)
    with boa.reverts("Escape: its manager may still propose it"):
        early.propose()
    boa.env.time_travel(seconds=37)
    early.propose()


def test_after_the_reserve_is_free_nothing_is_charged(court: Court, case: Case) -> None:
    with boa.env.anchor():
        advance(4 * DAY - 200)
        case.propose()
    advance(4 * DAY)
    with boa.reverts("Escape: too long after the deadline"):
        case.propose()


def pause(court: Court, seconds: int) -> None:
    with acting(court.guardian):
        court.parameters.pause()
    advance(seconds)


@pytest.mark.parametrize("begins", [0, DAY - 40])
def test_attack_a_pause_takes_nothing_of_a_managers_day(court: Court, case: Case, begins: int) -> None:
    """In a pause no lane proposes: whoever escaped in it was before its manager could be."""
    early = delivered(court, "early")
    boa.env.time_travel(seconds=begins - DAY)
    pause(court, DAY - begins)
    for wait in (0, 6 * DAY + begins):
        advance(wait)
        with boa.reverts("Escape: its manager may still propose it"):
            early.propose()
    with boa.env.anchor():
        court.propose(early.manager, [early.leaf])
    advance(DAY - begins)
    early.propose()


@pytest.mark.parametrize("begins", [0, DAY // 2, 2 * DAY])
def test_attack_a_pause_ends_no_work_that_waits_to_be_proposed(court: Court, case: Case, begins: int) -> None:
    """The 72 hours stand still: in a pause that began a day before the deadline, half of one before, and in them."""
    advance(begins)
    pause(court, 8 * DAY)
    left = 4 * DAY - begins - DAY - max(DAY - begins, 0)
    with boa.env.anchor():
        advance(left - 200)
        case.propose()
    advance(left)
    with boa.reverts("Escape: too long after the deadline"):
        case.propose()


def test_a_pause_that_is_on_ends_no_work_and_one_that_was_ended_early_adds_what_it_took(
    court: Court, case: Case
) -> None:
    advance(3 * DAY)
    pause(court, 5 * DAY)
    with boa.env.anchor():
        case.propose()
    with acting(court.guardian):
        court.parameters.resume()
    with boa.env.anchor():
        advance(DAY - 200)
        case.propose()
    advance(DAY)
    with boa.reverts("Escape: too long after the deadline"):
        case.propose()


@pytest.mark.parametrize("begins", [-10 * DAY, 4 * DAY])
def test_pauses_before_and_after_give_a_worker_no_more_time(court: Court, begins: int) -> None:
    """Nor do two of which the second begins thirty days after the first: the work is long over."""
    if begins < 0:
        pause(court, 8 * DAY)
    case = delivered(court, "another")
    fund(court, case.worker.owner)
    advance(4 * DAY - 200)
    with boa.env.anchor():
        case.propose()
    advance(200)
    if begins > 0:
        pause(court, DAY)
    with boa.reverts("Escape: too long after the deadline"):
        case.propose()
    advance(36 * DAY if begins > 0 else 33 * DAY)
    pause(court, 6 * DAY)
    with boa.reverts("Escape: too long after the deadline"):
        case.propose()


def test_it_goes_on_while_the_protocol_is_paused_and_waits(court: Court, case: Case) -> None:
    with acting(court.guardian):
        court.parameters.pause()
    batch = case.propose()
    advance(WINDOW)
    with boa.reverts("Batches: window not over"):
        court.batches.finalize(batch.header.values())


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("account", 2, "Committees: not signed by the account's owner"),
        ("charge", PRICE + 1, "Committees: not as ordered"),
        ("task", keccak(text="of another job"), "Escape: not signed by the worker"),
        ("node", 1, "Escape: not the worker"),
        ("result", keccak(text="another result"), "Committees: not signed by the worker"),
        ("attempt", 1, "Escape: not signed by the worker"),
        ("attempt", 3, "Escape: not signed by the worker"),
        ("anchor", 1, "Committees: receipt not in the anchor"),
        ("anchor", 99, "Escape: no seed"),
        ("votes", keccak(text="other votes"), "Committees: not the votes of the leaf"),
        ("outcome", 2, "Committees: work without acceptance"),
        ("outcome", 3, "Committees: work without acceptance"),
    ],
)
def test_a_leaf_that_its_papers_do_not_show(court: Court, case: Case, field: str, value: Any, reason: str) -> None:
    with boa.env.anchor():
        case.propose()
    case.change(**{field: value})
    with boa.reverts(reason):
        case.propose()


def test_a_charge_over_the_cap(court: Court, case: Case) -> None:
    dear = delivered(court, "dear", cap=10**6 - 1)
    with boa.reverts("Committees: not as ordered"):
        dear.propose()
    delivered(court, "dear", cap=10**6).propose()


def test_an_acceptance_of_another_draw(court: Court, case: Case) -> None:
    case.draw = 3
    with boa.reverts("Escape: not signed by the worker"):
        case.propose()


def test_signatures_of_others(court: Court, case: Case) -> None:
    stranger = delivered(court, "of another", worker=court.workers[1])
    kept, case.acceptance = case.acceptance, stranger.acceptance
    with boa.reverts("Escape: not signed by the worker"):
        case.propose()
    case.acceptance = kept
    case.propose()


def test_a_worker_that_changed_its_key_since(court: Court, case: Case) -> None:
    with acting(case.worker.owner):
        court.registry.set_operator(case.worker.id, key("the worker's next key").address)
    assert court.status(case.propose()) == PROPOSED


def test_a_seed_of_choice_draws_no_friends(court: Court, case: Case) -> None:
    """A receipt that is in no anchor is worth nothing, whatever its votes say."""
    other = case.order.model_copy(update={"nonce": 8})
    chosen = court.ballot("delivered", order=other)
    case.change(anchor=chosen.leaf.anchor, votes=chosen.leaf.votes, voters=chosen.leaf.voters)
    case.ballot.packed, case.ballot.members = chosen.packed, chosen.members
    advance(DAY)
    with boa.reverts("Committees: receipt not in the anchor"):
        case.propose()


def test_a_coin_that_is_not_the_accounts(court: Court, case: Case) -> None:
    case.coin = 2
    with boa.reverts("Escape: not the account's coin"):
        case.propose()


def test_a_lane_that_is_not_the_orders(court: Court, case: Case) -> None:
    foreign = delivered(court, "foreign", manager=court.other_keeper.id)
    with boa.reverts("Committees: not the attempt's lane"):
        foreign.propose()
    court.take_over(foreign.order.digest(court.domain), court.other_keeper, court.keeper)
    with boa.reverts("Committees: not the attempt's lane"):
        foreign.propose()  # its receipt is in an anchor from before


def test_a_rejection_has_its_way_out_too(court: Court, case: Case) -> None:
    rejected = delivered(court, "rejected", Outcome.REJECTED)
    batch = rejected.propose(court.workers[1].owner)
    make_final(court, batch)
    court.panels.freeze(*batch.item(0))
    assert court.registry.node(rejected.worker.id).status == NodeStatus.FROZEN


def test_the_same_leaf_waits_once(court: Court, case: Case) -> None:
    case.propose()
    with boa.reverts("Escape: proposed before"):
        case.propose()


def test_who_is_paid_proposes_it_and_nobody_for_less(court: Court, case: Case) -> None:
    """A client could else be first, with a charge of nothing: votes do not say how much."""
    fund(court, court.client)
    case.change(charge=0)
    for who in (court.client, court.workers[1].owner):
        with boa.reverts("Escape: not the worker"):
            case.propose(who)
    fund(court, case.worker.operator)
    case.propose(case.worker.operator)


def test_several_wait_at_once_and_one_that_falls_takes_none_along(court: Court, case: Case) -> None:
    others = [delivered(court, f"other {at}") for at in range(2)]
    lane = court.batch([court.ballot("in the lane").leaf])
    batches = [each.propose() for each in (case, *others)]
    court.challenge(batches[0])
    advance(court.window("answer_window") + 1)
    court.disputes.expire(batches[0].header.values(), VOTES, 0)
    assert [court.status(batch) for batch in (*batches, lane)] == [CANCELLED, PROPOSED, PROPOSED, PROPOSED]
    advance(WINDOW)
    for batch in (batches[2], lane, batches[1]):
        court.batches.finalize(batch.header.values())


def test_a_lane_that_falls_takes_none_along(court: Court, case: Case) -> None:
    lane = court.batch([court.ballot("in the lane").leaf])
    batch = case.propose()
    court.challenge(lane)
    advance(court.window("answer_window") + 1)
    court.disputes.expire(lane.header.values(), VOTES, 0)
    assert (court.status(lane), court.status(batch)) == (CANCELLED, PROPOSED)
    make_final(court, batch)


def test_one_that_falls_costs_its_bond_and_no_manager(court: Court, case: Case) -> None:
    batch = case.propose()
    bond, supply = court.escape.bond_of(batch.commitment), court.ifx.totalSupply()
    court.challenge(batch)
    before, stake = money(court, court.challenger), court.staking.bonded(court.keeper.id)
    advance(court.window("answer_window") + 1)
    court.disputes.expire(batch.header.values(), VOTES, 0)
    assert money(court, court.challenger) - before == bond // 2 + court.bond()
    assert supply - court.ifx.totalSupply() == bond - bond // 2
    assert court.staking.bonded(court.keeper.id) == stake
    assert court.registry.node(court.keeper.id).status != JAILED
    with boa.reverts("Escape: no bond"):
        court.escape.release(batch.commitment)


def test_what_fell_is_proposed_again_after_it(court: Court, case: Case) -> None:
    first = case.propose()
    court.challenge(first)
    advance(court.window("answer_window") + 1)
    court.disputes.expire(first.header.values(), VOTES, 0)
    with acting(case.worker.owner):
        again = bytes(court.escape.propose(*case.arguments()))
    second = alone(case.manager, case.leaf, previous=first.commitment)
    assert again == second.commitment
    make_final(court, second)


def test_a_dispute_is_answered_as_any_and_its_bond_is_the_proposers(court: Court, case: Case) -> None:
    batch = case.propose()
    court.challenge(batch)
    before = money(court, case.worker.owner)
    court.disputes.answer_votes(*batch.item(0), case.ballot.encoded())
    assert money(court, case.worker.owner) - before == court.bond() // 2
    with acting(court.challenger):
        court.disputes.challenge_data(batch.header.values(), 0, 0)
    court.disputes.answer_data(batch.header.values(), 0, [batch.item(0)[1]], [])
    make_final(court, batch)


def test_a_void_leafs_bond_is_burned(court: Court, case: Case) -> None:
    batch = case.propose()
    with acting(court.objections):
        court.batches.void_leaf(*batch.item(0))
    make_final(court, batch)
    bond, supply = court.escape.bond_of(batch.commitment), court.ifx.totalSupply()
    court.escape.release(batch.commitment)
    assert supply - court.ifx.totalSupply() == bond
    assert court.batches.final_charge(1) == 0


@pytest.mark.parametrize("turned", [False, True])
def test_what_the_lane_has_proposed_before_is_a_lie(court: Court, case: Case, turned: bool) -> None:
    lane = court.batch([case.leaf])
    advance(12)
    batch = case.propose()
    bond, before = court.escape.bond_of(batch.commitment), money(court, court.challenger)
    items = [each.item(0) for each in ((batch, lane) if turned else (lane, batch))]
    with acting(court.challenger):
        court.disputes.prove_duplicate(*items, NO_ORDER, 0)
    assert (court.status(lane), court.status(batch)) == (PROPOSED, CANCELLED)
    assert money(court, court.challenger) - before == bond // 2
    assert court.registry.node(court.keeper.id).status != JAILED


@pytest.mark.parametrize("turned", [False, True])
def test_one_that_was_first_gives_way_to_its_lane_without_a_fine(court: Court, case: Case, turned: bool) -> None:
    """Else whoever sees a manager's batch come could copy a leaf of it, be first, and have the manager jailed."""
    before = money(court, case.worker.owner)
    batch = case.propose()
    advance(12)
    lane = court.batch([case.leaf])
    items = [each.item(0) for each in ((lane, batch) if turned else (batch, lane))]
    with acting(court.challenger):
        court.disputes.prove_duplicate(*items, NO_ORDER, 0)
    assert (court.status(batch), court.status(lane)) == (CANCELLED, PROPOSED)
    assert money(court, case.worker.owner) == before
    assert court.escape.proposer(batch.commitment) == "0x" + 40 * "0"


@pytest.mark.parametrize("turned", [False, True])
def test_once_it_is_final_the_lanes_batch_is_the_lie(court: Court, case: Case, turned: bool) -> None:
    batch = case.propose()
    make_final(court, batch)
    lane = court.batch([case.leaf])
    items = [each.item(0) for each in ((lane, batch) if turned else (batch, lane))]
    court.disputes.prove_duplicate(*items, NO_ORDER, 0)
    assert (court.status(batch), court.status(lane)) == (FINAL, CANCELLED)
    assert court.registry.node(court.keeper.id).status == JAILED


@pytest.mark.parametrize("turned", [False, True])
def test_regression_a_manager_whose_batch_crossed_one_that_waited_is_not_jailed_once_that_is_final(
    court: Court, case: Case, turned: bool
) -> None:
    batch = case.propose()
    advance(court.window("batch_window") - 1)
    lane = court.batch([case.leaf])
    make_final(court, batch)
    stake = court.staking.bonded(court.keeper.id)
    items = [each.item(0) for each in ((lane, batch) if turned else (batch, lane))]
    court.disputes.prove_duplicate(*items, NO_ORDER, 0)
    assert (court.status(batch), court.status(lane)) == (FINAL, CANCELLED)
    assert court.registry.node(court.keeper.id).status != JAILED
    assert court.staking.bonded(court.keeper.id) == stake


@pytest.mark.parametrize("lane_first", [False, True])
def test_regression_a_worker_whose_batch_crossed_its_lanes_in_one_block_keeps_its_bond(
    court: Court, case: Case, lane_first: bool
) -> None:
    before = money(court, case.worker.owner)
    if lane_first:
        lane, batch = court.batch([case.leaf]), case.propose()
    else:
        batch, lane = case.propose(), court.batch([case.leaf])
    court.disputes.prove_duplicate(lane.item(0), batch.item(0), NO_ORDER, 0)
    assert (court.status(batch), court.status(lane)) == (CANCELLED, PROPOSED)
    assert money(court, case.worker.owner) == before


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_that_stand_alone_the_later_is_the_lie(court: Court, case: Case, turned: bool) -> None:
    first = case.propose()
    advance(12)
    case.change(work=WORK + 1)
    second = case.propose()
    items = [each.item(0) for each in ((second, first) if turned else (first, second))]
    court.disputes.prove_duplicate(*items, NO_ORDER, 0)
    assert (court.status(first), court.status(second)) == (PROPOSED, CANCELLED)


def test_only_the_courts_and_escape_itself_move_its_batches(court: Court, case: Case) -> None:
    batch = case.propose()
    header = alone(case.manager, case.leaf.model_copy(update={"work": 3})).header
    for who in (court.keeper.operator, case.worker.owner, court.challenger):
        with acting(who):
            with boa.reverts("Batches: not Escape"):
                court.batches.propose_alone(header.values())
            with boa.reverts("Batches: not Disputes"):
                court.batches.cancel(batch.commitment)
            with boa.reverts("Escape: not Disputes"):
                court.escape.close(batch.commitment, court.challenger.address)


def test_a_lane_takes_no_batch_that_stands_alone(court: Court, case: Case) -> None:
    header = alone(case.manager, case.leaf).header
    with boa.reverts("Batches: not the next of its lane"), acting(court.keeper.operator):
        court.batches.propose(header.values(), records_of([case.leaf]))


def test_a_silent_manager_is_not_needed_at_all(court: Court, case: Case) -> None:
    with acting(court.governor):
        court.registry.set_status(court.keeper.id, JAILED)
    advance(2 * DAY)
    batch = case.propose()
    make_final(court, batch)
    assert court.registry.node(case.worker.id).role == WORKER
