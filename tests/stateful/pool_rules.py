# SPDX-License-Identifier: Apache-2.0
"""Somebody trades where fees are burned; anybody has prices taken; the governor says where IFX is bought and priced."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from inferix.models.roles import Outcome
from tests.stateful.model.basics import BPS, DAY
from tests.stateful.model.pool import HALF_HOUR
from tests.stateful.stage import COINS, PICK, SMALL
from tests.stateful.trading import Trading
from tests.stateful.work_rules import WorkRules
from tests.stateful.world import parameter

SIZES = st.sampled_from([0, 1, 30, 51, 300, 600, 3_000, 20_000])  # bps of the pair's reserve
ACTS = [
    *("buy", "buy", "sell", "sell", "sandwich", "sandwich", "give", "take", "skim", "sync", "add", "remove"),
    *("observe", "observe", "roll", "pool", "reference", "collect", "collect", "collect", "penalties"),
]
GOVERNMENT = ["add", "remove", "staking", "fee_burner", "fee_burner", "inventory", "parameter", "parameter"]
GOVERNED = {
    "swap_share_bps": (30, 50, 1),
    "swap_interval": (600, 1, 86_400),
    "swap_slippage_bps": (200, 70, 500),
    "price_warn_bps": (9_500, 9_000, 9_999),
    "price_halt_bps": (9_000, 8_000, 9_900),
    "price_stale": (604_800, 7_200, 3_600),
}
PAUSES = st.sampled_from([0, 0, 0, 12, 599, 600, HALF_HOUR - 1, HALF_HOUR, 2 * HALF_HOUR, 7_201, 3 * DAY])
TRADES = st.tuples(st.sampled_from(ACTS), COINS, SIZES, SMALL, PAUSES)


class PoolRules(WorkRules):
    """Also wrong amounts, wrong people and wrong times: both sides must refuse them."""

    @property
    def _trading(self) -> Trading:
        return self.docket.trading

    @initialize(burns=st.booleans(), prices=st.booleans())
    def markets(self, burns: bool, prices: bool) -> None:
        """Fees are burned, and stakes are priced, by the pool or by the reference."""
        for reader, there in (("fee_burner", burns), ("staking", prices)):
            assert not there or self._trading.set_market(reader, "pool_market")

    @rule(
        work=st.sampled_from([10**9 + 1, 10**10, 10**11]), client=PICK, trades=st.lists(TRADES, min_size=3, max_size=6)
    )
    def market_days(self, work: int, client: int, trades: list[Any]) -> None:
        """Fees of fresh work are there to be burned, and the pool was looked at."""
        self._job(client % 3 // 2, work, 0, [Outcome.ACCEPTED])
        self.docket.settle(self.world.managers[0].id)
        self._pass(DAY)
        self._trading.keep()
        for batch in self.docket.live():
            if batch.is_honest:
                self.docket.finalize(batch)
        self.trade(trades)

    @rule(trades=st.lists(TRADES, min_size=1, max_size=3))
    def trade(self, trades: list[Any]) -> None:
        """Some time passes before each: none, short of half an hour, just that, or beyond."""
        for act, coin, part, more, seconds in trades:
            if seconds:
                self._pass(seconds)
            done = {**self._trades(part, more), **self._prices(coin, part, more)}[act]()
            assert act != "penalties" or not done, "penalties are moved by the close of an epoch alone"
            self.agrees()

    def _trades(self, part: int, more: int) -> dict[str, Callable[[], Any]]:
        trading, pair = self._trading, self._trading.pair
        ifx, units = (reserve * part // BPS + more for reserve in (pair.ifx, pair.units))
        who = self.world.stranger if more == 3 else None
        return {
            "buy": lambda: self._in_parts(units, for_ifx=True) or trading.exchange(units, for_ifx=True, who=who),
            "sell": lambda: (
                self._in_parts(ifx, for_ifx=False) or trading.exchange(ifx, units * (more % 2), for_ifx=False)
            ),
            "sandwich": lambda: trading.sandwich(units),
            "give": lambda: trading.give("ifx", ifx // 10) if more % 2 else trading.give("usd", units // 10),
            "take": lambda: trading.give("usd", units // 10) and trading.take(trading.worth() + more % 2, 0),
            "skim": trading.skim,
            "sync": trading.sync,
            "add": lambda: trading.add(ifx, units * (1 + more) // 2),
            "remove": lambda: trading.remove(pair.shares.of(trading.trader) * part // BPS + more),
        }

    def _prices(self, coin: str, part: int, more: int) -> dict[str, Callable[[], Any]]:
        trading, who = self._trading, self.world.stranger if more == 3 else None
        units = trading.pair.units * part // BPS + more
        mean = self.bench.sync().markets.pools.health(self.world.addresses["usd"])[2]
        least = units * 10**21 // mean if mean and more == 2 else 0
        sold = trading.pair.units * min(part, 30) // BPS + more - 1
        return {
            "observe": lambda: trading.observe("usd" if part else coin),
            "roll": trading.roll,
            "pool": lambda: trading.buy("pool_market", "usd" if part else coin, max(0, sold), least, who),
            "reference": lambda: trading.buy("market", coin, units, least, who),
            "collect": lambda: trading.collect("usd" if part else coin),
            "penalties": lambda: self.world.send(self.world.stranger, "penalty_pool", "release").done,
        }

    def _in_parts(self, amount: int, *, for_ifx: bool) -> None:
        trader, usd, pair = self._trading.trader, self.world.addresses["usd"], self._trading.pair
        if pair.held != (pair.ifx, pair.units):
            return  # a gift is shared with whoever comes second
        self.bench.parts(
            lambda m: m.markets.pools.pairs[usd].exchange(trader, amount, for_ifx=for_ifx),
            lambda m: sum(
                m.markets.pools.pairs[usd].exchange(trader, part, for_ifx=for_ifx)
                for part in (amount // 2, amount - amount // 2)
            ),
        )

    @rule(act=st.sampled_from(GOVERNMENT), coin=COINS, pick=PICK, name=st.sampled_from(sorted(GOVERNED)), by=PICK)
    def govern_pool(self, act: str, coin: str, pick: int, name: str, by: int) -> None:
        trading, who = self._trading, self.world.governor if by else self.world.stranger
        market = ("pool_market", "market")[pick % 3 // 2]
        ground, value = self.bench.model.ground, self._of(GOVERNED[name], pick)
        if act == "parameter":
            ask = lambda: ground.set(name, value)  # noqa: E731
            self.bench.both(self.world.governor, ask, "parameters", "set", parameter(name), value)
            return
        inventory = ground.ifx.of(self.world.addresses["market"]) * (pick % 4) // 2
        acts = {
            "add": lambda: trading.add_pool("usd" if pick else coin, who),
            "remove": lambda: (
                trading.remove_pool("usd" if pick else coin, who) and pick % 3 and trading.add_pool("usd")
            ),
            "staking": lambda: trading.set_market("staking", market, who),
            "fee_burner": lambda: trading.set_market("fee_burner", market, who),
            "inventory": lambda: trading.withdraw_inventory(inventory, who),
        }
        acts[act]()
