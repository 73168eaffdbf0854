# SPDX-License-Identifier: Apache-2.0
"""Leases as the tests of Leases make, charge and pay them."""

from dataclasses import dataclass
from typing import Any

from inferix.messages import Order
from inferix.models.job import LEASE_INDEX
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Ballot, Batch, Court
from tests.contracts.system import USD

MARK = 128
COST = 20 * USD


def ordered(court: Court, name: str = "lease", **changes: Any) -> Order:
    """The client's order of a lease: no price, its cap is what it costs."""
    return court.ordered(name, **({"price": 0, "cap": COST, "attempts": 1} | changes))


def leased(court: Court, name: str = "lease", order: Order | None = None, **changes: Any) -> Ballot:
    """The leaf of a lease that the first worker's machine was handed over for, and what shows it."""
    order = order or ordered(court, name)
    fields = {"charge": order.cap, "work": 0} | changes
    return court.ballot(name, Outcome.LEASED, voters=[], order=order, index=LEASE_INDEX, **fields)


def batch(court: Court, *ballots: Ballot, coin: int = MARK + 1) -> Batch:
    """A proposed batch of leases."""
    leaves = sorted((ballot.leaf for ballot in ballots), key=lambda leaf: (leaf.task, leaf.attempt))
    return court.batch(leaves, coin=coin)


def final(court: Court, *ballots: Ballot, coin: int = MARK + 1) -> Batch:
    """A final one."""
    return court.make_final(batch(court, *ballots, coin=coin))


def pay(court: Court, batch: Batch, ballot: Ballot, order: bytes = b"") -> int:
    return int(court.leases.pay(batch.item(batch.leaves.index(ballot.leaf)), order or ballot.order))


@dataclass
class Purses:
    """Units of DevUSD of everybody who gets some of a fee; the foundation's also where they wait for it."""

    owner: int
    foundation: int
    burner: int
    treasury: int
    held: int

    def __sub__(self, other: "Purses") -> "Purses":
        return Purses(*(mine - theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


def purses(court: Court) -> Purses:
    owner = court.workers[0].owner.address
    owner, foundation, burner, treasury, held = (
        int(court.usd.balanceOf(holder))
        for holder in (owner, court.foundation, court.fee_burner, court.treasury, court.ifx_dollar)
    )
    kept, due = (int(contract.foundation_due(court.usd)) for contract in (court.fee_burner, court.leases))
    return Purses(owner, foundation + kept + due, burner - kept, treasury, held)
