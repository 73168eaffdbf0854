# SPDX-License-Identifier: Apache-2.0
"""Orders, their tasks and attempts."""

from dataclasses import dataclass, field
from enum import StrEnum

from inferix.messages import Order, Receipt, Vote
from inferix.models.job import JobSpec, Task
from inferix.models.roles import Outcome


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
    device_class: bytes = bytes(32)  # of the roster's leaf that was drawn: by what the result has to be made
    accepted_at: int = 0
    acceptance: bytes = b""  # its signature: without it nobody shows that the node was late
    deadline: int = 0
    posted: tuple[Receipt, bytes] | None = None  # the receipt that was put on chain in time, and its signature
    posted_at: int = 0
    result: bytes = bytes(32)
    receipt_anchor: int = 0
    received_at: int = 0
    first: frozenset[int] = frozenset()  # the first draw's nodes, as its seed was sealed
    votes: dict[int, tuple[Vote, bytes]] = field(default_factory=dict)
    voted_at: int = 0  # when the newest of them was anchored
    silent: set[int] = field(default_factory=set)  # seats whose window went by undecided, without a vote of theirs
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
