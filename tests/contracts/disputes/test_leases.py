# SPDX-License-Identifier: Apache-2.0
"""Leases: paid to the owner of the machine and the foundation, once, by the client's signature and by nothing else."""

from dataclasses import dataclass
from typing import Any

import boa
import pytest

from inferix.messages import Order
from inferix.models.job import LEASE_INDEX
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Ballot, Batch, Court
from tests.contracts.disputes.worker import delivered, fund
from tests.contracts.system import IFX, STAND_INS, USD, acting, advance, deployer, key
from tests.contracts.work.network import records_of

MARK = 128
COST = 20 * USD
VOTES = 1
FINAL, CANCELLED = 2, 3
NO_ORDER_OF_ONE = "Committees: not the order of a lease"


def ordered(court: Court, name: str = "lease", **changes: Any) -> Order:
    """The client's order of a lease: no price, its cap is what it costs."""
    return court.ordered(name, **({"price": 0, "cap": COST, "attempts": 1} | changes))


def leased(court: Court, name: str = "lease", order: Order | None = None, **changes: Any) -> Ballot:
    """The leaf of a lease that the first worker's machine was handed over for, and what shows it."""
    order = order or ordered(court, name)
    fields = {"charge": order.cap, "work": 0} | changes
    return court.ballot(name, Outcome.LEASED, voters=[], order=order, index=LEASE_INDEX, **fields)


def batch(court: Court, *ballots: Ballot, coin: int = MARK + 1) -> Batch:
    """A proposed batch of leases."""
    leaves = sorted((ballot.leaf for ballot in ballots), key=lambda leaf: (leaf.task, leaf.attempt))
    return court.batch(leaves, coin=coin)


def final(court: Court, *ballots: Ballot, coin: int = MARK + 1) -> Batch:
    """A final one."""
    return court.make_final(batch(court, *ballots, coin=coin))


def pay(court: Court, batch: Batch, ballot: Ballot, order: bytes = b"") -> int:
    return int(court.leases.pay(batch.item(batch.leaves.index(ballot.leaf)), order or ballot.order))


@dataclass
class Purses:
    """Units of DevUSD of everybody who gets some of a fee."""

    owner: int
    foundation: int
    burner: int
    treasury: int
    held: int

    def __sub__(self, other: "Purses") -> "Purses":
        return Purses(*(mine - theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


def purses(court: Court) -> Purses:
    owner = court.workers[0].owner.address
    holders = (owner, court.foundation, court.fee_burner.address, court.treasury, court.ifx_dollar.address)
    return Purses(*(int(court.usd.balanceOf(holder)) for holder in holders))


# -- what is paid


def test_most_is_the_owners_and_the_rest_the_foundations(court: Court) -> None:
    ballot = leased(court)
    made, before = final(court, ballot), purses(court)
    with acting(key("anybody")):
        assert pay(court, made, ballot) == 19_000_000
    assert purses(court) - before == Purses(19_000_000, 1_000_000, 0, 0, -20_000_000)
    paid = next(event for event in court.leases.get_logs() if type(event).__name__ == "LeasePaid")
    assert (paid.task, paid.node, paid.owner) == (ballot.leaf.task, court.workers[0].id, court.workers[0].owner.address)
    assert (paid.coin, paid.charge, paid.provided, paid.foundation) == (court.usd.address, COST, 19_000_000, 1_000_000)
    assert court.leases.is_paid(ballot.leaf.task)
    assert court.ifx_dollar.leased(court.usd) == COST
    assert court.ifx_dollar.coin(court.usd).pool == 10**12 - COST
    with boa.reverts("Leases: paid before"):
        pay(court, made, ballot)


@pytest.mark.parametrize(("bps", "provided", "given"), [(0, 20_000_000, 0), (1_000, 18_000_000, 2_000_000)])
def test_governance_moves_the_foundations_part_within_bounds(court: Court, bps: int, provided: int, given: int) -> None:
    court.set_parameter("lease_fee_bps", bps)
    ballot = leased(court)
    made, before = final(court, ballot), purses(court)
    assert pay(court, made, ballot) == provided
    assert purses(court) - before == Purses(provided, given, 0, 0, -20_000_000)
    with boa.reverts("Parameters: out of bounds"):
        court.set_parameter("lease_fee_bps", 1_001)


def test_nothing_is_paid_before_the_batch_is_final(court: Court) -> None:
    ballot = leased(court)
    made = batch(court, ballot)
    with boa.reverts("Leases: not final"):
        pay(court, made, ballot)
    pay(court, court.make_final(made), ballot)


def test_nothing_is_paid_for_a_leaf_that_a_panel_voided(court: Court) -> None:
    ballot, other = leased(court), leased(court, "other")
    made = batch(court, ballot, other)
    index = made.leaves.index(ballot.leaf)
    with acting(court.objections.address):
        court.batches.void_leaf(*made.item(index))
    court.make_final(made)
    with boa.reverts("Leases: leaf void"):
        pay(court, made, ballot)
    assert court.batches.final_charge(MARK + 1) == COST
    pay(court, made, other)


def test_nothing_is_paid_for_a_leaf_that_the_batch_has_not(court: Court) -> None:
    ballot = leased(court)
    made = final(court, ballot)
    header, _, index, proof = made.item(0)
    other = ballot.leaf.model_copy(update={"node": court.workers[1].id})
    with boa.reverts("Leases: no such leaf"):
        court.leases.pay((header, tuple(getattr(other, name) for name in type(other).model_fields), index, proof), b"")
    pay(court, made, ballot)


def test_a_lease_of_a_node_that_is_none_is_paid_to_nobody(court: Court) -> None:
    ballot = leased(court, node=10**6)
    with boa.reverts("Leases: no such node"):
        pay(court, final(court, ballot), ballot)


def test_a_lease_is_paid_out_of_the_coin_of_its_account(court: Court) -> None:
    """Else those who paid in another coin would pay for it."""
    other = deployer("OddCoin.vy", STAND_INS).deploy(6, 0)
    with acting(court.governor):
        court.ifx_dollar.add_coin(other, 10**6 * USD)
    client = key("another client")
    other.mint(client.address, 10**9)
    with acting(client):
        other.approve(court.ifx_dollar, 10**9)
        court.ifx_dollar.top_up(other, 10**9, client.address)
    ballot = leased(court)
    with boa.reverts("Leases: not the account's coin"):
        pay(court, final(court, ballot, coin=MARK + 2), ballot)


# -- the attack: a manager charges accounts for leases


def test_attack_a_lease_charged_without_an_order_is_paid_to_nobody(court: Court) -> None:
    """A manager proposes a lease of its own machine that no client signed; nobody looks, and the batch becomes final."""
    order = ordered(court, "never signed")
    ballot = leased(court, order=order)
    made, before = final(court, ballot), purses(court)
    forged = court.record(order, signer=court.keeper.operator)
    for record, reason in (
        (forged, "Committees: not signed by the account's owner"),
        (court.record(ordered(court, "another lease")), "Committees: not a task of this order"),
        (forged[:-1], "Committees: length of the order"),
        (bytes(135), "Committees: not what the lease costs"),
    ):
        with boa.reverts(reason):
            pay(court, made, ballot, record)
    with boa.reverts("FeeBurner: nothing to collect"):
        court.fee_burner.collect(court.usd)
    assert purses(court) == before


def test_attack_a_lease_charged_without_an_order_falls_when_somebody_asks(court: Court) -> None:
    order = ordered(court, "never signed")
    ballot = leased(court, order=order)
    ballot.order = court.record(order, signer=court.keeper.operator)
    made = batch(court, ballot)
    court.challenge(made)
    with boa.reverts("Committees: not signed by the account's owner"):
        court.disputes.answer_votes(*made.item(0), ballot.encoded())
    advance(court.window("answer_window") + 1)
    court.disputes.expire(made.header.values(), VOTES, 0)
    assert court.status(made) == CANCELLED


def test_attack_the_order_of_a_job_pays_for_no_lease(court: Court) -> None:
    """The client's signature under work to be rendered has a price: it is none under a lease."""
    order = court.ordered("job", cap=COST)
    ballot = leased(court, order=order)
    made = batch(court, ballot)
    court.challenge(made)
    with boa.reverts(NO_ORDER_OF_ONE):
        court.disputes.answer_votes(*made.item(0), ballot.encoded())
    advance(court.window("answer_window") + 1)
    court.disputes.expire(made.header.values(), VOTES, 0)
    with acting(court.governor):
        court.set_active(court.keeper)
    made = final(court, leased(court, order=order, charge=COST - 1))
    with boa.reverts(NO_ORDER_OF_ONE):
        court.leases.pay(made.item(0), ballot.order)


def test_attack_the_order_of_a_lease_pays_for_no_work(court: Court) -> None:
    order = ordered(court, attempts=3)
    for outcome, index in ((Outcome.CLIENT_FAULT, 0), (Outcome.ACCEPTED, 0), (Outcome.REJECTED, 0)):
        ballot = court.ballot("lease", outcome, order=order, index=index)
        with boa.reverts(NO_ORDER_OF_ONE):
            court.committees.check_votes(court.keeper.id, ballot.values_of_leaf(), ballot.encoded())


@pytest.mark.parametrize(
    ("outcome", "index", "priced"),
    [(Outcome.ACCEPTED, LEASE_INDEX, True), (Outcome.CLIENT_FAULT, LEASE_INDEX, True), (Outcome.LEASED, 0, False)],
)
def test_the_task_of_a_lease_has_the_outcome_of_one(court: Court, outcome: int, index: int, priced: bool) -> None:
    order = court.ordered("task") if priced else ordered(court, "task")
    ballot = court.ballot("task", outcome, order=order, index=index)
    with boa.reverts("Committees: not the task of a lease"):
        court.committees.check_votes(court.keeper.id, ballot.values_of_leaf(), ballot.encoded())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"charge": COST - 1}, "Committees: not what the lease costs"),
        ({"charge": COST + 1}, "Committees: not what the lease costs"),
        ({"attempt": 1}, "Committees: not as leased"),
        ({"work": 1}, "Committees: not as leased"),
        ({"votes": b"\1" * 32}, "Committees: votes about a lease"),
        ({"voters": b"\1" * 32}, "Committees: votes about a lease"),
        ({"account": 2}, "Committees: not signed by the account's owner"),
    ],
)
def test_a_lease_is_charged_as_it_was_signed(court: Court, changes: dict[str, Any], reason: str) -> None:
    ballot = leased(court, order=ordered(court, attempts=3))
    assert court.committees.check_lease(court.keeper.id, ballot.values_of_leaf(), ballot.order)
    ballot.leaf = ballot.leaf.model_copy(update=changes)
    with boa.reverts(reason):
        court.committees.check_lease(court.keeper.id, ballot.values_of_leaf(), ballot.order)


def test_a_lease_belongs_to_the_lane_that_was_ordered(court: Court) -> None:
    ballot = leased(court)
    with boa.reverts("Committees: not the attempt's lane"):
        court.committees.check_lease(court.other_keeper.id, ballot.values_of_leaf(), ballot.order)


def test_attack_leases_beyond_what_the_account_paid_in_are_paid_to_nobody(court: Court) -> None:
    """Signed by a client that has no more: others' credit would pay for it."""
    client = key("poor client")
    account = court.top_up(client, 30_000_000)
    ballots = [
        leased(court, order=ordered(court, name, account=account), account=account) for name in ("first", "second")
    ]
    for ballot, name in zip(ballots, ("first", "second"), strict=True):
        ballot.order = court.record(ordered(court, name, account=account), signer=client)
    made = final(court, *ballots)
    assert pay(court, made, ballots[0]) == 19_000_000
    with boa.reverts("Leases: over the account's credit"):
        pay(court, made, ballots[1])
    court.top_up(client, 10_000_000)
    assert pay(court, made, ballots[1]) == 19_000_000
    assert court.leases.paid_by(account) == 2 * COST


# -- what is asked about it


def test_order_and_receipt_answer_for_a_lease(court: Court) -> None:
    ballot = leased(court)
    made = batch(court, ballot)
    court.challenge(made)
    place, ballot.place = ballot.place, (bytes(32), 0, [])
    with boa.reverts("Committees: receipt not in the anchor"):
        court.disputes.answer_votes(*made.item(0), ballot.encoded())
    ballot.place = place
    court.disputes.answer_votes(*made.item(0), ballot.encoded())
    pay(court, court.make_final(made), ballot)


def test_an_order_does_not_contradict_its_own_lease(court: Court) -> None:
    order = ordered(court)
    made = batch(court, leased(court, order=order))
    terms = tuple(getattr(order, name) for name in Order.model_fields)
    with boa.reverts("Disputes: as ordered"):
        court.disputes.prove_order(*made.item(0), terms, LEASE_INDEX)
    dear = batch(court, leased(court, "dear", charge=COST + 1))
    terms = tuple(getattr(ordered(court, "dear"), name) for name in Order.model_fields)
    court.disputes.prove_order(*dear.item(0), terms, LEASE_INDEX)
    assert court.status(dear) == CANCELLED


def test_a_lease_has_no_way_out_beside_the_lane(court: Court) -> None:
    ballot, case = leased(court), delivered(court)
    fund(court, case.worker.owner)
    case.coin = MARK + 1
    with boa.reverts("Escape: marked as leases"):
        case.propose()
    work, case.coin, case.ballot = case.ballot, 1, ballot
    work_acceptance, case.acceptance = case.acceptance, court.acceptance(case.leaf, case.worker, draw=1)[1]
    with boa.reverts("Escape: a lease"):
        case.propose()
    case.ballot, case.acceptance = work, work_acceptance
    case.propose()


# -- two sums


@pytest.mark.parametrize("lease_first", [True, False])
def test_neither_waits_for_nor_takes_what_is_the_others(court: Court, lease_first: bool) -> None:
    court.give_ifx(court.market.address, 10**6 * IFX)
    work, fault, ballot = court.ballot("work", charge=10 * USD), faulty(court), leased(court)
    final(court, work, coin=1)
    final(court, fault, coin=1)  # no work and a charge, and yet no lease
    made, before = final(court, ballot), purses(court)
    steps = [lambda: pay(court, made, ballot), lambda: court.fee_burner.collect(court.usd)]
    for step in steps if lease_first else steps[::-1]:
        step()
    change = purses(court) - before
    assert (change.owner, change.burner, change.treasury) == (19_000_000, 120_000, 9_600_000)
    assert (change.foundation, change.held) == (1_000_000 + 2_280_000, -32_000_000)
    with boa.reverts("FeeBurner: nothing to collect"):
        court.fee_burner.collect(court.usd)
    assert court.ifx_dollar.coin(court.usd).released == court.batches.final_charge(1) == 12 * USD
    assert court.ifx_dollar.leased(court.usd) == court.batches.final_charge(MARK + 1) == COST


def faulty(court: Court) -> Ballot:
    return court.ballot("fault", Outcome.CLIENT_FAULT, charge=2 * USD)


def test_managers_get_nothing_of_leases(court: Court) -> None:
    court.give_ifx(court.market.address, 10**6 * IFX)
    final(court, court.ballot("work", charge=10 * USD), coin=1)
    final(court, leased(court))
    court.fee_burner.collect(court.usd)
    assert court.batches.final_charge_of(court.keeper.id, 1) == 10 * USD
    assert court.fee_burner.claim_manager(court.keeper.id, court.usd) == 100_000
    with boa.reverts("FeeBurner: nothing to claim"):
        court.fee_burner.claim_manager(court.keeper.id, court.usd)


def test_leases_are_spent_and_mint_nothing(court: Court) -> None:
    """What clients spent, which an accounts root is held to, has leases in it; what is minted for has not."""
    court.end_epoch()
    while court.burn_mint_work.closed() < court.burn_mint_work.epoch():
        court.burn_mint_work.close_epoch()
    spent = court.burn_mint_work.totals_at(court.burn_mint_work.closed() - 1)[0]
    ballot = leased(court)
    made, index = final(court, ballot), court.burn_mint_work.epoch()
    pay(court, made, ballot)
    assert court.batches.epoch_totals(index) == (COST, 0)
    court.end_epoch()
    while court.burn_mint_work.closed() <= index:
        assert court.burn_mint_work.close_epoch() == 0
    assert court.burn_mint_work.totals_at(index) == (spent + COST, court.burn_mint_work.totals_at(index - 1)[1])
    final(court, court.ballot("later work", charge=USD), coin=1)
    assert court.batches.epoch_totals(index) == (COST, 0), "an epoch that is over keeps its sums"


def test_no_batch_has_work_among_leases(court: Court) -> None:
    work, ballot = court.ballot("work"), leased(court)
    header = court.header(court.keeper, [work.leaf], MARK + 1)
    with acting(court.keeper.operator), boa.reverts("Batches: work among leases"):
        court.batches.propose(header.values(), records_of([work.leaf]))
    header = court.header(court.keeper, [ballot.leaf], MARK)
    with acting(court.keeper.operator), boa.reverts("Batches: no coin"):
        court.batches.propose(header.values(), records_of([ballot.leaf]))
    batch(court, ballot)


def test_a_lease_in_an_ordinary_batch_is_not_paid_as_one(court: Court) -> None:
    court.give_ifx(court.market.address, 10**6 * IFX)
    ballot = leased(court)
    made = final(court, ballot, coin=1)
    with boa.reverts("Leases: not a batch of leases"):
        pay(court, made, ballot)
    court.fee_burner.collect(court.usd)
    assert court.ifx_dollar.coin(court.usd).released == COST


def test_work_in_a_batch_of_leases_is_not_paid_as_a_lease(court: Court) -> None:
    fault, ballot = faulty(court), leased(court)
    made = final(court, fault, ballot)
    with boa.reverts("Committees: not the task of a lease"):
        pay(court, made, fault)
    pay(court, made, ballot)
    with boa.reverts("FeeBurner: nothing to collect"):
        court.fee_burner.collect(court.usd)


def test_attack_a_lease_is_paid_once_though_two_batches_have_it(court: Court) -> None:
    ballot = leased(court)
    first, second = batch(court, ballot), batch(court, ballot, leased(court, "another"))
    court.make_final(first)
    court.batches.finalize(second.header.values())
    pay(court, first, ballot)
    with boa.reverts("Leases: paid before"):
        pay(court, second, ballot)


def test_a_second_lease_needs_a_second_signature(court: Court) -> None:
    ballots = [leased(court), leased(court, order=ordered(court, nonce=8))]
    made = final(court, *ballots)
    assert [pay(court, made, ballot) for ballot in ballots] == [19_000_000, 19_000_000]
