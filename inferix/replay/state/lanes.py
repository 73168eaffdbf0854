# SPDX-License-Identifier: Apache-2.0
"""What managers put on chain: anchors and batches, each manager's in its own lane."""

from dataclasses import dataclass, field

from inferix.models.anchor import BatchLeaf
from inferix.models.roles import BatchStatus, Lie


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
