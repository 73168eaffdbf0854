# SPDX-License-Identifier: Apache-2.0
"""The sale of licences: tiers, codes, coins, commissions, and whose the money in it is. Coins in units, values in nano-USD."""

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.stateful.model.basics import BPS, DAY, Ground, Token, need, up
from tests.stateful.model.licences import NOBODY, Licences

CENT = 10**7  # nano-USD
RATE_TERM = DAY
HOUR = 3_600
WALLET_BPS, PARTNER_REBATE_BPS, MAX_COMMISSION_BPS = 500, 1_000, 2_000
NO_CODE = bytes(32)
WALLETS = 2**160  # codes under it are addresses


@dataclass
class Tier:
    """``cap``: most that a wallet buys of it in the public sale, 0 no limit; price in USD cents."""

    price: int
    cap: int
    licences: int
    whitelisted: int
    sold: int = 0
    whitelisted_sold: int = 0


@dataclass
class Coin:
    """``rate``: nano-USD of a whole coin, of ``decimals`` digits."""

    decimals: int
    rate: int
    accepted: bool
    rated_at: int = 0

    def units(self, value: int) -> int:
        """Worth so much, rounded down."""
        need(self.rate, "no rate")
        return value * 10**self.decimals // self.rate

    def units_up(self, value: int) -> int:
        """Worth so much at least."""
        need(self.rate, "no rate")
        return up(value * 10**self.decimals, self.rate)


class Basket(NamedTuple):
    """What somebody wants for at most how much."""

    role: int
    tier: int
    count: int
    coin: str
    maximum: int
    code: bytes


class Referral(NamedTuple):
    """What a code gives the buyer and its owner."""

    owner: str = NOBODY
    rebate_bps: int = 0
    commission_bps: int = 0


class Receipt(NamedTuple):
    """A purchase: what was paid, at which rate, and what it had to be worth at least [nano-USD * 10^decimals, in BPS]."""

    units: int
    rate: int
    least: int


@dataclass
class Sale:
    """``bought``: in the public sale of a tier with a cap; ``times``: of whitelist, public sale and end [s];
    ``sold``: when each licence was."""

    ground: Ground
    licences: Licences
    native: Token
    treasury: str
    governor: str
    setter: str
    tiers: dict[tuple[int, int], Tier]
    coins: dict[str, Coin]
    times: tuple[int, int, int]
    invited: set[tuple[str, int, int]]
    partners: dict[bytes, tuple[str, int]]
    bought: dict[tuple[str, int, int], int] = field(default_factory=dict)
    whitelisted: set[tuple[str, int, int]] = field(default_factory=set)
    commissions: dict[tuple[str, str], int] = field(default_factory=dict)
    released: dict[str, int] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    sold: dict[int, int] = field(default_factory=dict)

    @property
    def _address(self) -> str:
        return self.ground.own["node_sale"]

    @property
    def _native(self) -> Coin:
        return self.coins[self.ground.own["native"]]

    def token(self, coin: str) -> Token:
        """Its balances."""
        return self.native if coin == self.ground.own["native"] else self.ground.coins[coin]

    def owed(self, coin: str) -> int:
        """All commissions in a coin."""
        return sum(units for (_, each), units in self.commissions.items() if each == coin)

    def held(self, coin: str) -> int:
        """Proceeds: whatever else is here."""
        return self.token(coin).of(self._address) - self.owed(coin)

    # -- buying

    def buy(self, who: str, basket: Basket) -> int:
        """In the public sale, within the wallet's cap; units paid."""
        need(self.times[1] <= self.ground.clock.now < self.times[2], "public sale closed")
        tier, key = self._tier(basket), (who, basket.role, basket.tier)
        need(basket.count, "none")
        before = self.bought.get(key, 0)
        need(not tier.cap or before + basket.count <= tier.cap, "over the wallet's cap")
        units = self._sell(who, basket, tier)
        if tier.cap:
            self.bought[key] = before + basket.count
        return units

    def buy_whitelisted(self, who: str, basket: Basket, *, shown: bool) -> int:
        """The one of a tier that the list gives, before the public sale; ``shown``: with its proof."""
        need(self.times[0] <= self.ground.clock.now < self.times[1], "whitelist sale closed")
        tier, key = self._tier(basket), (who, basket.role, basket.tier)
        need(shown and key in self.invited, "not on the whitelist")
        need(tier.whitelisted_sold < tier.whitelisted, "whitelisted licences sold out")
        need(key not in self.whitelisted, "one of a tier")
        units = self._sell(who, basket, tier)
        tier.whitelisted_sold += 1
        self.whitelisted.add(key)
        return units

    def _tier(self, basket: Basket) -> Tier:
        tier = self.tiers.get((basket.role, basket.tier))
        need(tier, "no such tier")
        assert tier
        need(tier.sold + basket.count <= tier.licences, "sold out")
        return tier

    def price(self, who: str, basket: Basket) -> tuple[int, int]:
        """(USD cents of one, units of all) to this buyer, both rounded up."""
        cents = up(self._tier(basket).price * (BPS - self.referral(basket.code, who).rebate_bps), BPS)
        coin = self.coins.get(basket.coin)
        need(coin and coin.accepted, "coin not accepted")
        assert coin
        need(coin is not self._native or self.is_rated(RATE_TERM), "rate too old")
        return cents, coin.units_up(cents * basket.count * CENT)

    def _sell(self, who: str, basket: Basket, tier: Tier) -> int:
        need(not self.ground.clock.paused, "paused")
        cents, units = self.price(who, basket)
        need(units <= basket.maximum, "over the maximum")
        self.token(basket.coin).move(who, self._address, units)
        code, coin = self.referral(basket.code, who), self.coins[basket.coin]
        earned = units * code.commission_bps // BPS
        if code.owner != NOBODY:
            self.commissions[code.owner, basket.coin] = self.commissions.get((code.owner, basket.coin), 0) + earned
        first = self.licences.mint(who, basket.role, basket.count, cents, locked=True)
        self.sold |= dict.fromkeys(range(first, first + basket.count), self.ground.clock.now)
        tier.sold += basket.count
        least = tier.price * basket.count * CENT * 10**coin.decimals * (BPS - code.rebate_bps)
        self.receipts.append(Receipt(units, coin.rate, least))
        return units

    def referral(self, code: bytes, buyer: str) -> Referral:
        """Of a partner, or of a wallet with a licence; never the buyer's own."""
        if code == NO_CODE:
            return Referral()
        if int.from_bytes(code, "big") < WALLETS:
            owner = next((who for who in self._owners() if int(who, 16) == int.from_bytes(code, "big")), NOBODY)
            need(owner != NOBODY, "referrer has no licence")
            found = Referral(owner, WALLET_BPS, WALLET_BPS)
        else:
            need(code in self.partners, "no such code")
            owner, bps = self.partners[code]
            found = Referral(owner, PARTNER_REBATE_BPS, bps)
        need(found.owner != buyer, "own code")
        return found

    def _owners(self) -> set[str]:
        return {licence.owner for licence in self.licences.items.values()}

    # -- money

    def is_rated(self, within: int) -> bool:
        """Whether the rate of wrapped native is no older than this [s]."""
        return self.ground.clock.now <= self._native.rated_at + within

    def set_rate(self, who: str, rate: int) -> None:
        """The governor; the setter by a fifth an hour."""
        need(0 < rate < 2**96, "no rate")
        if who == self.setter:
            need(self.ground.clock.now >= self._native.rated_at + HOUR, "once an hour")
            need(5 * abs(rate - self._native.rate) <= self._native.rate, "more than a fifth")
        else:
            need(who == self.governor, "not the governor")
        self._native.rate, self._native.rated_at = rate, self.ground.clock.now

    def accept(self, coin: str, decimals: int, accepted: bool) -> None:
        """A coin of this many digits, as one USD."""
        self.coins.setdefault(coin, Coin(decimals, 10**9, accepted)).accepted = accepted

    def set_partner(self, code: bytes, owner: str, bps: int) -> None:
        """Or, for nobody, ends a code."""
        need(int.from_bytes(code, "big") >= WALLETS and bps <= MAX_COMMISSION_BPS, "a wallet's code, or too high")
        self.partners.pop(code, None)
        if owner != NOBODY:
            self.partners[code] = (owner, bps)

    def set_times(self, times: tuple[int, int, int]) -> None:
        """In order."""
        need(times[0] <= times[1] <= times[2] < 2**40, "out of order")
        self.times = times

    def claim_commission(self, owner: str, coin: str) -> int:
        """All that somebody's codes earned in a coin."""
        units = self.commissions.get((owner, coin), 0)
        need(units, "no commission")
        self.token(coin).move(self._address, owner, units)
        self.commissions[owner, coin] = 0
        return units
