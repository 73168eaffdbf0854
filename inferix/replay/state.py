# SPDX-License-Identifier: Apache-2.0
"""The state that the reducer keeps: one dataclass a noun of docs/protocol.md, section 2."""

from dataclasses import dataclass, field
from enum import StrEnum

from inferix.draws import Roster
from inferix.messages import Order, Vote
from inferix.models.anchor import BatchLeaf, RosterLeaf
from inferix.models.job import JobSpec, Task
from inferix.models.roles import (
    BatchStatus,
    CaseStatus,
    ClearedBy,
    DisputeKind,
    DisputeStatus,
    Lie,
    NodeStatus,
    ObjectionKind,
    ObjectionStatus,
    Outcome,
    Role,
    RootKind,
)


class JobStatus(StrEnum):
    """States of an order."""

    VOID = "void"
    POSTED = "posted"
    RUNNING = "running"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    FAILED = "failed"
    EXPIRED = "expired"


class AttemptStatus(StrEnum):
    """States of an attempt before it has an outcome."""

    WAITING = "waiting"  # for the seed
    DRAWING = "drawing"
    ACCEPTED = "running"
    RECEIVED = "checking"
    LEASED = "leased"  # of a lease: nobody is drawn, its machine's receipt ends it
    ENDED = "ended"


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
    the owner's, ``limit`` how much of that it takes. ``former``: operators that it had."""

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

    @property
    def staked(self) -> int:
        """All that a slash can reach [wei]."""
        return self.bonded + self.unbonding + self.delegated_unbonding


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
    are in ``counted``; ``until``: protocol time; ``bond``: units of the coin."""

    account: int
    left: int
    since: int
    counted: list[bytes]
    claimed_at: int
    until: int
    bond: int


@dataclass
class FinalRoster:
    """A roster in force from ``final_at``. ``wrong``: by node, the leaf that the registry gave instead when it was
    posted, None where it gave none."""

    index: int
    final_at: int
    root: bytes
    total: int
    data: bytes
    roster: Roster | None
    posted_at: int = 0
    manager: int = 0  # who posted it; 0: the governor
    wrong: dict[int, RosterLeaf | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """An anchored message without effect, and why."""

    kind: str
    node: int
    task: bytes
    reason: str


@dataclass
class Anchor:
    """An anchor of a lane; ``seed`` once sealed; ``refused``: what is in it and does not count;
    ``armed_at``: the block whose successor's hash the seed takes."""

    index: int
    block: int
    timestamp: int
    root: bytes
    data: bytes
    messages: int = 0
    problem: str = ""
    armed: int = 0
    seed: bytes | None = None
    sealed_at: int = 0
    refused: list[Refused] = field(default_factory=list)
    armed_at: int = 0


@dataclass
class Lane:
    """A manager's anchors and live batches; ``alone``: those that others proposed by its seeds, outside its order.

    ``receipts``: (task, attempt, node) of each that was ever anchored, and its first anchor: no later one counts."""

    manager: int
    anchors: dict[int, Anchor] = field(default_factory=dict)
    batches: list[bytes] = field(default_factory=list)
    alone: list[bytes] = field(default_factory=list)
    called_at: int = 0  # when the manager was last called out, and how many anchors there were then
    called_anchors: int = 0
    receipts: dict[tuple[bytes, int, int], int] = field(default_factory=dict)

    @property
    def anchored(self) -> int:
        """How many anchors there are."""
        return max(self.anchors, default=0)

    @property
    def is_called_out(self) -> bool:
        """Whether it has not anchored since it was last called out."""
        return self.called_at > 0 and self.called_anchors == self.anchored


@dataclass(frozen=True)
class TakeOver:
    """Who took a job over, and how many anchors the lane that it left and the taker's had then."""

    manager: int
    from_anchors: int
    by_anchors: int


@dataclass
class Attempt:
    """One try of a task. ``seed_anchor``: index of the anchor in ``lane`` whose seed draws the worker."""

    number: int
    lane: int
    after_block: int
    after_time: int
    seed_anchor: int | None = None
    status: AttemptStatus = AttemptStatus.WAITING
    node: int = 0
    price: int = 0
    draw: int = 0
    accepted_at: int = 0
    acceptance: bytes = b""  # its signature: without it nobody shows that the node was late
    deadline: int = 0
    result: bytes = bytes(32)
    receipt_anchor: int = 0
    received_at: int = 0
    votes: dict[int, tuple[Vote, bytes]] = field(default_factory=dict)
    canary: bytes = bytes(32)  # what the receipt commits to, zero for nothing
    decided: Outcome | None = None  # what the votes say, while the opening of that is awaited and ever after
    is_canary: bool | None = None  # what the opening says, None before or without it
    salt: bytes = bytes(32)
    missed: dict[int, tuple[Vote, bytes]] = field(default_factory=dict)  # votes that accepted a canary, by node
    outcome: Outcome | None = None
    ended_at: int = 0
    batch: bytes | None = None
    unbatched_at: int = 0  # when the newest batch with its leaf was cancelled, or a leaf in its place voided
    voided_at: int = 0  # when a panel voided its right leaf: nobody is paid, and it is not proposed again


@dataclass
class TaskState:
    """A task and its attempts; ``done`` by an accepted one."""

    task: Task
    attempts: list[Attempt] = field(default_factory=list)
    done: bool = False
    failed: bool = False

    @property
    def current(self) -> Attempt | None:
        """The newest attempt, None before the first."""
        return self.attempts[-1] if self.attempts else None


@dataclass
class Job:
    """An order and what became of it; ``manager``: whose lane it runs in."""

    id: bytes
    order: Order
    signature: bytes
    posted_at: int
    posted_block: int
    manager: int
    client: str
    status: JobStatus = JobStatus.POSTED
    reason: str = ""
    spec: JobSpec | None = None
    tasks: list[TaskState] = field(default_factory=list)
    ended_at: int = 0
    taken: TakeOver | None = None


@dataclass
class Batch:
    """A proposed batch; ``problem`` says why it has no leaves, if so; ``lie``: what was proven of it.

    ``freed``: by index of a void leaf that was not the right one, when it was voided: the attempt's own may follow.
    ``transaction``: hash of the one that proposed it; ``proposer``, ``bond``: whose IFX [wei] stands behind one that
    stands alone, as long as it does.
    """

    commitment: bytes
    manager: int
    sequence: int
    coin: int
    charge: int
    work: int
    root: bytes
    data: bytes
    header: dict[str, int | bytes]
    proposed_at: int
    leaves: list[BatchLeaf] = field(default_factory=list)
    status: BatchStatus = BatchStatus.PROPOSED
    epoch: int = -1
    final_at: int = 0
    cancelled_at: int = 0
    problem: str = ""
    voided: set[int] = field(default_factory=set)
    freed: dict[int, int] = field(default_factory=dict)
    lie: Lie | None = None
    transaction: bytes = bytes(32)
    proposer: str = ""
    bond: int = 0

    @property
    def is_alone(self) -> bool:
        """Whether Escape proposed it."""
        return self.sequence == 0


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
    """A slashing case; its panel is asked for by an appeal. ``reason``: why it was cleared."""

    task: bytes
    attempt: int
    node: int
    amount: int
    opened_at: int
    status: CaseStatus = CaseStatus.FROZEN
    charged_at: int = 0
    reason: ClearedBy | None = None


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


@dataclass(frozen=True, slots=True)
class Fine:
    """What a slash brought into the penalty pool, wei; ``barred``: verifiers that judged it and get none of it."""

    node: int
    amount: int
    barred: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of workers at the close of an epoch.

    ``reputation``: per mille, 1,000 of who is not in it; ``absent``: who let too many turns pass; ``apparent``: what
    the speed of all active workers came to in the time they had, nano-IBM; ``ib``: of each, micro-IB.
    """

    reputation: dict[int, int] = field(default_factory=dict)
    absent: frozenset[int] = frozenset()
    apparent: int = 0
    ib: dict[int, int] = field(default_factory=dict)


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
    """A posted accounts root."""

    epoch: int
    cut_off: int
    posted_at: int
    data: bytes
    accounts_root: bytes
    nodes_root: bytes
    final_at: int = 0
    index: int = 0
    manager: int = 0


@dataclass(frozen=True)
class Seat:
    """A place in a committee and from when it may vote."""

    leaf: RosterLeaf
    from_time: int
