# SPDX-License-Identifier: Apache-2.0
"""Where fees buy IFX and what prices it: the reference market, and the market over pairs of Uniswap V2."""

from dataclasses import dataclass, field

from inferix import economy
from inferix.units import NanoUsd
from tests.stateful.model.basics import BPS, Ground, need
from tests.stateful.model.credit import Credit
from tests.stateful.model.pair import Pair, Q, bought

HALF_HOUR = 1_800
ANY = 2**256 - 1
MOST_SHARE, LEAST_HALT = 50, 8_000  # what may be governed at most, and at least


@dataclass
class Reference:
    """Sells what it holds at a governed price [nano-USD per IFX]. ``base``: the price at the start of ``epoch``."""

    ground: Ground
    credit: Credit
    treasury: str
    price: int
    payers: set[str] = field(default_factory=set)
    base: int = 0
    epoch: int = 0

    @property
    def _own(self) -> str:
        return self.ground.own["market"]

    def offer(self, buyer: str, coin: str) -> tuple[int, int]:
        """Any amount, to anybody."""
        return ANY, self.price

    def check(self, buyer: str, coin: str, amount: int, least: int) -> int:
        """What an amount buys; refused where it may not."""
        wei = economy.reference_purchase(amount, self.credit.coins[coin].scale, NanoUsd(self.price))
        need(wei and wei >= least, "less than the least")
        need(wei <= self.ground.ifx.of(self._own), "not enough inventory")
        return wei

    def buy(self, buyer: str, coin: str, amount: int, least: int) -> int:
        """Units to the treasury, IFX to the buyer."""
        wei = self.check(buyer, coin, amount, least)
        need(buyer in self.payers, "nobody may take its coins")
        self.ground.coins[coin].move(buyer, self.treasury, amount)
        self.ground.ifx.move(self._own, buyer, wei)
        return wei

    def set_price(self, price: int) -> None:
        """At most a fifth off what it was when the epoch began, or was first changed in it."""
        epoch = self.ground.clock.now // self.ground.epoch_length
        base = self.base if epoch == self.epoch else self.price
        need(price > 0 and abs(price - base) * 5 <= base, "none, or more than a fifth off")
        self.price, self.base, self.epoch = price, base, epoch

    def withdraw(self, amount: int) -> None:
        """To the treasury."""
        self.ground.ifx.move(self._own, self.treasury, amount)


@dataclass(frozen=True)
class Seen:
    """What a pair had added up by a time; no time: never looked at."""

    time: int = 0
    total: int = 0


@dataclass
class Pools:
    """The pool market. ``pairs``: those that there are, by coin; ``open``: the coins whose pair was added; ``rolled``: each
    epoch's price; ``purchases``: (units, reserve, wei, least) of each."""

    ground: Ground
    credit: Credit
    reference: Reference
    pairs: dict[str, Pair]
    price: int
    epoch: int
    payers: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    newest: dict[str, Seen] = field(default_factory=dict)
    older: dict[str, Seen] = field(default_factory=dict)
    bought_at: dict[tuple[str, str], int] = field(default_factory=dict)
    pricing: str = ""
    start: Seen = Seen()
    rolled: list[tuple[int, int]] = field(default_factory=list)
    purchases: list[tuple[int, int, int, int]] = field(default_factory=list)

    # -- governed

    def add(self, coin: str) -> None:
        """The factory's pair; its mean begins now."""
        need(coin in self.credit.coins and coin not in self.open, "no such coin, or added before")
        need(coin in self.pairs and self.pairs[coin].spot, "no such pair, or an empty one")
        self.roll_if_due()
        self.open.add(coin)
        self.newest[coin], self.older[coin] = self._seen(coin), Seen()
        if not self.pricing:
            self.pricing, self.start = coin, self.newest[coin]

    def remove(self, coin: str) -> None:
        """Another one prices from when it is added."""
        need(coin in self.open, "no such pool")
        self.open.remove(coin)
        self.pricing = "" if self.pricing == coin else self.pricing

    # -- looked at

    def _seen(self, coin: str) -> Seen:
        return Seen(self.ground.clock.now, self.pairs[coin].summed()[0])

    def _mean(self, coin: str) -> tuple[int, int]:
        """UQ112x112 since the newest look that is half an hour old, and how old that is; (0, 0) without one."""
        now, start = self._seen(coin), self.newest[coin]
        start = start if now.time >= start.time + HALF_HOUR else self.older[coin]
        if not start.time:
            return 0, 0
        age = now.time - start.time
        return (now.total - start.total) % 2**256 // age, age

    def _nano(self, mean: int, coin: str) -> int:
        return (mean * 10**27 // self.credit.coins[coin].scale) >> Q

    def health(self, coin: str) -> tuple[int, int, int, int]:
        """Of spot and mean the lower against the higher [bps], both in nano-USD per IFX, and the mean's age [s]."""
        if coin not in self.open:
            return 0, 0, 0, 0
        spot, (mean, age) = self.pairs[coin].spot, self._mean(coin)
        bps = min(spot, mean) * BPS // max(spot, mean, 1)
        return bps, self._nano(spot, coin), self._nano(mean, coin), age

    def refusal(self, buyer: str, coin: str) -> str:
        """Why nothing is sold; empty when something is."""
        parameters, (bps, _, _, age) = self.ground.parameters, self.health(coin)
        last = self.bought_at.get((buyer, coin), 0)
        reasons = {
            "no such pool": coin not in self.open,
            "not observed for 30 minutes": age == 0,
            "observation too old": age > parameters["price_stale"],
            "price too far from its mean": bps < parameters["price_halt_bps"],
            "too soon after a swap": self.ground.clock.now < last + parameters["swap_interval"],
        }
        return next((reason for reason, holds in reasons.items() if holds), "")

    def offer(self, buyer: str, coin: str) -> tuple[int, int]:
        """Units that may be spent now, and the mean that the purchase is held to."""
        if self.refusal(buyer, coin):
            return 0, 0
        return self.pairs[coin].units * self.ground.parameters["swap_share_bps"] // BPS, self.health(coin)[2]

    # -- turned by anybody

    def observe(self, coin: str) -> None:
        """Once in half an hour."""
        need(coin in self.open, "no such pool")
        need(self.ground.clock.now >= self.newest[coin].time + HALF_HOUR, "looked at within half an hour")
        self.roll_if_due()
        self.older[coin], self.newest[coin] = self.newest[coin], self._seen(coin)

    def roll(self) -> None:
        """Once an epoch."""
        need(self.roll_if_due(), "rolled already")

    def roll_if_due(self) -> bool:
        """Towards the mean of the epoch before, or to the reference where there is none: a fifth at most."""
        epoch = self.ground.clock.now // self.ground.epoch_length
        if epoch == self.epoch:
            return False
        target = self._epoch_mean() or self.reference.price
        self.epoch, self.price = epoch, economy.moved_price(NanoUsd(self.price), NanoUsd(target))
        self.rolled.append((epoch, self.price))
        return True

    def _epoch_mean(self) -> int:
        """Of nine tenths of an epoch at least and of two at most."""
        if not self.pricing:
            return 0
        start, self.start = self.start, self._seen(self.pricing)
        length, epoch = self.start.time - start.time, self.ground.epoch_length
        if not epoch * 9 <= length * 10 <= epoch * 20:
            return 0
        return self._nano((self.start.total - start.total) % 2**256 // length, self.pricing)

    def check(self, buyer: str, coin: str, amount: int, least: int) -> int:
        """What an amount buys; refused where it may not."""
        why = self.refusal(buyer, coin)
        need(not why, why)
        pair = self.pairs[coin]
        need(amount * BPS <= pair.units * self.ground.parameters["swap_share_bps"], "more than a swap may take")
        wei = bought(amount, pair.units, pair.ifx)
        need(wei and wei >= least, "less than the least")
        return wei

    def buy(self, buyer: str, coin: str, amount: int, least: int) -> int:
        """Straight in the pair."""
        wei, pair = self.check(buyer, coin, amount, least), self.pairs[coin]
        need(buyer in self.payers and self.ground.coins[coin].of(buyer) >= amount, "not enough, or not allowed")
        self.roll_if_due()
        self.bought_at[buyer, coin] = self.ground.clock.now
        self.purchases.append((amount, pair.units, wei, least))
        self.ground.coins[coin].move(buyer, pair.address, amount)
        pair.swap(wei, 0, buyer)
        return wei


@dataclass
class Markets:
    """Both, and who reads which: "staking" for the price of stakes and bonds, "fee_burner" to buy."""

    ground: Ground
    reference: Reference
    pools: Pools
    read: dict[str, str] = field(default_factory=lambda: {"staking": "market", "fee_burner": "market"})

    @property
    def of_burner(self) -> Reference | Pools:
        """Where fees buy."""
        return self.named(self.read["fee_burner"])

    def named(self, name: str) -> Reference | Pools:
        """By its contract's name."""
        return {"market": self.reference, "pool_market": self.pools}[name]

    def tell(self) -> None:
        """After any act: stakes and bonds are priced by the market that Staking reads."""
        self.ground.price = self.named(self.read["staking"]).price
