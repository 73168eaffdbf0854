# SPDX-License-Identifier: Apache-2.0
"""Slashing of a worker, from the freeze to the end of its case."""

from dataclasses import dataclass

import boa
import pytest
from eth_utils import keccak

from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Batch, Court
from tests.contracts.system import ACTIVE, DAY, FROZEN, JAILED, acting, advance, block_hash, key
from tests.contracts.work.network import keep_history, mine

OPEN, SLASHABLE, APPEALED, SLASHED, CLEARED = 1, 2, 3, 4, 5
CANCELLED_BATCH, REJECTED_AGAIN, NOT_REDONE, REVERSED, UNDECIDED = 1, 2, 3, 4, 5


@dataclass
class Trial:
    """A rejected attempt of the first worker; the second worker redid the task."""

    court: Court
    batch: Batch
    rejected: int
    redone: int

    @property
    def id(self) -> bytes:
        leaf = self.batch.leaves[self.rejected]
        return keccak(leaf.task + leaf.attempt.to_bytes(32, "big"))

    def freeze(self) -> bytes:
        return bytes(self.court.panels.freeze(*self.batch.item(self.rejected)))

    def charge(self) -> None:
        self.court.panels.charge(self.batch.item(self.rejected), self.batch.item(self.redone))

    def status(self) -> int:
        return int(self.court.panels.case(self.id).status)


def trial(
    court: Court, redone: int = Outcome.ACCEPTED, final: bool = False, worker: int = 1, attempt: int = 1
) -> Trial:
    task = court.ballot().leaf.task
    first = court.drawn(task, 0, court.workers[0])[:3]
    second = court.drawn(task, attempt, court.workers[worker])[:3]
    leaves = [
        court.ballot(outcome=Outcome.REJECTED, worker=court.workers[0], voters=first).leaf,
        court.ballot(outcome=redone, attempt=attempt, worker=court.workers[worker], voters=second).leaf,
    ]
    batch = court.batch(leaves)
    if final:
        court.make_final(batch)
    return Trial(court, batch, 0, 1)


def charged(court: Court) -> Trial:
    case = trial(court, final=True)
    case.freeze()
    case.charge()
    return case


def appealed(court: Court) -> Trial:
    case = charged(court)
    with acting(court.workers[0].owner):
        court.panels.appeal(case.id)
    return case


def vote(court: Court, case: Trial, votes: dict[int, bool]) -> None:
    for node, upheld in votes.items():
        court.panels.vote(case.id, *court.panel_vote(court.nodes[node], case.id, upheld))


def amount_of(court: Court) -> int:
    return int(court.staking.required(court.workers[0].id) * court.window("slash_failed_bps") // 10_000)


def test_a_rejected_leaf_freezes_part_of_the_stake(court: Court) -> None:
    worker, case = court.workers[0], trial(court)
    amount = amount_of(court)
    assert case.freeze() == case.id
    info = court.panels.case(case.id)
    assert (info.status, info.node, info.amount, info.attempt) == (OPEN, worker.id, amount, 0)
    assert court.staking.frozen(worker.id) == amount
    assert court.registry.node(worker.id).status == FROZEN
    assert court.staking.holds(worker.id) == court.panels.open_cases(worker.id) == 1


def test_only_a_rejected_leaf_of_its_batch_freezes(court: Court) -> None:
    case = trial(court)
    with boa.reverts("Panels: not rejected"):
        court.panels.freeze(*case.batch.item(1))
    header, leaf, _, proof = case.batch.item(0)
    with boa.reverts("Panels: no such leaf"):
        court.panels.freeze(header, leaf, 1, proof)


def test_a_case_needs_final_batches(court: Court) -> None:
    case = trial(court)
    case.freeze()
    with boa.reverts("Panels: not final"):
        case.charge()
    court.make_final(case.batch)
    case.charge()
    assert case.status() == SLASHABLE


def test_a_case_nobody_froze_is_opened_by_its_charge(court: Court) -> None:
    case = trial(court, final=True)
    case.charge()
    assert case.status() == SLASHABLE
    assert court.staking.frozen(court.workers[0].id) == amount_of(court)
    with boa.reverts("Panels: not frozen"):
        case.charge()


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.CLIENT_FAULT])
def test_rejected_again_clears(court: Court, outcome: Outcome) -> None:
    worker, case = court.workers[0], trial(court, redone=outcome)
    case.freeze()
    with boa.reverts("Panels: not final"):
        court.panels.clear_redone(case.id, case.batch.item(1))
    court.make_final(case.batch)
    with boa.reverts("Panels: not accepted"):
        case.charge()
    stake = court.staking.bonded(worker.id)
    court.panels.clear_redone(case.id, case.batch.item(1))
    assert case.status() == CLEARED
    assert court.staking.frozen(worker.id) == court.staking.holds(worker.id) == 0
    assert court.staking.bonded(worker.id) == stake
    assert court.registry.node(worker.id).status == ACTIVE
    with boa.reverts("Panels: not frozen"):
        court.panels.clear_redone(case.id, case.batch.item(1))


def test_accepted_from_another_clears_nobody(court: Court) -> None:
    case = trial(court, final=True)
    case.freeze()
    with boa.reverts("Panels: not rejected again"):
        court.panels.clear_redone(case.id, case.batch.item(1))


def test_a_task_nobody_redoes_clears_in_the_end(court: Court) -> None:
    case = trial(court, final=True)
    case.freeze()
    with boa.reverts("Panels: may still be redone"):
        court.panels.clear(case.id)
    advance(40 * DAY + 1)
    court.panels.clear(case.id)
    assert case.status() == CLEARED


def test_an_accused_that_does_not_appeal_is_slashed(court: Court) -> None:
    worker, case = court.workers[0], charged(court)
    with boa.reverts("Panels: appeal window open"):
        court.panels.execute(case.id)
    advance(court.window("appeal_window") + 1)
    stake, supply = court.staking.bonded(worker.id), court.ifx.totalSupply()
    pool, amount = court.ifx.balanceOf(court.penalty_pool), court.panels.case(case.id).amount
    court.panels.execute(case.id)
    assert case.status() == SLASHED
    assert stake - court.staking.bonded(worker.id) == amount
    assert supply - court.ifx.totalSupply() == amount - amount // 2
    assert court.ifx.balanceOf(court.penalty_pool) - pool == amount // 2
    assert court.staking.frozen(worker.id) == court.staking.holds(worker.id) == 0
    with boa.reverts("Panels: not slashable"):
        court.panels.execute(case.id)


def test_an_appeal_freezes_the_dispute_bond_too(court: Court) -> None:
    worker, case = court.workers[0], charged(court)
    with boa.reverts("Panels: not the node's owner"), acting(worker.operator):
        court.panels.appeal(case.id)
    with acting(worker.owner):
        court.panels.appeal(case.id)
    assert case.status() == APPEALED
    assert court.staking.frozen(worker.id) == amount_of(court) + court.bond()
    with boa.reverts("Panels: not slashable"), acting(worker.owner):
        court.panels.appeal(case.id)
    with boa.reverts("Panels: not slashable"):
        court.panels.execute(case.id)


def test_an_appeal_needs_the_bond(court: Court) -> None:
    worker, case = court.workers[0], charged(court)
    with acting(court.panels.address):
        court.staking.freeze(worker.id, 2**95)
    with boa.reverts("bonds: stake too small for the bond"), acting(worker.owner):
        court.panels.appeal(case.id)


def test_a_panel_that_upholds(court: Court) -> None:
    worker, case = court.workers[0], appealed(court)
    court.set_parameter("panel", 3)
    seats = court.fill(case.id)
    assert len(seats) == court.panels.panel(case.id).seats == 3
    stake, supply = court.staking.bonded(worker.id), court.ifx.totalSupply()
    vote(court, case, {seats[0].id: True, seats[1].id: False, seats[2].id: True})
    court.panels.resolve(case.id)
    lost = amount_of(court) + court.bond()
    assert case.status() == SLASHED
    assert stake - court.staking.bonded(worker.id) == lost
    assert supply - court.ifx.totalSupply() == lost - lost // 2
    assert court.staking.frozen(worker.id) == court.staking.holds(worker.id) == 0


def test_a_panel_that_reverses(court: Court) -> None:
    worker, case = court.workers[0], appealed(court)
    court.set_parameter("panel", 3)
    seats = court.fill(case.id)
    stake = court.staking.bonded(worker.id)
    vote(court, case, {seats[0].id: True, seats[1].id: False, seats[2].id: False})
    court.panels.resolve(case.id)
    assert case.status() == CLEARED
    assert court.staking.bonded(worker.id) == stake
    assert court.staking.frozen(worker.id) == court.staking.holds(worker.id) == 0
    assert court.registry.node(worker.id).status == ACTIVE


def test_a_tie_acquits(court: Court) -> None:
    case = appealed(court)
    court.set_parameter("panel", 4)
    seats = court.fill(case.id)
    vote(court, case, {seat.id: at < 2 for at, seat in enumerate(seats)})
    court.panels.resolve(case.id)
    assert case.status() == CLEARED


def test_a_panel_of_one_is_a_working_appeal(court: Court) -> None:
    court.set_parameter("panel_minimum", 1)
    court.set_parameter("panel", 1)
    case = appealed(court)
    (seat,) = court.fill(case.id)
    vote(court, case, {seat.id: False})
    court.panels.resolve(case.id)
    assert case.status() == CLEARED


def test_a_panel_takes_all_who_are_eligible(court: Court) -> None:
    """Fifteen seats, twelve verifiers, three of them voters: the rest sits, and that is complete."""
    case = appealed(court)
    seats = court.fill(case.id)
    eligible = [node for node in court.verifiers if court.fits_panel(case.id, node)]
    panel = court.panels.panel(case.id)
    assert sorted(node.id for node in seats) == sorted(node.id for node in eligible)
    assert panel.seats == len(eligible) < court.window("panel")
    assert panel.seated_at != 0


def test_nobody_votes_but_the_seats_and_once(court: Court) -> None:
    court.set_parameter("panel", 3)
    case = appealed(court)
    seats = court.fill(case.id)
    stranger = next(node for node in court.verifiers if node not in seats)
    with boa.reverts("Panels: no seat"):
        vote(court, case, {stranger.id: True})
    id, upheld, measured, _ = court.panel_vote(seats[0], case.id, True)
    *_, forged = court.panel_vote(stranger, case.id, True)
    with boa.reverts("Panels: not signed by the node's operator"):
        court.panels.vote(case.id, id, upheld, measured, forged)
    *_, other = court.panel_vote(seats[0], case.id, False)
    with boa.reverts("Panels: not signed by the node's operator"):
        court.panels.vote(case.id, id, upheld, measured, other)
    vote(court, case, {seats[0].id: True})
    assert court.panels.ballot(case.id, seats[0].id) == 2
    with boa.reverts("Panels: voted already"):
        vote(court, case, {seats[0].id: False})


def test_voting_waits_for_the_panel_and_ends(court: Court) -> None:
    court.set_parameter("panel", 3)
    case = appealed(court)
    with boa.reverts("Panels: panel not complete"):
        vote(court, case, {court.verifiers[0].id: True})
    seats = court.fill(case.id)
    with boa.reverts("Panels: voting goes on"):
        court.panels.resolve(case.id)
    advance(court.window("panel_window") + 1)
    with boa.reverts("Panels: voting is over"):
        vote(court, case, {seats[0].id: True})


def test_silence_on_a_panel_costs_stake(court: Court) -> None:
    court.set_parameter("panel", 3)
    case = appealed(court)
    seats = court.fill(case.id)
    vote(court, case, {seats[0].id: True, seats[1].id: True})
    advance(court.window("panel_window") + 1)
    stakes = [court.staking.bonded(seat.id) for seat in seats]
    court.panels.resolve(case.id)
    assert case.status() == SLASHED
    lost = [stake - court.staking.bonded(seat.id) for stake, seat in zip(stakes, seats, strict=True)]
    assert lost == [0, 0, court.staking.required(seats[2].id) * 5 // 100]


def test_without_quorum_the_governor_decides(court: Court) -> None:
    court.set_parameter("panel", 3)
    case = appealed(court)
    seats = court.fill(case.id)
    vote(court, case, {seats[0].id: True})
    with boa.reverts("Panels: not referred"), acting(court.governor):
        court.panels.decide(case.id, True)
    advance(court.window("panel_window") + 1)
    court.panels.resolve(case.id)
    assert court.panels.case(case.id).is_referred
    assert case.status() == APPEALED
    with boa.reverts("governed: not the governor"):
        court.panels.decide(case.id, True)
    with boa.reverts("Panels: governor may yet decide"):
        court.panels.resolve(case.id)
    stakes = [court.staking.bonded(seat.id) for seat in seats]
    with acting(court.governor):
        court.panels.decide(case.id, True)
    assert case.status() == SLASHED
    assert stakes == [court.staking.bonded(seat.id) for seat in seats]


def test_a_silent_governor_frees_the_stake_and_jails_the_node(court: Court) -> None:
    worker, case = court.workers[0], appealed(court)
    stake = court.staking.bonded(worker.id)
    with boa.reverts("Panels: may still be seated"):
        court.panels.resolve(case.id)
    advance(court.window("panel_window") + 1)
    court.panels.resolve(case.id)
    advance(14 * DAY)
    with boa.reverts("Panels: too late to decide"), acting(court.governor):
        court.panels.decide(case.id, True)
    court.panels.resolve(case.id)
    assert case.status() == CLEARED
    assert court.staking.bonded(worker.id) == stake
    assert court.staking.frozen(worker.id) == court.staking.holds(worker.id) == 0
    assert court.registry.node(worker.id).status == JAILED


def test_too_few_eligible_are_no_panel(court: Court) -> None:
    case = appealed(court)
    advance(60)
    fit = [node for node in court.verifiers if court.fits_panel(case.id, node)]
    for node in fit[2:]:
        with acting(court.governor):
            court.registry.set_status(node.id, JAILED)
    seats = court.fill(case.id)
    assert len(seats) == 2 < court.window("panel_minimum")
    court.panels.resolve(case.id)
    assert court.panels.case(case.id).is_referred


def test_no_roster_no_panel(court: Court) -> None:
    court.set_parameter("panel_minimum", 1)
    weightless = {court.verifiers[0].id: 1}
    court.roster = court.post_roster(weightless)
    case = appealed(court)
    seats = court.fill(case.id)
    panel = court.panels.panel(case.id)
    assert panel.seated_at != 0
    assert panel.seats == len(seats) <= 1


def test_a_seal_waits_for_its_block_and_rearms(court: Court) -> None:
    case = appealed(court)
    with boa.reverts("Panels: too young to seal"):
        court.panels.seal(case.id)
    mine(300)
    block = court.panels.panel(case.id).block
    court.panels.seal(case.id)
    panel = court.panels.panel(case.id)
    assert panel.block > block
    assert bytes(panel.seed) == bytes(32)
    with boa.reverts("Panels: not sealed"):
        court.seat(case.id, court.verifiers[:1])
    advance(60)
    court.panels.seal(case.id)
    assert bytes(court.panels.panel(case.id).seed) != bytes(32)
    with boa.reverts("Panels: sealed already"):
        court.panels.seal(case.id)


def test_a_panel_of_a_chain_that_keeps_its_history_is_drawn_as_it_was_to_be(court: Court) -> None:
    case = appealed(court)
    block = int(court.panels.panel(case.id).block)
    keep_history(block + 1)
    mine(300)
    court.panels.seal(case.id)
    panel = court.panels.panel(case.id)
    assert (panel.block, bytes(panel.seed)) == (block, keccak(case.id + block_hash(block + 1)))


def test_a_late_attempt_costs_a_little_once(court: Court) -> None:
    worker = court.workers[0]
    batch = court.batch([court.ballot(outcome=Outcome.LATE, voters=[]).leaf, court.ballot("good").leaf])
    shown = court.acceptance(batch.leaves[0], worker)
    with boa.reverts("Panels: not final"):
        court.panels.penalise_late(*batch.item(0), *shown)
    court.make_final(batch)
    with boa.reverts("Panels: not late"):
        court.panels.penalise_late(*batch.item(1), *shown)
    stake, supply = court.staking.bonded(worker.id), court.ifx.totalSupply()
    court.panels.penalise_late(*batch.item(0), *shown)
    lost = stake - court.staking.bonded(worker.id)
    assert lost == court.staking.required(worker.id) * court.window("slash_late_bps") // 10_000
    assert supply - court.ifx.totalSupply() == lost - lost // 2
    with boa.reverts("Panels: penalised before"):
        court.panels.penalise_late(*batch.item(0), *shown)


def test_a_manager_that_calls_a_node_late_which_never_accepted_takes_none_of_its_stake(court: Court) -> None:
    victim, other = court.workers[:2]
    invented = court.ballot("invented", outcome=Outcome.LATE, voters=[]).leaf
    batch = court.make_final(court.batch([invented]))
    stake = court.staking.bonded(victim.id)
    draw, by_manager = court.acceptance(invented, court.keeper, node=victim)
    elsewhere = court.acceptance(court.ballot("taken", outcome=Outcome.LATE, voters=[]).leaf, victim)
    another = court.acceptance(invented, victim, draw=1)[1]
    for shown in ((draw, by_manager), court.acceptance(invented, other), elsewhere, (draw, another)):
        with boa.reverts("Panels: not accepted by the node"):
            court.panels.penalise_late(*batch.item(0), *shown)
    assert court.staking.bonded(victim.id) == stake


def test_a_new_key_does_not_hide_what_the_old_one_accepted(court: Court) -> None:
    worker = court.workers[0]
    batch = court.make_final(court.batch([court.ballot(outcome=Outcome.LATE, voters=[]).leaf]))
    shown = court.acceptance(batch.leaves[0], worker)
    with acting(worker.owner):
        court.registry.set_operator(worker.id, key("fresh").address)
    court.panels.penalise_late(*batch.item(0), *shown)


def test_two_cases_of_a_node_end_one_by_one(court: Court) -> None:
    worker = court.workers[0]
    batch = court.batch([court.ballot(name, outcome=Outcome.REJECTED).leaf for name in ("one", "two")])
    cases = [bytes(court.panels.freeze(*batch.item(index))) for index in range(2)]
    court.make_final(batch)
    advance(40 * DAY + 1)
    court.panels.clear(cases[0])
    assert court.registry.node(worker.id).status == FROZEN
    assert court.staking.holds(worker.id) == 1
    court.panels.clear(cases[1])
    assert court.registry.node(worker.id).status == ACTIVE
    assert court.staking.frozen(worker.id) == 0


def test_a_case_gives_back_what_it_froze_and_nothing_of_a_bond(court: Court) -> None:
    worker, amount = court.workers[0], amount_of(court)
    stake = int(court.staking.bonded(worker.id))
    bonds, free = stake - amount // 3, amount // 3
    with acting(court.objections):
        court.staking.freeze(worker.id, bonds)
    case = trial(court, final=True)
    case.freeze()
    assert court.panels.case(case.id).amount == amount > free
    assert court.staking.frozen(worker.id) == stake
    advance(40 * DAY + 1)
    court.panels.clear(case.id)
    assert court.staking.frozen(worker.id) == bonds


def test_a_case_takes_no_more_than_the_stake_that_there_is(court: Court) -> None:
    worker, amount = court.workers[0], amount_of(court)
    case = charged(court)
    with acting(court.objections):
        court.staking.slash(worker.id, int(court.staking.bonded(worker.id)) - amount // 3, 0)
    advance(7 * DAY + 1)
    court.panels.execute(case.id)
    assert (court.staking.bonded(worker.id), court.staking.frozen(worker.id), case.status()) == (0, 0, SLASHED)


def test_what_no_stake_can_have_fits_the_word_of_a_case(court: Court) -> None:
    """A price and a speed of which nobody has the stake: the case takes all that there is."""
    worker = court.workers[0]
    with acting(worker.owner):
        court.registry.request_benchmark(worker.id, court.keeper.id)
        court.registry.set_price(worker.id, 2**64 - 1)
    with acting(court.keeper.operator):
        court.registry.attest_benchmark(worker.id, 2**32 - 1, bytes(32))
    assert amount_of(court) > 2**96
    case = trial(court, final=True)
    case.freeze()
    info = court.panels.case(case.id)
    assert (info.amount, info.node, info.status) == (2**96 - 1, worker.id, OPEN)
    case.charge()
    advance(7 * DAY + 1)
    court.panels.execute(case.id)
    assert court.staking.bonded(worker.id) == 0


def test_a_jailed_node_stays_jailed(court: Court) -> None:
    worker, case = court.workers[0], trial(court, final=True)
    with acting(court.governor):
        court.registry.set_status(worker.id, JAILED)
    case.freeze()
    advance(40 * DAY + 1)
    court.panels.clear(case.id)
    assert court.registry.node(worker.id).status == JAILED
