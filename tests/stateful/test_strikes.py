# SPDX-License-Identifier: Apache-2.0
"""A worker whose results are false in three times of work, by the machine's own acts: in the end it has nothing."""

from inferix.models.roles import CaseStatus, Outcome
from tests.contracts.system import DAY, JAILED
from tests.stateful.life import Life, Watched
from tests.stateful.machine import Machine
from tests.stateful.model.courts import Case
from tests.stateful.model.stake import ACTIVE, BANNED
from tests.stateful.stage import Stage

JOBS = 12  # until the draws come by a worker


class Cheat:
    """One of two workers that are left, which is rejected now and then."""

    def __init__(self, machine: Machine, life: Life) -> None:
        self.machine, self.life, self.docket = machine, life, machine.docket
        self.id, _, *others = (worker.id for worker in machine.world.workers)
        for id in others:
            node = machine.bench.model.stakes.nodes[id]
            ask = lambda n=node: setattr(n, "stored", JAILED)  # noqa: E731
            assert machine.bench.both(machine.world.governor, ask, "registry", "set_status", id, JAILED)

    def order(self) -> bytes | None:
        """A job; the task whose result the cheat was rejected for, if it was drawn."""
        machine, jobs = self.machine, self.machine.world.mirror.jobs
        before, found = set(jobs), None
        terms = {"manager": 0, "price": 20_000_000, "attempts": 3, "frames": 1, "work": 10**9, "days": 5}
        machine.bench.order(0, "usd", terms | {"cap": 4 * 10**7})
        for state in jobs[(set(jobs) - before).pop()].tasks:
            machine.bench.floor.deliver(state, Outcome.ACCEPTED, stop=2)
            assert state.current is not None
            if state.current.node == self.id and found is None:
                found = state.task.id
                machine.bench.floor.deliver(state, Outcome.REJECTED)
            machine.bench.floor.deliver(state, Outcome.ACCEPTED)
        machine.agrees()
        return found

    def is_rejected(self) -> Case:
        """Once, redone by the other, charged when all is final, and slashed when nobody appealed."""
        task = next(task for task in (self.order() for _ in range(JOBS)) if task)
        while self.docket.settle(self.life.first):
            self.machine.agrees()
        (rejected,) = [item[:2] for item in self.docket.leaves(Outcome.REJECTED) if item[2].task == task]
        self.life.once(self.docket.freeze, *rejected)
        self.machine._pass(DAY)
        for batch in self.docket.live():
            self.life.yes(self.docket.finalize, batch)
        (case,) = self.docket.cases(CaseStatus.FROZEN)
        (redone,) = [item[:2] for item in self.docket.leaves(Outcome.ACCEPTED) if item[2].task == task]
        self.life.once(self.docket.redone, case, *redone)
        self.life.once(self.docket.note, case)
        self.life.no(self.docket.strike_out, case)
        self.machine._pass(7 * DAY + 1)
        self.life.once(self.docket.execute, case)
        return case


def test_three_times_false_within_thirty_days_agree_to_the_last_wei(world: Watched) -> None:
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        cheat = Cheat(machine, Life(machine, world))
        node = machine.bench.model.stakes.nodes[cheat.id]
        for _ in range(2):
            cheat.life.no(machine.docket.strike_out, cheat.is_rejected())
            assert node.stored == ACTIVE and node.total > 0
        cheat.life.once(machine.docket.strike_out, cheat.is_rejected())
        assert (node.stored, node.total) == (BANNED, 0)
    finally:
        machine.teardown()
