# SPDX-License-Identifier: Apache-2.0
"""Leases: paid to the owner of the machine, a part kept for the foundation, once, by the client's signature and by nothing else."""

import boa
import pytest

from inferix.messages import Order
from inferix.models.job import LEASE_INDEX
from tests.contracts.disputes.court import Court
from tests.contracts.disputes.leasing import COST, MARK, Purses, batch, final, leased, ordered, pay, purses
from tests.contracts.disputes.worker import delivered, fund
from tests.contracts.system import STAND_INS, USD, Contract, acting, deployer, key

CANCELLED = 3
KEEPS_A_FEE = 3


# -- what is paid


def test_most_is_the_owners_and_the_rest_the_foundations(court: Court) -> None:
    ballot = leased(court)
    made, before = final(court, ballot), purses(court)
    with acting(key("anybody")):
        assert pay(court, made, ballot) == 19_000_000
    paid = next(event for event in court.leases.get_logs() if type(event).__name__ == "LeasePaid")
    assert purses(court) - before == Purses(19_000_000, 1_000_000, 0, 0, -20_000_000)
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


def odd_coin(court: Court, client: str) -> tuple[Contract, int]:
    """A second coin, and the account of a client who has paid it in."""
    coin = deployer("OddCoin.vy", STAND_INS).deploy(6, 0)
    with acting(court.governor):
        court.ifx_dollar.add_coin(coin, 10**6 * USD)
    coin.mint(client, 10**9)
    with acting(client):
        coin.approve(court.ifx_dollar, 10**9)
        return coin, int(court.ifx_dollar.top_up(coin, 10**9, client))


def test_a_lease_is_paid_out_of_the_coin_of_its_account(court: Court) -> None:
    """Else those who paid in another coin would pay for it."""
    odd_coin(court, key("another client").address)
    ballot = leased(court)
    with boa.reverts("Leases: not the account's coin"):
        pay(court, final(court, ballot, coin=MARK + 2), ballot)


def test_attack_a_coin_that_refuses_the_foundation_stops_no_lease(court: Court) -> None:
    coin, account = odd_coin(court, court.client.address)
    ballot = leased(court, order=ordered(court, account=account), account=account)
    made, owner = final(court, ballot, coin=MARK + 2), court.workers[0].owner.address
    coin.set_blocked(court.foundation)
    assert pay(court, made, ballot) == 19_000_000 == coin.balanceOf(owner)
    with boa.reverts("blocked"):
        court.leases.pay_foundation(coin)
    coin.set_blocked(owner)
    assert court.leases.pay_foundation(coin) == 1_000_000 == coin.balanceOf(court.foundation)
    with boa.reverts("foundation_part: nothing due"):
        court.leases.pay_foundation(coin)


def test_of_a_coin_that_keeps_a_fee_what_arrived_is_the_foundations(court: Court) -> None:
    coin, account = odd_coin(court, court.client.address)
    ballot = leased(court, order=ordered(court, account=account), account=account)
    made = final(court, ballot, coin=MARK + 2)
    coin.set_habit(KEEPS_A_FEE)
    pay(court, made, ballot)
    assert court.leases.foundation_due(coin) == coin.balanceOf(court.leases) == 900_000
    assert court.leases.pay_foundation(coin) == 900_000
    assert (coin.balanceOf(court.foundation), coin.balanceOf(court.leases)) == (810_000, 0)


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
