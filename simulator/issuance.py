# SPDX-License-Identifier: Apache-2.0
"""The epoch's money as IfxDollar, FeeBurner, BurnMintWork and PenaltyPool move it, over the simulator's book."""

from dataclasses import dataclass

from inferix.economy import FeeSplit, Rules, emission, least_purchase, split_fee
from inferix.units import NanoIbm, NanoUsd, Wei
from simulator.book import NANO_PER_UNIT, SCALE, Book
from simulator.markets import Market


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed epoch: nano-IBM, nano-USD, and wei; ``pooled``: out of the penalty pool."""

    work: NanoIbm
    charge: NanoUsd
    burned: Wei
    minted: Wei
    pooled: Wei


@dataclass
class Issuance:
    """Cumulative counts, as the contracts keep them. Holders: ifx_dollar, fee_burner, accounts, penalty_pool."""

    book: Book
    market: Market
    rules: Rules
    epoch: int = 0
    charged: int = 0
    released: int = 0
    burned: int = 0
    minted: int = 0
    _work: int = 0
    _charge: int = 0
    _burned: int = 0

    def settle(self, charge: NanoUsd, work: NanoIbm) -> None:
        """A batch becomes final. What it charges must be in ifx_dollar."""
        self.charged += charge
        self._charge += charge
        self._work += work

    @property
    def due(self) -> int:
        """Units of final charges that were not collected."""
        return (self.charged - self.released) // NANO_PER_UNIT

    def collect(self) -> FeeSplit | None:
        """FeeBurner.collect: takes what is due, buys, burns. None, with nothing moved, where the contract reverts."""
        units = self.due
        split = split_fee(units, self.rules)
        if not units:
            return None
        bought = self.market.quote(split.burn)
        if not bought or bought < least_purchase(split.burn, SCALE, self.market.price(), self.rules):
            return None
        self.book.usd.move("ifx_dollar", "fee_burner", units)
        self.market.buy("fee_burner", split.burn)
        self.released += units * NANO_PER_UNIT
        self.book.burn("fee_burner", bought)
        self.burned += bought
        self.book.usd.move("fee_burner", "managers", split.managers)
        self.book.usd.move("fee_burner", "foundation", split.foundation)
        return split

    def close_epoch(self) -> Closed:
        """BurnMintWork.close_epoch: mints to accounts; with work, the penalty pool goes along.

        What was burned until an epoch without work counts for the next one with work."""
        burned = self.burned - self._burned if self._work else 0
        amount = emission(self.epoch, NanoIbm(self._work), Wei(burned), Wei(self.minted), self.rules)
        pooled = self.book.ifx.of("penalty_pool") if self._work else 0
        self.book.ifx.move("penalty_pool", "accounts", pooled)
        self.book.mint("accounts", amount)
        closed = Closed(NanoIbm(self._work), NanoUsd(self._charge), Wei(burned), amount, Wei(pooled))
        self.epoch += 1
        self.minted += amount
        self._burned += burned
        self._work = self._charge = 0
        return closed
