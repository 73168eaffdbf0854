# SPDX-License-Identifier: Apache-2.0
"""PoolMarket and FeeBurner under random charges, trades, times and collects: every unit of the coin and every wei counts."""

from collections.abc import Callable
from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.issuance.pools import EPOCH, Pools, charge
from tests.contracts.system import USD, acting, key
from tests.contracts.uniswap import spot, wait
from tests.contracts.work.books import Ledger

STEPS = st.one_of(
    st.tuples(st.just("charge"), st.integers(1, 20 * USD)),
    st.tuples(st.just("collect"), st.just(0)),
    st.tuples(st.just("collect"), st.just(0)),
    st.tuples(st.just("buy"), st.integers(1, 300 * 10**6)),
    st.tuples(st.just("sell"), st.integers(10**15, 3_000 * 10**18)),
    st.tuples(st.just("give"), st.integers(1, 50 * 10**6)),
    st.tuples(st.just("sync"), st.just(0)),
    st.tuples(st.just("observe"), st.just(0)),
    st.tuples(st.just("roll"), st.just(0)),
    st.tuples(st.just("claim"), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([1, 12, 600, 1_800, 7_201, EPOCH])),
)


class Run:
    """Does steps, and knows what must come of them."""

    def __init__(self, pools: Pools) -> None:
        self.pools, self.network = pools, pools.network
        self.burner, self.ledger = pools.network.fee_burner, Ledger(pools.network)
        pools.burn_here()
        self.supply = self.network.ifx.totalSupply()
        self.spent = self.burned = self.claimed = 0
        self.price, self.epoch = self.network.market.price(), pools.market.epoch()

    def step(self, name: str, amount: int) -> None:
        """One step, which may be refused."""
        pools, usd = self.pools, self.pools.usd
        steps: dict[str, Callable[[], Any]] = {
            "charge": lambda: charge(self.ledger, amount),
            "collect": self.collect,
            "buy": lambda: pools.exchange.buy(usd, amount),
            "sell": lambda: pools.exchange.sell(usd, amount),
            "give": lambda: pools.exchange.give(usd, pools.pair.address, amount),
            "sync": pools.pair.sync,
            "observe": pools.observe,
            "roll": pools.market.roll,
            "claim": self.claim,
            "wait": lambda: wait(amount),
        }
        try:
            steps[name]()
        except boa.BoaError as error:
            if not any(reason in str(error) for reason in REFUSALS):
                raise

    def collect(self) -> None:
        """Whatever it spends was offered, and brings no less than the mean less the slippage."""
        waiting, usd = self.burner.to_burn(self.pools.usd), self.pools.usd
        offered, mean = self.pools.market.offer(self.burner, usd)
        with acting(key("anybody")):
            burned = self.burner.collect(usd)
        events = {type(event).__name__: event for event in self.burner.get_logs()}
        bought = events.get("FeesBurned")
        if bought is None:
            assert burned == 0 == min(offered, waiting + self.collected(events))
            return
        assert bought.burned == burned
        assert bought.spent <= min(offered, waiting + self.collected(events))
        assert burned >= bought.spent * 10**21 // mean * 98 // 100
        self.spent, self.burned = self.spent + bought.spent, self.burned + burned

    def collected(self, events: dict[str, Any]) -> int:
        """Of what was just collected, the share that is to be burned."""
        found = events.get("Collected")
        return found.amount - found.foundation - found.managers if found else 0

    def claim(self) -> None:
        """The manager's part."""
        self.claimed += self.burner.claim_manager(self.network.manager.id, self.pools.usd)

    def check(self) -> None:
        """Coins in = spent + waiting + kept + the foundation's; what was bought is burned; the price moves a fifth."""
        usd, network, burner = self.pools.usd, self.network, self.burner
        foundation = burner.foundation_due(usd)
        waiting, unpaid = burner.to_burn(usd), burner.unpaid(usd)
        assert burner.collected(usd) == self.spent + waiting + unpaid + self.claimed + foundation
        assert usd.balanceOf(burner) == waiting + unpaid + foundation
        assert network.ifx_dollar.coin(usd).released == burner.collected(usd) * 1000
        assert network.ifx.totalSupply() == self.supply - self.burned
        assert burner.burned() == self.burned
        assert network.ifx.balanceOf(burner) == network.ifx.balanceOf(self.pools.market) == 0
        assert usd.balanceOf(self.pools.market) == 0
        price, epoch = self.pools.market.price(), self.pools.market.epoch()
        assert price > 0
        assert abs(price - self.price) * 5 <= self.price if epoch != self.epoch else price == self.price
        self.price, self.epoch = price, epoch
        health = self.pools.market.health(usd)
        assert abs(health.spot - spot(self.pools.exchange, usd, 10**6)) <= 1


REFUSALS = (
    "FeeBurner: nothing to collect",
    "FeeBurner: the market sells nothing now",
    "FeeBurner: nothing to claim",
    "FeeBurner: nothing collected",
    "FeeBurner: collect first",
    "PoolMarket: less than the minimum",
    "PoolMarket: observed within 30 minutes",
    "PoolMarket: rolled already",
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=8, max_size=24))
def test_whatever_happens_every_unit_and_wei_is_accounted_for(fresh_pools: Pools, steps: list[tuple[str, int]]) -> None:
    with boa.env.anchor():
        run = Run(fresh_pools)
        for name, amount in [("charge", 10 * USD), ("observe", 0), ("wait", 1_800), ("collect", 0), *steps]:
            run.step(name, amount)
            run.check()
        assert run.burned > 0, "the market was open at first"


@pytest.mark.parametrize("amount", [1, 999, 1_000_001])
def test_the_last_units_are_burned_too(pools: Pools, amount: int) -> None:
    run = Run(pools)
    run.step("charge", amount * 1000 * 10 // 8)
    run.step("observe", 0)
    run.step("wait", 1_800)
    for _ in range(3):
        run.step("collect", 0)
        run.step("wait", 600)
        run.check()
    assert run.burner.to_burn(pools.usd) == 0
