# SPDX-License-Identifier: Apache-2.0
"""Clients' credit, fines, and what an epoch shared out."""

from dataclasses import dataclass, field

from inferix.models.anchor import AccountLeaf, NodeLeaf
from inferix.models.roles import RootKind


@dataclass
class Account:
    """A client's prepaid credit in one coin, nano-USD; ``caps``: (time, cap) of orders after the newest final root;
    ``opened_at``: block time of its first top-up."""

    id: int
    owner: str
    coin: str
    credit: int = 0
    requested: int = 0
    spent: int = 0
    reserved: int = 0
    opened_at: int = 0
    caps: list[tuple[int, int]] = field(default_factory=list)

    @property
    def free(self) -> int:
        """What a new order may reserve."""
        return self.credit - self.requested - self.spent - self.reserved - sum(cap for _, cap in self.caps)


@dataclass
class BalanceClaim:
    """What a client says is left of its credit. ``left``: nano-USD not paid yet; ``since``: epoch from which charges
    are in ``counted``; ``window``: how long it stands, on the protocol's clock [s]; ``bond``: units of the coin."""

    account: int
    left: int
    since: int
    counted: list[bytes]
    claimed_at: int
    window: int
    bond: int


@dataclass(frozen=True, slots=True)
class Fine:
    """What a slash brought into the penalty pool, wei; ``barred``: verifiers that judged it and get none of it;
    ``transaction``: hash of the one that it was logged in."""

    node: int
    amount: int
    barred: frozenset[int] = frozenset()
    transaction: bytes = field(default=bytes(32), compare=False)


@dataclass
class Presence:
    """Who answered probes in an epoch. ``capacity``: of each worker that could be drawn when it answered, its speed for
    each hour, micro-IB; ``hours``: of those asked, by licence; ``asked``: hours with a seed, and time to answer it."""

    capacity: dict[int, int] = field(default_factory=dict)
    hours: dict[int, int] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of workers at the close of an epoch.

    ``reputation``: per mille, 1,000 of who is not in it; ``absent``: who let too many turns pass; ``apparent``: what
    the speed of all active workers came to in the time they had, nano-IBM; ``presence``: who was there.
    """

    reputation: dict[int, int] = field(default_factory=dict)
    absent: frozenset[int] = frozenset()
    apparent: int = 0
    presence: Presence = field(default_factory=Presence)


@dataclass
class Epoch:
    """A closed epoch, amounts as the contract counted them; ``pooled``: what the penalty pool handed over, ``fines``
    what is known of where it came from; the parameters that share out its mint, as at its close:
    what was shared never changes, whatever is governed later."""

    index: int
    work: int
    charge: int
    burned: int
    minted: int
    pooled: int
    fines: tuple[Fine, ...]
    record: Record
    closed_at: int
    matured_bps: int
    poc_bps: int
    worker_vesting: int


@dataclass
class AccountsRoot:
    """A posted accounts root. ``is_overtaken``: another was posted since it was held up; it will not be final.
    ``shown``: by tree and place, what answers on chain said is there, None of an empty place."""

    epoch: int
    cut_off: int
    posted_at: int
    data: bytes
    accounts_root: bytes
    nodes_root: bytes
    final_at: int = 0
    index: int = 0
    manager: int = 0
    is_overtaken: bool = False
    shown: dict[RootKind, dict[int, AccountLeaf | NodeLeaf | None]] = field(default_factory=dict)
