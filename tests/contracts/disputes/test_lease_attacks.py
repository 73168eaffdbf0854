# SPDX-License-Identifier: Apache-2.0
"""Attacks on leases: a manager charges accounts for what no client signed, or not so."""

from typing import Any

import boa
import pytest

from inferix.models.job import LEASE_INDEX
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Court
from tests.contracts.disputes.leasing import COST, batch, final, leased, ordered, pay, purses
from tests.contracts.system import acting, advance, key

VOTES = 1
CANCELLED = 3
NO_ORDER_OF_ONE = "Committees: not the order of a lease"


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
