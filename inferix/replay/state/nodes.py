# SPDX-License-Identifier: Apache-2.0
"""Registered machines, what is staked behind them, and the rosters that draws are made from."""

from dataclasses import dataclass, field

from inferix.draws import Roster
from inferix.models.anchor import RosterLeaf
from inferix.models.roles import NodeStatus, Role


@dataclass(frozen=True, slots=True)
class Terms:
    """What a node leaves its delegators of what their stake stands for [basis points]; ``next_share`` counts for roots
    of epochs from ``since`` on."""

    share: int = 5_000
    next_share: int = 5_000
    since: int = 0


@dataclass(frozen=True, slots=True)
class Exit:
    """Delegated stake on its way out; ``free_at``: seconds of the block clock."""

    node: int
    delegator: str
    free_at: int


@dataclass
class Node:
    """A registered machine; stake in wei of IFX: ``bonded`` is all at work, ``delegated`` the part of it that is not
    the owner's, ``limit`` how much of that it takes. ``former``: operators that it had; ``answered``: the newest
    hour of which it answered a probe (`inferix.replay.probes`)."""

    id: int
    owner: str
    operator: str
    role: Role
    licence: int
    sealing_key: bytes
    price: int
    registered_at: int
    ib: int = 0
    device_class: bytes = bytes(32)
    measured_by: int = 0  # the manager that is to measure it anew, and since when
    asked_at: int = 0
    status: NodeStatus = NodeStatus.ACTIVE
    bonded: int = 0
    unbonding: int = 0
    delegated: int = 0
    delegated_unbonding: int = 0
    limit: int = 0
    terms: Terms = Terms()
    frozen: int = 0
    qualified: bool = False
    former: list[str] = field(default_factory=list)
    answered: int = 0

    @property
    def staked(self) -> int:
        """All that a slash can reach [wei]."""
        return self.bonded + self.unbonding + self.delegated_unbonding


@dataclass
class FinalRoster:
    """A roster, for seals after ``final_at``. ``wrong``: by node, the leaf that the registry gave instead when it was
    posted, None where it gave none. ``known``: the highest id of a node then. While its leaves are not to be had:
    ``right``, by node, what the registry gave then and in the hour before, the newest first; ``shown``, by place, what
    answers on chain told of."""

    index: int
    final_at: int
    root: bytes
    total: int
    data: bytes
    roster: Roster | None
    posted_at: int = 0
    manager: int = 0  # who posted it; 0: the governor
    wrong: dict[int, RosterLeaf | None] = field(default_factory=dict)
    right: dict[int, list[RosterLeaf | None]] | None = None
    shown: dict[int, RosterLeaf | None] = field(default_factory=dict)
    known: int = 0


@dataclass(frozen=True)
class Seat:
    """A place in a committee and from when it may vote."""

    leaf: RosterLeaf
    from_time: int
