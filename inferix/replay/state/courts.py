# SPDX-License-Identifier: Apache-2.0
"""What is contested: disputes, which data answers, and what panels of verifiers hear."""

from dataclasses import dataclass, field

from inferix.messages import Vote
from inferix.models.roles import (
    CaseStatus,
    ClearedBy,
    DisputeKind,
    DisputeStatus,
    ObjectionKind,
    ObjectionStatus,
    RootKind,
)


@dataclass(kw_only=True)
class AnyDispute:
    """What all disputes have. ``node``: whose stake is the bond [wei], 0 the challenger's own IFX; ``until``: last
    second of the answer, on the protocol's clock.
    """

    id: bytes
    challenger: str
    node: int
    bond: int
    until: int
    opened_at: int
    status: DisputeStatus = DisputeStatus.OPEN
    ended_at: int = 0


@dataclass(kw_only=True)
class Dispute(AnyDispute):
    """A dispute about a batch. ``place``: of the leaf or chunk."""

    commitment: bytes
    kind: DisputeKind
    place: int


@dataclass(frozen=True, slots=True)
class RootName:
    """A root as Availability names it. ``of``: the anchor's manager, the roster's kind, else 0."""

    kind: RootKind
    of: int
    index: int
    root: bytes


@dataclass(kw_only=True)
class RootDispute(AnyDispute):
    """A dispute about a chunk of 64 leaves of a root."""

    name: RootName
    chunk: int


@dataclass(kw_only=True)
class Hearing:
    """What a panel of verifiers hears. ``asked_at``: when it was asked for [s], 0 before; ``asked_block``: its seed is
    made of the hash of the block after; ``seats``: its members so far, all of them from ``complete_at`` on; ``votes``:
    whether upheld, by member."""

    id: bytes
    asked_at: int = 0
    asked_block: int = 0
    seed: bytes | None = None
    seats: list[int] = field(default_factory=list)
    complete_at: int = 0
    votes: dict[int, bool] = field(default_factory=dict)
    ended_at: int = 0


@dataclass(kw_only=True)
class Case(Hearing):
    """A slashing case; its panel is asked for by an appeal. ``reason``: why it was cleared; ``delivered_at``: when its
    result was delivered, as Strikes noted it [protocol clock], 0 before; ``is_counted``: one of three of its worker."""

    task: bytes
    attempt: int
    node: int
    amount: int
    opened_at: int
    status: CaseStatus = CaseStatus.FROZEN
    charged_at: int = 0
    reason: ClearedBy | None = None
    delivered_at: int = 0
    is_counted: bool = False


@dataclass(kw_only=True)
class Objection(Hearing):
    """An objection to outcomes of a batch, or to a leaf of a root.

    ``subject``: the batch's commitment, or the root; ``of``, ``index``: of a root, as RootName has them; ``places``: of
    the leaves named; ``manager``: who put it up; ``reason``: digest of what the challenger says; ``node``: whose stake
    is the bond [wei], 0 the challenger's own IFX; ``is_managers``: of outcomes, that what is wrong is what the manager
    alone says, no vote.
    """

    kind: ObjectionKind
    subject: bytes
    of: int
    index: int
    places: tuple[int, ...]
    manager: int
    challenger: str
    reason: bytes
    node: int
    bond: int
    is_managers: bool = False
    status: ObjectionStatus = ObjectionStatus.OPEN
    is_referred: bool = False

    @property
    def root(self) -> RootName:
        """The root whose leaf it names."""
        return RootName(RootKind(int(self.kind)), self.of, self.index, self.subject)


@dataclass(kw_only=True)
class Contradiction(Hearing):
    """A vote whose tiles, somebody says, say otherwise when they are rendered again; its id is the vote's digest.

    ``share``: of the verifier's stake, what it loses if upheld [wei]; ``reason``, ``node``, ``bond``: as of an
    objection.
    """

    vote: Vote
    challenger: str
    reason: bytes
    share: int
    node: int
    bond: int
    status: ObjectionStatus = ObjectionStatus.OPEN
    is_referred: bool = False
