# SPDX-License-Identifier: Apache-2.0
"""What all rules stand on: a run of the world, its model, and choices among what there is."""

import sys
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from inferix.replay.state import AttemptStatus, TaskState
from tests.contracts.system import Node
from tests.stateful.bench import Bench
from tests.stateful.exits import Exits
from tests.stateful.model.basics import BPS, DAY
from tests.stateful.way_out import leave
from tests.stateful.world import World

T = TypeVar("T")

COINS = st.sampled_from(["usd", "cents"])
PART = st.sampled_from([0, 1, 100, 2_500, 5_000, 9_999, BPS, BPS + 1])  # of what there is
SMALL = st.integers(0, 3)  # off it
PICK = st.integers(0, 50)  # which of those that there are


class Stage(RuleBasedStateMachine):
    """Each rule is one act; after each the three are compared. ``total``: acts in all runs."""

    world: World
    total = 0

    def __init__(self) -> None:
        super().__init__()
        self._run = self.world.run()
        self._run.__enter__()
        self.bench = Bench(self.world)
        self.docket = Exits(self.bench)

    def teardown(self) -> None:
        """Everything has a way out without any manager; then the world is as before."""
        try:
            if sys.exc_info()[0] is None:  # a run that failed has said why
                leave(self.bench, self.docket)
        finally:
            self._run.__exit__(None, None, None)

    @initialize(first=st.integers(1, 10**10), second=st.integers(1, 10**6))
    def begin(self, first: int, second: int) -> None:
        """Both clients have paid in, one in each coin."""
        for client, name, units in ((0, "usd", 10**9 + first), (1, "cents", 10**5 + second)):
            who, coin = self.world.clients[client].address, self.world.addresses[name]
            ask = lambda w=who, c=coin, n=units: self.bench.model.credit.top_up(w, c, n, w)  # noqa: E731
            assert self.bench.both(who, ask, "ifx_dollar", "top_up", coin, units, who)

    @invariant()
    def agrees(self) -> None:
        Stage.total += 1
        self.bench.compare()

    def _of(self, items: Sequence[T], pick: int) -> T:
        return items[pick % len(items)]

    def _node(self, pick: int) -> Node:
        return self._of(list(self.world.nodes.values()), pick)

    def _open(self) -> list[TaskState]:
        """Tasks with an attempt that can move on."""
        return [
            state
            for state in self.world.mirror.tasks.values()
            if state.current is not None and state.current.status is not AttemptStatus.ENDED
        ]

    def _pass(self, seconds: int) -> None:
        """Time passes; somebody looks first, so that no lie outlives its window unasked; daily, where a claim stands."""
        while self.bench.model.claims.standing and seconds > DAY:
            self._look()
            self.world.wait(DAY)
            seconds -= DAY
        self._look()
        self.world.wait(seconds)

    def _look(self) -> None:
        for batch in self.docket.live():
            end = batch.proposed_at + self.bench.model.ground.parameters["batch_window"]
            if not batch.is_honest and self.bench.sync().ground.clock.protocol < end:
                self.docket.convict(batch)
        self.docket.look_after_claims()
