# SPDX-License-Identifier: Apache-2.0
"""Where IFX is bought and sold: a constant-product pool as Uniswap V2's, or the protocol's own reference market."""

from dataclasses import dataclass
from typing import Protocol

from inferix.economy import reference_purchase
from inferix.units import WEI_PER_IFX, NanoUsd, Wei
from simulator.book import NANO_PER_UNIT, SCALE, Book

FEE, WHOLE = 997, 1_000
"""What of an input counts: the pool keeps 0.3 %."""
MOST_OF_RESERVE = 200
"""One purchase for burning takes at most a 200th of the pool's dollars."""
MOST_PIECES = 864
"""Purchases for burning in an epoch: one in five minutes."""


class Market(Protocol):
    """Sells to the burner and to people, and may buy from them."""

    book: Book

    def price(self) -> NanoUsd:
        """Of an IFX now, nano-USD."""

    def quote(self, units: int) -> Wei:
        """Wei that these units bring; 0 where the market has not enough."""

    def buy(self, buyer: str, units: int) -> Wei:
        """The same, paid and delivered; nothing is paid where it is 0."""

    def sell(self, seller: str, amount: Wei) -> int:
        """Units that these wei bring; 0, with nothing sold, where the market does not buy."""

    def piece(self) -> int:
        """Most units that one purchase for burning should spend."""


def swapped(amount: int, reserve_in: int, reserve_out: int) -> int:
    """What a pool gives for an amount, rounded down (UniswapV2Library.getAmountOut)."""
    taken = amount * FEE
    return taken * reserve_out // (reserve_in * WHOLE + taken)


def pieces(units: int, market: "Market") -> int:
    """In how many purchases so many units are spent on burning in an epoch."""
    return min(MOST_PIECES, 1 + units // market.piece())


@dataclass
class Pool:
    """Holds its reserves as the book's holder ``pool``; its fees stay in it."""

    book: Book

    def price(self) -> NanoUsd:
        """Spot; a nano-USD at least."""
        return NanoUsd(max(1, self.book.usd.of("pool") * NANO_PER_UNIT * WEI_PER_IFX // self.book.ifx.of("pool")))

    def quote(self, units: int) -> Wei:
        """With the fee and what the purchase itself moves the price."""
        return Wei(swapped(units, self.book.usd.of("pool"), self.book.ifx.of("pool")))

    def buy(self, buyer: str, units: int) -> Wei:
        """Dollars in, IFX out."""
        bought = self.quote(units)
        self.book.usd.move(buyer, "pool", units)
        self.book.ifx.move("pool", buyer, bought)
        return bought

    def sell(self, seller: str, amount: Wei) -> int:
        """IFX in, dollars out."""
        paid = swapped(amount, self.book.ifx.of("pool"), self.book.usd.of("pool"))
        self.book.ifx.move(seller, "pool", amount)
        self.book.usd.move("pool", seller, paid)
        return paid

    def piece(self) -> int:
        """A 200th of the dollars in it."""
        return max(1, self.book.usd.of("pool") // MOST_OF_RESERVE)


@dataclass
class ReferenceMarket:
    """Sells from the inventory of the holder ``market`` at the governed price, for the treasury; buys nothing."""

    book: Book
    governed: NanoUsd

    def price(self) -> NanoUsd:
        """As governed."""
        return self.governed

    def quote(self, units: int) -> Wei:
        """Nothing where the inventory is too small."""
        bought = reference_purchase(units, SCALE, self.governed)
        return bought if bought <= self.book.ifx.of("market") else Wei(0)

    def buy(self, buyer: str, units: int) -> Wei:
        """Out of the inventory."""
        bought = self.quote(units)
        if bought:
            self.book.usd.move(buyer, "treasury", units)
            self.book.ifx.move("market", buyer, bought)
        return bought

    def sell(self, seller: str, amount: Wei) -> int:
        """It does not buy."""
        return 0

    def piece(self) -> int:
        """No limit."""
        return 10**30
