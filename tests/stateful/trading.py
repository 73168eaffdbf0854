# SPDX-License-Identifier: Apache-2.0
"""Trades with the pair, its liquidity, and whatever is done to the markets, on world and model alike."""

from collections.abc import Callable
from typing import Any

from tests.contracts.system import IFX
from tests.stateful.bench import Bench
from tests.stateful.model.basics import need
from tests.stateful.model.pair import LEAST, Pair, bought
from tests.stateful.model.pool import HALF_HOUR, Markets

NEVER = 2**256 - 1
SOUND_SHARE = 30  # basis points of the pair's coin: up to here two fees are more than a swap moves the price


class Trading:
    """Acts of the trader, who has IFX, coins and a part of the pair, of the governor, and of anybody."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.world = bench, bench.world
        self.trader = bench.world.trader.address

    @property
    def markets(self) -> Markets:
        """Of the model."""
        return self.bench.model.markets

    @property
    def pair(self) -> Pair:
        """Of IFX and DevUSD."""
        return self.markets.pools.pairs[self.world.addresses["usd"]]

    def _both(self, who: Any, ask: Callable[[], Any], name: str, function: str, *arguments: Any) -> bool:
        """Whoever priced stakes before prices them afterwards, unless the act is refused."""

        def told() -> None:
            ask()
            self.markets.tell()

        return self.bench.both(who, told, name, function, *arguments)

    # -- the pair

    def exchange(self, amount: int, least: int = 0, *, for_ifx: bool, who: Any = None) -> bool:
        """Through the router: so much of the coin for IFX, or the other way."""
        who = str(getattr(who, "address", who) or self.trader)
        path = [self.world.addresses[name] for name in (("usd", "ifx") if for_ifx else ("ifx", "usd"))]
        ask = lambda: self.pair.exchange(who, amount, least, for_ifx=for_ifx)  # noqa: E731
        arguments = (amount, least, path, who, NEVER)
        return self._both(who, ask, "router", "swapExactTokensForTokens", *arguments)

    def give(self, token: str, amount: int) -> bool:
        """To the pair, which takes no note of it yet."""
        pair, ground = self.world.addresses["pair"], self.bench.model.ground
        book = ground.ifx if token == "ifx" else ground.coins[self.world.addresses[token]]
        return self._both(self.trader, lambda: book.move(self.trader, pair, amount), token, "transfer", pair, amount)

    def take(self, ifx: int, units: int) -> bool:
        """Straight out of the pair, for what was given to it."""
        first, second = (ifx, units) if self.pair.ifx_first else (units, ifx)
        ask = lambda: self.pair.swap(ifx, units, self.trader)  # noqa: E731
        return self._both(self.trader, ask, "pair", "swap", first, second, self.trader, b"")

    def worth(self) -> int:
        """IFX that the pair may hand out for units that it took no note of."""
        came = self.pair.held[1] - self.pair.units
        return bought(came, self.pair.units, self.pair.ifx) if came else 0

    def skim(self) -> bool:
        """Anybody takes what the pair took no note of."""
        return self._both(self.trader, lambda: self.pair.skim(self.trader), "pair", "skim", self.trader)

    def sync(self) -> bool:
        """Anybody makes it take note."""
        return self._both(self.world.stranger, self.pair.sync, "pair", "sync")

    def add(self, ifx: int, units: int) -> bool:
        """Liquidity, of the trader."""
        tokens = [self.world.addresses[name] for name in ("ifx", "usd")]
        ask = lambda: self.pair.add(self.trader, ifx, units)  # noqa: E731
        arguments = (*tokens, ifx, units, 0, 0, self.trader, NEVER)
        return self._both(self.trader, ask, "router", "addLiquidity", *arguments)

    def remove(self, shares: int, who: str = "") -> bool:
        """Liquidity again."""
        who = who or self.trader
        tokens = [self.world.addresses[name] for name in ("ifx", "usd")]
        ask = lambda: self.pair.remove(who, shares)  # noqa: E731
        return self._both(who, ask, "router", "removeLiquidity", *tokens, shares, 0, 0, who, NEVER)

    def sandwich(self, amount: int) -> None:
        """Buys before the fee burner and sells after it, in one block: that never pays, where the share is as it should be."""
        self.sync()
        usd, ground = self.world.addresses["usd"], self.bench.model.ground
        coins, ifx = ground.coins[usd].of(self.trader), ground.ifx.of(self.trader)
        if not self.exchange(amount, for_ifx=True):
            return
        self.collect("usd")
        self.exchange(ground.ifx.of(self.trader) - ifx, for_ifx=False)
        gain = ground.coins[usd].of(self.trader) - coins
        assert gain <= 0 or ground.parameters["swap_share_bps"] > SOUND_SHARE, f"a sandwich brings {gain} units"

    # -- the markets

    def collect(self, coin: str) -> bool:
        """Anybody has fees taken and burned."""
        address = self.world.addresses[coin]
        ask = lambda: self.bench.model.work.collect(address)  # noqa: E731
        return self.bench.both(self.world.stranger, ask, "fee_burner", "collect", address)

    def buy(self, market: str, coin: str, amount: int, least: int = 0, who: Any = None) -> bool:
        """Straight from a market, which sells to anybody."""
        who, address = str(getattr(who, "address", who) or self.trader), self.world.addresses[coin]
        ask = lambda: self.markets.named(market).buy(who, address, amount, least)  # noqa: E731
        return self._both(who, ask, market, "buy", address, amount, least)

    def observe(self, coin: str) -> bool:
        """Anybody has a pool looked at."""
        address = self.world.addresses[coin]
        ask = lambda: self.markets.pools.observe(address)  # noqa: E731
        return self._both(self.world.stranger, ask, "pool_market", "observe", address)

    def roll(self) -> bool:
        """Anybody has the epoch's price taken."""
        return self._both(self.world.stranger, self.markets.pools.roll, "pool_market", "roll")

    def keep(self) -> None:
        """As keepers do: each pool is looked at, where half an hour has passed, and the price is rolled with it."""
        pools = self.bench.sync().markets.pools
        for coin in sorted(pools.open):
            if self.world.now >= pools.newest[coin].time + HALF_HOUR:
                assert self.observe(next(name for name in ("usd", "cents") if self.world.addresses[name] == coin))

    # -- the way out

    def leave(self) -> None:
        """What no market sold for is burned at the reference's price, and liquidity goes back to whose it is."""
        self._burn_what_waits()
        self.skim()
        for who in (self.trader, self.world.treasury):
            shares = self.pair.shares.of(who)
            assert not shares or self.remove(shares, who), "liquidity that nobody can take out"
        assert self.pair.shares.supply == LEAST, "shares without an owner"

    def _burn_what_waits(self) -> None:
        work, ground = self.bench.model.work, self.bench.model.ground
        if self.markets.read["fee_burner"] != "market":
            assert self.set_market("fee_burner", "market")
        inventory = 10**7 * IFX
        self.world.give_ifx(self.world.addresses["market"], inventory)
        ground.ifx.move(self.world.foundation, self.world.addresses["market"], inventory)
        for coin in ("usd", "cents"):
            waits = bool(work.waiting.get(self.world.addresses[coin]))
            assert self.collect(coin) or not waits, "fees that nobody can burn"
            assert not work.waiting.get(self.world.addresses[coin]), "fees that wait for ever"

    # -- the governor, or somebody who is not

    def add_pool(self, coin: str, who: Any = None) -> bool:
        """The pair of a coin."""
        return self._govern(self.markets.pools.add, "pool_market", "add_pool", self.world.addresses[coin], who=who)

    def remove_pool(self, coin: str, who: Any = None) -> bool:
        """No more."""
        return self._govern(
            self.markets.pools.remove, "pool_market", "remove_pool", self.world.addresses[coin], who=who
        )

    def set_price(self, price: int, who: Any = None) -> bool:
        """nano-USD per IFX, of the reference."""
        return self._govern(self.markets.reference.set_price, "market", "set_price", price, who=who)

    def withdraw_inventory(self, amount: int, who: Any = None) -> bool:
        """Of the reference market, to the treasury."""
        return self._govern(self.markets.reference.withdraw, "market", "withdraw_inventory", amount, who=who)

    def set_market(self, reader: str, market: str, who: Any = None) -> bool:
        """ "staking" or "fee_burner" reads another one."""
        ask = lambda _: self.markets.read.__setitem__(reader, market)  # noqa: E731
        return self._govern(ask, reader, "set_market", self.world.addresses[market], who=who)

    def _govern(self, ask: Callable[[Any], Any], name: str, function: str, argument: Any, who: Any) -> bool:
        who = who or self.world.governor

        def governed() -> None:
            need(str(getattr(who, "address", who)) == str(self.world.governor), "not the governor")
            ask(argument)

        return self._both(who, governed, name, function, argument)
