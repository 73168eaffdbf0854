# SPDX-License-Identifier: Apache-2.0
"""False three times in thirty days: all of the stake, and a ban."""

from dataclasses import dataclass, field
from typing import Any

import boa
import pytest

from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Court
from tests.contracts.disputes.test_panels import Trial
from tests.contracts.system import ACTIVE, BANNED, DAY, FROZEN, Node, acting, advance, now

SLASHABLE, SLASHED = 2, 4


@dataclass
class Record:
    """A worker's rejections, by default the first one's."""

    court: Court
    at: int = 0
    trials: list[Trial] = field(default_factory=list)

    @property
    def worker(self) -> Node:
        return self.court.workers[self.at]

    @property
    def ids(self) -> list[bytes]:
        return [trial.id for trial in self.trials]

    def case(self, at: int) -> Any:
        """As Panels has it."""
        return self.court.panels.case(self.ids[at])

    def deliver(self) -> tuple[BatchLeaf, BatchLeaf]:
        """A result that is rejected, and the other worker's that is accepted."""
        court, name = self.court, f"strike {self.court.fresh_key().address}"
        task, other = court.ballot(name).leaf.task, court.workers[1 - self.at]
        first, second = (court.drawn(task, attempt, who)[:3] for attempt, who in enumerate((self.worker, other)))
        rejected = court.ballot(name, outcome=Outcome.REJECTED, worker=self.worker, voters=first)
        return rejected.leaf, court.ballot(name, attempt=1, worker=other, voters=second).leaf

    def propose(self, leaves: tuple[BatchLeaf, BatchLeaf]) -> None:
        """Frozen, final, charged."""
        batch = self.court.batch(list(leaves))
        self.trials.append(Trial(self.court, batch, *(batch.leaves.index(leaf) for leaf in leaves)))
        self.trials[-1].freeze()
        self.court.make_final(batch)
        self.trials[-1].charge()

    def note(self, at: int = -1) -> None:
        """When that was delivered."""
        trial = self.trials[at]
        self.court.strikes.note(trial.batch.item(trial.rejected))

    def end(self) -> None:
        """Nobody appealed."""
        advance(int(self.court.window("appeal_window")) + 1)
        for trial in self.trials:
            if trial.status() == SLASHABLE:
                self.court.panels.execute(trial.id)

    def reject(self) -> None:
        """Once more, from delivery to slash."""
        self.propose(self.deliver())
        self.note()
        self.end()

    def delivered_at(self, at: int) -> int:
        """As it was noted."""
        case = self.case(at)
        return int(self.court.strikes.delivered_at(case.commitment, case.index))


@pytest.fixture
def record(court: Court) -> Record:
    """Two times are over; the worker is back at work."""
    found = Record(court)
    for _ in range(2):
        found.reject()
    return found


def test_the_third_time_takes_everything_and_bans(court: Court, record: Record) -> None:
    node = record.worker.id
    with acting(record.worker.owner):
        court.staking.unbond(node, 5)
    record.reject()
    stake, supply, pool = court.staking.bonded(node) + 5, court.ifx.totalSupply(), court.penalty_pool
    pooled = court.ifx.balanceOf(pool)
    assert stake > 0 and court.registry.node(node).status == ACTIVE
    assert court.strikes.strike_out(record.ids) == stake
    assert (court.staking.bonded(node), court.staking.unbonding(node)) == (0, 0)
    assert court.registry.node(node).status == BANNED
    assert court.registry.is_banned(record.worker.owner)
    assert supply - court.ifx.totalSupply() == stake - stake // 2
    assert court.ifx.balanceOf(pool) - pooled == stake // 2


def test_two_times_cost_no_more_than_two_fines(court: Court, record: Record) -> None:
    first, second = record.ids
    for ids in ([first, second, second], [first, first, second]):
        with boa.reverts("Strikes: counted before"):
            court.strikes.strike_out(ids)
    with boa.reverts("Strikes: not slashed"):
        court.strikes.strike_out([first, second, bytes(32)])
    assert court.registry.node(record.worker.id).status == ACTIVE


def test_a_case_that_is_not_over_is_no_strike(court: Court, record: Record) -> None:
    record.propose(record.deliver())
    record.note()
    with boa.reverts("Strikes: not slashed"):
        court.strikes.strike_out(record.ids)
    assert court.registry.node(record.worker.id).status == FROZEN
    record.end()
    court.strikes.strike_out(record.ids)


def test_a_case_that_nobody_noted_is_no_strike(court: Court, record: Record) -> None:
    record.propose(record.deliver())
    record.end()
    with boa.reverts("Strikes: not noted"):
        court.strikes.strike_out(record.ids)
    record.note()
    court.strikes.strike_out(record.ids)


def test_attack_one_broken_card_spread_over_a_month_by_its_manager_is_one_time(court: Court) -> None:
    """Three tasks under way, all spoiled; the manager proposes one, and the next whenever the worker is back."""
    record = Record(court)
    delivered = [record.deliver() for _ in range(3)]
    for leaves in delivered:
        record.propose(leaves)
        record.note()
        record.end()
    assert [trial.status() for trial in record.trials] == [SLASHED] * 3
    assert record.case(2).frozen_at > record.case(1).charged_at + 7 * DAY > record.case(0).charged_at + 14 * DAY
    with boa.reverts("Strikes: not a time of its own"):
        court.strikes.strike_out(record.ids)


@pytest.mark.parametrize("more", [0, 1])
def test_thirty_days_are_counted_from_the_first_delivery_to_the_third(court: Court, more: int) -> None:
    record = Record(court)
    for _ in range(2):
        record.reject()
    with boa.env.anchor():
        began = now()
        third = record.deliver()
        record.propose(third)
        record.note()
        lag = record.delivered_at(2) - began
    record.trials.pop()
    advance(record.delivered_at(0) + 30 * DAY + more - lag - now())
    record.reject()
    assert record.delivered_at(2) == record.delivered_at(0) + 30 * DAY + more
    if more:
        with boa.reverts("Strikes: more than thirty days"):
            court.strikes.strike_out(record.ids)
    else:
        court.strikes.strike_out(record.ids)


def test_strikes_are_a_workers_own_and_count_in_their_order(court: Court, record: Record) -> None:
    other = Record(court, at=1)
    other.reject()
    with boa.reverts("Strikes: of two workers"):
        court.strikes.strike_out([*record.ids, other.ids[0]])
    record.reject()
    with boa.reverts("Strikes: not a time of its own"):
        court.strikes.strike_out(record.ids[::-1])


def test_attack_a_pardoned_worker_is_not_struck_out_for_the_same_again(court: Court, record: Record) -> None:
    record.reject()
    court.strikes.strike_out(record.ids)
    with acting(court.governor):
        court.registry.set_status(record.worker.id, ACTIVE)
    court.stake(record.worker, 10**18)
    with boa.reverts("Strikes: counted before"):
        court.strikes.strike_out(record.ids)


def test_attack_a_ban_through_another_machine_saves_no_stake(court: Court, record: Record) -> None:
    record.reject()
    with acting(court.governor):
        court.registry.set_status(record.worker.id, BANNED)
    assert court.strikes.strike_out(record.ids) > 0
    assert court.staking.bonded(record.worker.id) == 0


def test_a_delivery_is_noted_of_the_leaf_of_the_case_once_while_its_seed_is_known(court: Court) -> None:
    record = Record(court)
    leaves = record.deliver()
    batch = court.batch(list(leaves))
    at = batch.leaves.index(leaves[0])
    with boa.reverts("Strikes: no case"):
        court.strikes.note(batch.item(at))
    sealed = court.batches.sealed_at(court.keeper.id, leaves[0].anchor)
    court.panels.freeze(*batch.item(at))
    header, leaf, index, proof = batch.item(at)
    with boa.reverts("Strikes: another batch"):
        court.strikes.note((batch.header.replace(sequence=9).values(), leaf, index, proof))
    for wrong in ((header, leaf, 1 - index, proof), (header, (*leaf[:-1], leaf[-1] + 1), index, proof)):
        with boa.reverts("Strikes: no such leaf"):
            court.strikes.note(wrong)
    advance(5 * DAY)
    court.strikes.note(batch.item(at))
    assert court.strikes.delivered_at(batch.commitment, index) == sealed
    with boa.reverts("Strikes: noted before"):
        court.strikes.note(batch.item(at))


def test_a_pause_after_a_delivery_makes_it_earlier_never_later(court: Court) -> None:
    record = Record(court)
    leaves = record.deliver()
    record.propose(leaves)
    sealed = court.batches.sealed_at(court.keeper.id, leaves[0].anchor)
    with acting(court.guardian):
        court.parameters.pause()
    advance(2 * DAY)
    record.note()
    assert record.delivered_at(0) == sealed - 2 * DAY
