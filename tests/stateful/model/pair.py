# SPDX-License-Identifier: Apache-2.0
"""A pair of Uniswap V2: IFX and a coin, by its authors' own integer arithmetic. Amounts in wei and units of the coin."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import Ground, Refused, Token, need

THOUSAND, FEE = 1_000, 3
Q = 112  # bits behind the point of a price
LEAST = 1_000  # shares that nobody has
NOBODY = "0x" + 40 * "0"


def bought(amount: int, paid: int, got: int) -> int:
    """What an amount buys of reserves ``got`` for reserves ``paid``: three of 1000 stay with the pair."""
    need(amount > 0 and paid > 0 and got > 0, "nothing paid, or an empty pair")
    after_fee = amount * (THOUSAND - FEE)
    return after_fee * got // (paid * THOUSAND + after_fee)


@dataclass
class Pair:
    """``ifx``, ``units``: the reserves as last taken note of, at ``noted_at`` (mod 2^32 s). ``sums``: the price of IFX in
    the coin and of the coin in IFX, UQ112x112 times seconds, mod 2^256. ``users``: who lets the router take its tokens."""

    ground: Ground
    address: str
    coin: str
    ifx_first: bool
    ifx: int
    units: int
    noted_at: int
    sums: tuple[int, int]
    shares: Token
    users: set[str] = field(default_factory=set)
    low: tuple[int, int] = (0, 0)  # product of the reserves and shares, when the laws were last checked

    @property
    def held(self) -> tuple[int, int]:
        """IFX and units that are here, whether taken note of or not."""
        return self.ground.ifx.of(self.address), self.ground.coins[self.coin].of(self.address)

    @property
    def spot(self) -> int:
        """Units of the coin a wei, UQ112x112, by the reserves."""
        return (self.units << Q) // self.ifx if self.ifx else 0

    def summed(self) -> tuple[int, int]:
        """The sums as they are now."""
        passed = (self.ground.clock.now - self.noted_at) % 2**32
        back = (self.ifx << Q) // self.units if self.units else 0
        grown = [total + price * passed for total, price in zip(self.sums, (self.spot, back), strict=True)]
        return grown[0] % 2**256, grown[1] % 2**256

    def sync(self) -> None:
        """Takes note of what is here; first the prices of the time before are added up."""
        self.sums, self.noted_at = self.summed(), self.ground.clock.now % 2**32
        self.ifx, self.units = self.held

    def skim(self, to: str) -> None:
        """Whatever is here beyond the reserves goes to whoever asks."""
        ifx, units = self.held
        self._pay(to, ifx - self.ifx, units - self.units)

    def swap(self, ifx: int, units: int, to: str) -> None:
        """Hands out, as long as what came in before pays for it, fee included: the product never falls."""
        need(ifx > 0 or units > 0, "nothing asked")
        need(ifx < self.ifx and units < self.units, "more than the reserves")
        left = self.held[0] - ifx, self.held[1] - units
        came = [max(0, now - kept) for now, kept in zip(left, (self.ifx - ifx, self.units - units), strict=True)]
        need(any(came), "nothing came in")
        one, other = (now * THOUSAND - FEE * new for now, new in zip(left, came, strict=True))
        need(one * other >= self.ifx * self.units * THOUSAND**2, "product falls")
        self._pay(to, ifx, units)
        self.sync()

    # -- the router

    def exchange(self, who: str, amount: int, least: int = 0, *, for_ifx: bool) -> int:
        """An exact amount of the coin for IFX, or the other way; what it brings."""
        reserves = (self.units, self.ifx) if for_ifx else (self.ifx, self.units)
        out = bought(amount, *reserves)
        need(out >= least and out > 0, "less than the least")
        self._take(who, *((0, amount) if for_ifx else (amount, 0)))
        self.swap(*((out, 0) if for_ifx else (0, out)), who)
        return out

    def add(self, who: str, ifx: int, units: int) -> int:
        """At most so much of both, as the reserves stand to each other; shares."""
        need(ifx > 0, "nothing to add")
        paid = ifx, ifx * self.units // self.ifx
        if paid[1] > units:
            need(units > 0, "nothing to add")
            paid = units * self.ifx // self.units, units
        came = [now - kept + more for now, kept, more in zip(self.held, (self.ifx, self.units), paid, strict=True)]
        minted = min(came[0] * self.shares.supply // self.ifx, came[1] * self.shares.supply // self.units)
        need(minted > 0, "under one share")
        self._take(who, *paid)
        self.shares.mint(who, minted)
        self.sync()
        return minted

    def remove(self, who: str, shares: int) -> tuple[int, int]:
        """A part of all that is here, as these shares are of all shares."""
        need(who in self.users and self.shares.of(who) >= shares, "not so many shares")
        burned = shares + self.shares.of(self.address)
        ifx, units = (held * burned // self.shares.supply for held in self.held)
        need(ifx > 0 and units > 0, "under one unit")
        self.shares.move(who, self.address, shares)
        self.shares.burn(self.address, burned)
        self._pay(who, ifx, units)
        self.sync()
        return ifx, units

    def _take(self, who: str, ifx: int, units: int) -> None:
        coin = self.ground.coins[self.coin]
        need(who in self.users, "nobody may take its tokens")
        need(self.ground.ifx.of(who) >= ifx and coin.of(who) >= units, "not enough money")
        self.ground.ifx.move(who, self.address, ifx)
        coin.move(who, self.address, units)

    def _pay(self, to: str, ifx: int, units: int) -> None:
        if ifx < 0 or units < 0:
            raise Refused("less here than was taken note of")
        self.ground.ifx.move(self.address, to, ifx)
        self.ground.coins[self.coin].move(self.address, to, units)

    def check(self) -> None:
        """The reserves are here; x * y falls by burned shares alone, and never what a share is worth of it."""
        assert self.ifx <= self.held[0] and self.units <= self.held[1]
        product, shares = self.ifx * self.units, self.shares.supply
        assert shares == sum(self.shares.balances.values()) and shares >= LEAST == self.shares.of(NOBODY)
        before, earlier = self.low
        assert product >= before or shares < earlier, "the product falls"
        assert product * earlier**2 >= before * shares**2, "a share is worth less than it was"
        self.low = product, shares
