# SPDX-License-Identifier: Apache-2.0
"""Work of managers that fell silent: proposed alone, too early, by others, with wrong papers, beside its lane."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from inferix.models.roles import Outcome
from tests.stateful.exits import WRONG
from tests.stateful.model.basics import DAY
from tests.stateful.model.work import CANCELLED, FINAL, PROPOSED, Batch
from tests.stateful.stage import PICK, Stage
from tests.stateful.way_out import turn

ENDS = st.lists(st.sampled_from([Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.REJECTED]), min_size=1, max_size=2)
WORKS = st.sampled_from([10**9, 10**10 + 1, 3 * 10**12])


class EscapeRules(Stage):
    """Workers, and whoever else tries."""

    @precondition(lambda self: self.docket.decided(batched=None))
    @rule(pick=PICK, by=st.integers(0, 5), wrong=st.sampled_from(["", "", "", *WRONG]), batched=st.booleans())
    def escape(self, pick: int, by: int, wrong: str, batched: bool) -> None:
        """At whatever time; ``batched``: also what is in a batch already."""
        found = self.docket.decided(batched=None if batched else False)
        if found:
            decided = self._of(found, pick)
            node = self.world.nodes[decided[1].node]
            who = {0: node.operator, 1: self.world.challenger, 2: self.world.clients[0]}.get(by, node.owner)
            self.docket.escape(decided, who, wrong)

    @rule(client=st.integers(0, 1), work=WORKS, manager=st.integers(0, 1), ends=ENDS, days=st.integers(0, 3))
    def silent_manager(self, client: int, work: int, manager: int, ends: list[Outcome], days: int) -> None:
        """Work that is checked and never proposed; a day later its workers do, and everybody turns the cranks."""
        self.silence(client, work, manager, ends)
        for decided in self.docket.decided():
            if self.bench.steps % 3 == 0:
                self.docket.escape(decided, self.docket.worker_of(decided))  # too early, if not of an earlier day
        self._pass(DAY)
        self.docket.escape_all()
        for decided in self.docket.decided(batched=True)[: days % 2]:
            self.docket.escape(decided, self.docket.worker_of(decided))  # twice, or a lie beside its lane
        for _ in range(days):
            self._pass(DAY)
            turn(self.bench, self.docket)

    @precondition(lambda self: self.docket.alone(PROPOSED, FINAL))
    @rule(pick=PICK)
    def repeat_alone(self, pick: int) -> None:
        """The lane comes back: what waits alone gives way to it, what is final does not."""
        alone = self._of(self.docket.alone(PROPOSED, FINAL), pick)
        if alone.is_honest:
            # Where its window is over nobody could show any more that its leaf is elsewhere too.
            self.docket.finalize(alone)
            self.docket.repeat(alone)

    @precondition(lambda self: self.docket.alone(PROPOSED))
    @rule(pick=PICK)
    def cross(self, pick: int) -> None:
        """The lane comes back at the last moment, and nobody shows it before what stood alone is final."""
        self.cross_late(self._of(self.docket.alone(PROPOSED), pick))

    @precondition(lambda self: self.docket.alone(PROPOSED, FINAL, CANCELLED))
    @rule(pick=PICK, times=st.integers(1, 2))
    def release_bond(self, pick: int, times: int) -> None:
        for _ in range(times):
            self.docket.release(self._of(self.docket.alone(PROPOSED, FINAL, CANCELLED), pick))

    # -- courses

    def silence(self, client: int, work: int, manager: int, ends: list[Outcome]) -> None:
        """A job from order to votes."""
        price, before = 20_000_000, set(self.world.mirror.jobs)
        fees = sum(max(10**7, -(-task * price // 10**9)) for task in (work, -(-work // 10)))
        terms = {"manager": manager, "price": price, "attempts": 3, "frames": 1, "work": work, "days": 5, "cap": fees}
        self.bench.order(client, ("usd", "cents")[client], terms)
        for job in set(self.world.mirror.jobs) - before:
            for outcome in ends:
                for state in self.world.mirror.jobs[job].tasks:
                    self.bench.floor.deliver(state, outcome)

    def cross_late(self, alone: Batch) -> None:
        """Just before the end of its window."""
        clock, window = self.bench.sync().ground.clock, self.bench.model.ground.parameters["batch_window"]
        left = alone.proposed_at + window - clock.protocol
        if not alone.is_honest or alone.disputes or clock.paused or left <= 1:
            return
        self._pass(left - 1)
        beside = self.docket.repeat(alone)
        if beside is None:
            return
        alone.is_honest, beside.is_honest = True, False
        self.docket.lies[beside.commitment] = self.docket.lies.pop(alone.commitment)
        self.world.wait(1)
        assert self.docket.finalize(alone)
        self.docket.convict(beside)
