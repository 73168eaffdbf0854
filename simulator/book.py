# SPDX-License-Identifier: Apache-2.0
"""Who has what: IFX in wei, dollars in units of a coin with six decimals. Nothing appears or is lost but by name."""

from dataclasses import dataclass, field

from inferix.economy import BUDGET, CAP

SCALE = 10**6
"""Units of the coin a USD."""
NANO_PER_UNIT = 10**9 // SCALE


class Imbalance(Exception):
    """A simulation that lost or made money: a defect of the simulator."""


@dataclass
class Purse:
    """Balances of one kind of money by holder. ``supply``: what all of them must have together."""

    balances: dict[str, int] = field(default_factory=dict)
    supply: int = 0

    def of(self, holder: str) -> int:
        """What a holder has."""
        return self.balances.get(holder, 0)

    def move(self, giver: str, taker: str, amount: int) -> None:
        """Raises Imbalance where the giver has less, or the amount is negative."""
        if not 0 <= amount <= self.of(giver):
            raise Imbalance(f"{giver} has {self.of(giver)} and cannot give {amount} to {taker}")
        self.balances[giver] = self.of(giver) - amount
        self.balances[taker] = self.of(taker) + amount

    def create(self, taker: str, amount: int) -> None:
        """From outside."""
        self.balances[taker] = self.of(taker) + amount
        self.supply += amount

    def destroy(self, giver: str, amount: int) -> None:
        """To the outside."""
        self.move(giver, "", amount)
        self.balances[""] -= amount
        self.supply -= amount

    def check(self, name: str) -> None:
        """Raises Imbalance unless the balances add up and nobody owes."""
        total, least = sum(self.balances.values()), min(self.balances.values(), default=0)
        if total != self.supply or least < 0:
            raise Imbalance(f"{name}: {total} in balances, {self.supply} in all, least {least}")


@dataclass
class Book:
    """Both, and what was ever minted and burned of IFX."""

    ifx: Purse = field(default_factory=Purse)
    usd: Purse = field(default_factory=Purse)
    allocated: int = 0
    minted: int = 0
    burned: int = 0

    def allocate(self, holder: str, amount: int) -> None:
        """At deployment."""
        self.ifx.create(holder, amount)
        self.allocated += amount

    def mint(self, holder: str, amount: int) -> None:
        """By the close of an epoch."""
        self.ifx.create(holder, amount)
        self.minted += amount

    def burn(self, holder: str, amount: int) -> None:
        """Fees' purchases and the burned half of slashes."""
        self.ifx.destroy(holder, amount)
        self.burned += amount

    def check(self) -> None:
        """Raises Imbalance unless both balance, supply is minted less burned, and no plan is exceeded."""
        self.ifx.check("IFX")
        self.usd.check("USD")
        if self.ifx.supply != self.allocated + self.minted - self.burned:
            raise Imbalance("supply is not what was minted less what was burned")
        if self.minted > BUDGET or self.allocated + self.minted > CAP:
            raise Imbalance("more was minted than planned")
