# SPDX-License-Identifier: Apache-2.0
"""What leases cost and what work costs are two sums: neither waits for nor takes what is the other's."""

import boa
import pytest

from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Ballot, Court
from tests.contracts.disputes.leasing import COST, MARK, batch, final, leased, ordered, pay, purses
from tests.contracts.system import IFX, USD, acting
from tests.contracts.work.network import records_of


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
