# SPDX-License-Identifier: Apache-2.0
"""Leases: ordered, handed over, settled, paid; also unsigned, twice, too early."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from inferix.models.roles import Outcome
from tests.stateful.model.basics import DAY
from tests.stateful.stage import COINS, PICK, Stage
from tests.stateful.way_out import keep_up

COSTS = st.sampled_from([0, 10**7 - 1, 10**7, 3 * 10**9 + 1, 10**12 + 7])


class LeaseRules(Stage):
    """Clients lease machines; what they cost is paid by their signature alone."""

    @precondition(lambda self: self.bench.model.credit.accounts)
    @rule(client=st.integers(0, 1), coin=COINS, cost=COSTS, manager=st.integers(0, 1), pick=PICK, forged=st.booleans())
    def lease(self, client: int, coin: str, cost: int, manager: int, pick: int, forged: bool) -> None:
        """Only ordered; `deliver` may hand it over, or the deadline ends it."""
        self._lease(client, coin, cost, manager, pick, forged)

    @rule(costs=st.lists(COSTS, min_size=1, max_size=3), manager=st.integers(0, 1), pick=PICK, days=st.integers(1, 3))
    def busy_leases(self, costs: list[int], manager: int, pick: int, days: int) -> None:
        """Some leases from order to payment."""
        for at, cost in enumerate(costs):
            before = set(self.world.mirror.tasks)
            self._lease(at % 2, ("usd", "cents")[at % 2], cost, manager, pick, forged=False)
            for task in set(self.world.mirror.tasks) - before:
                self.bench.floor.deliver(self.world.mirror.tasks[task], Outcome.LEASED)
        for _ in costs:
            self.docket.settle(self.world.managers[manager].id)
        for _ in range(days):
            self._pass(DAY)
            keep_up(self.bench, self.docket)

    @precondition(lambda self: self.bench.model.work.leases())
    @rule(pick=PICK, is_signed=st.booleans())
    def pay_lease(self, pick: int, is_signed: bool) -> None:
        batch, leaf = self._of(self.bench.model.work.leases(), pick)
        self.docket.pay_lease(batch, leaf, is_signed=is_signed)

    def _lease(self, client: int, coin: str, cost: int, manager: int, pick: int, forged: bool) -> None:
        node = self._of(self.world.workers, pick).id
        terms = {"manager": manager, "price": 0, "attempts": 1, "cap": cost, "days": 5, "node": node}
        self.bench.order(client, coin, terms, self.world.stranger if forged else None)
