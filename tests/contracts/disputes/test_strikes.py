# SPDX-License-Identifier: Apache-2.0
"""False three times in thirty days: all of the stake, and a ban."""

from dataclasses import dataclass, field

import boa
import pytest

from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Court
from tests.contracts.disputes.test_panels import Trial
from tests.contracts.system import ACTIVE, BANNED, DAY, FROZEN, Node, acting, advance, now

SPELL = 10 * DAY  # from one rejection to the next, with the appeal's time between


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

    def reject(self, *, slashed: bool = True) -> None:
        """Once more, redone by another; slashed when the time to appeal is over."""
        court, name = self.court, f"strike {len(self.trials)} of {self.at}"
        task, other = court.ballot(name).leaf.task, court.workers[1 - self.at]
        first, second = (court.drawn(task, attempt, who)[:3] for attempt, who in enumerate((self.worker, other)))
        leaves = [
            court.ballot(name, outcome=Outcome.REJECTED, worker=self.worker, voters=first).leaf,
            court.ballot(name, attempt=1, worker=other, voters=second).leaf,
        ]
        batch = court.batch(leaves)
        places = [batch.leaves.index(leaf) for leaf in leaves]
        self.trials.append(Trial(court, batch, *places))
        self.trials[-1].freeze()
        court.make_final(batch)
        self.trials[-1].charge()
        if slashed:
            self.end()

    def end(self) -> None:
        """Nobody appealed."""
        advance(int(self.court.window("appeal_window")) + 1)
        for trial in self.trials:
            if trial.status() == 2:
                self.court.panels.execute(trial.id)

    def wait(self, seconds: int = SPELL) -> None:
        """Until so many seconds after the last rejection."""
        since = int(self.court.panels.case(self.ids[-1]).frozen_at)
        advance(since + seconds - now())


@pytest.fixture
def record(court: Court) -> Record:
    """Two times are over; the worker has put up what it lost, and works again."""
    found = Record(court)
    for _ in range(2):
        found.reject()
        found.wait()
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
    with boa.reverts("Strikes: banned already"):
        court.strikes.strike_out(record.ids)


def test_two_times_cost_no_more_than_two_fines(court: Court, record: Record) -> None:
    first, second = record.ids
    for ids, why in (
        ([first, second, second], "not a time of its own"),
        ([first, first, second], "not a time of its own"),
        ([first, second, bytes(32)], "not slashed"),
    ):
        with boa.reverts(f"Strikes: {why}"):
            court.strikes.strike_out(ids)
    assert court.registry.node(record.worker.id).status == ACTIVE


def test_a_case_that_is_not_over_is_no_strike(court: Court, record: Record) -> None:
    record.reject(slashed=False)
    with boa.reverts("Strikes: not slashed"):
        court.strikes.strike_out(record.ids)
    assert court.registry.node(record.worker.id).status == FROZEN
    record.end()
    court.strikes.strike_out(record.ids)


def test_what_was_spoiled_before_the_worker_was_told_is_one_time(court: Court) -> None:
    """One broken card, three tasks under way."""
    record = Record(court)
    for _ in range(3):
        record.reject(slashed=False)
    record.end()
    assert [trial.status() for trial in record.trials] == [4, 4, 4]
    with boa.reverts("Strikes: not a time of its own"):
        court.strikes.strike_out(record.ids)


@pytest.mark.parametrize("more", [0, 1])
def test_thirty_days_are_counted_from_the_first_opening_to_the_third(court: Court, more: int) -> None:
    record = Record(court)
    began = now()
    for _ in range(2):
        record.reject()
        record.wait()
    first = int(court.panels.case(record.ids[0]).frozen_at)
    advance(began + 30 * DAY + more - now())
    record.reject()
    assert int(court.panels.case(record.ids[2]).frozen_at) == first + 30 * DAY + more
    if more:
        with boa.reverts("Strikes: more than thirty days"):
            court.strikes.strike_out(record.ids)
    else:
        court.strikes.strike_out(record.ids)


def test_strikes_are_a_workers_own(court: Court, record: Record) -> None:
    other = Record(court, at=1)
    other.reject()
    with boa.reverts("Strikes: of two workers"):
        court.strikes.strike_out([*record.ids, other.ids[0]])


def test_strikes_count_in_their_order(court: Court, record: Record) -> None:
    record.reject()
    with boa.reverts("Strikes: not a time of its own"):
        court.strikes.strike_out(record.ids[::-1])
