# SPDX-License-Identifier: Apache-2.0
"""A whale: buys much over some epochs, stakes it, and after unbonding sells it over as many."""

from dataclasses import dataclass

from inferix.economy import Rules
from inferix.units import Wei
from simulator.book import SCALE, Book
from simulator.markets import Market
from simulator.settings import Whale

HOLDER = "whale"


@dataclass
class Whales:
    """``spent``, ``received``: units of the coin."""

    book: Book
    market: Market
    rules: Rules
    plan: Whale | None
    bought: int = 0
    spent: int = 0
    received: int = 0

    def act(self, epoch: int) -> None:
        """Its part of this epoch."""
        if self.plan is None:
            return
        plan, wait = self.plan, -(-self.rules["unbonding"] // self.rules["epoch_length"])
        if plan.buys_at <= epoch < plan.buys_at + plan.over:
            self._buy(plan.usd * SCALE // plan.over)
        elif epoch == plan.sells_at + wait:
            self.book.ifx.move("staking", HOLDER, self.bought)
        if plan.sells_at + wait <= epoch < plan.sells_at + wait + plan.over:
            self._sell(self.bought // plan.over)

    def _buy(self, units: int) -> None:
        self.book.usd.create(HOLDER, units)
        bought = self.market.buy(HOLDER, units)
        self.book.ifx.move(HOLDER, "staking", bought)
        self.bought += bought
        self.spent += units if bought else 0

    def _sell(self, amount: int) -> None:
        self.received += self.market.sell(HOLDER, Wei(amount))
