# SPDX-License-Identifier: Apache-2.0
"""Leaves that are not as ordered, or name a later anchor than the one that holds the receipt: proposed, and shown."""

from typing import TYPE_CHECKING, Any

from inferix.errors import NotFound
from inferix.messages import Order
from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Outcome
from inferix.replay.answers import earlier_receipt
from inferix.replay.settlement import draft_batch
from inferix.replay.state import Job
from tests.contracts.system import block_hash
from tests.stateful.model.roots import ANCHOR
from tests.stateful.model.work import Batch

if TYPE_CHECKING:
    from tests.stateful.docket import Docket

LATER, MISORDERED, UNVOTED = "anchor", "order", "votes"  # lies
FLAWS = ("account", "attempt", "cap", "fee", "coin", "lane", LATER, "work")
"""What of a leaf is not so; work that goes with its charge only its voters know."""
VOTED = (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.CLIENT_FAULT)


class Misfits:
    """``at``: which leaf of a batch it is, by commitment."""

    def __init__(self, docket: "Docket") -> None:
        self.docket, self.bench = docket, docket.bench
        self.at: dict[bytes, int] = {}

    # -- proposing

    def settle(self, manager: int, flaw: str) -> Batch | None:
        """What has ended in a lane is proposed with this flaw; None where nothing that was voted on has, or it is refused."""
        draft = self.docket._honest(manager)
        found = next((leaf for leaf in draft.leaves if leaf.outcome in VOTED), None) if draft else None
        if draft is None or found is None:
            return None
        false = self._changed(found, flaw)
        leaves = sorted(
            (false if leaf is found else leaf for leaf in draft.leaves), key=lambda leaf: (leaf.task, leaf.attempt)
        )
        proposer, coin = manager, int(str(draft.header["coin"]))
        if flaw == "lane":
            proposer = next(node.id for node in self.bench.world.managers if node.id != manager)
        lane = self.bench.model.work.lane(proposer).batches
        previous = lane[-1].commitment if lane else bytes(32)
        coin = 3 - coin if flaw == "coin" else coin
        draft = draft_batch(proposer, len(lane) + 1, coin, leaves, previous)
        if draft.commitment in self.bench.model.work.batches or not self.docket.propose(draft, UNVOTED):
            return None
        batch = self.bench.model.work.batches[draft.commitment]
        self.at[batch.commitment] = leaves.index(false)
        if flaw == LATER:
            self.docket.lies[batch.commitment] = LATER
        elif not self.is_as_ordered(batch, false):
            self.docket.lies[batch.commitment] = MISORDERED
        return batch

    def _changed(self, leaf: BatchLeaf, flaw: str) -> BatchLeaf:
        order = self.job_of(leaf).order
        fee = -(-leaf.work * order.price // 10**9)
        changes: dict[str, dict[str, Any]] = {
            "account": {"account": leaf.account % 2 + 1},
            "attempt": {"attempt": order.attempts + 1},
            "cap": {"charge": order.cap + 1, "outcome": Outcome.CLIENT_FAULT},  # of which no price says how much it is
            "fee": {"charge": fee + 1, "outcome": Outcome.ACCEPTED},
            LATER: {"anchor": leaf.anchor + 1},
            "work": {"work": 2 * leaf.work},
        }
        return leaf.model_copy(update=changes.get(flaw, {}))

    # -- showing

    def job_of(self, leaf: BatchLeaf) -> Job:
        """Of a real task."""
        mirror = self.bench.world.mirror
        return mirror.jobs[mirror.tasks[leaf.task].task.job]

    def is_as_ordered(self, batch: Batch, leaf: BatchLeaf) -> bool:
        """As the model sees it now: a job may be taken over."""
        job = self.job_of(leaf)
        return self.bench.sync().courts.is_as_ordered(batch, leaf, job.id, job.order)

    def show_order(self, batch: Batch, index: int, *, other: Order | None = None, off: int = 0) -> bool:
        """A leaf and its order, or another one; ``off``: places that the task's index is off."""
        world, leaf = self.bench.world, batch.leaves[index]
        job, task = self.job_of(leaf), world.mirror.tasks[leaf.task].task
        order, is_its = other or job.order, not off and other in (None, job.order)
        courts, who = self.bench.model.courts, world.stranger
        ask = lambda: courts.prove_order(who.address, batch, leaf, job.id, order, is_its=is_its)  # noqa: E731
        values = tuple(getattr(order, name) for name in Order.model_fields)
        arguments = (*self.docket.item(batch, index).values(), values, (task.index + off) % 2**32)
        return self.bench.both(who, ask, "disputes", "prove_order", *arguments)

    def show_anchor(self, batch: Batch, index: int, off: int = 0) -> bool:
        """A leaf, and the receipt that came for its attempt; ``off``: anchors that it is said to be off. False where none came."""
        world, leaf = self.bench.world, batch.leaves[index]
        attempts = world.mirror.tasks[leaf.task].attempts
        if leaf.attempt >= len(attempts) or not attempts[leaf.attempt].receipt_anchor:
            return False
        first = attempts[leaf.attempt].receipt_anchor
        try:
            shown = earlier_receipt(world.mirror, batch.manager, first, leaf, block_hash)
        except NotFound:
            return False
        is_received = not off and not self._is_fallen(batch.manager, first)
        courts, who = self.bench.model.courts, world.stranger
        ask = lambda: courts.prove_anchor(who.address, batch, leaf, first + off, is_received=is_received)  # noqa: E731
        arguments = (self.docket.item(batch, index), first + off, shown)
        return self.bench.both(who, ask, "disputes", "prove_anchor", *arguments)

    def _is_fallen(self, manager: int, index: int) -> bool:
        fallen = self.bench.model.roots.fallen
        return any((name.kind, name.of, name.index) == (ANCHOR, manager, index) for name in fallen)

    def refute(self, batch: Batch, pick: int) -> None:
        """Nobody is punished for a leaf that is right, whatever is shown: its order, another, its receipt, one before it."""
        index, jobs = pick % len(batch.leaves), list(self.bench.world.mirror.jobs.values())
        other = jobs[pick % len(jobs)].order
        assert not self.show_order(batch, index, other=other, off=pick % 2) and not self.show_order(batch, index)
        assert not self.show_anchor(batch, index, off=-1) and not self.show_anchor(batch, index)

    def convict(self, batch: Batch) -> bool:
        """Of a lie of these kinds: its proof, while the order says so; False where it takes a question about its votes."""
        lie, at = self.docket.lies[batch.commitment], self.at.get(batch.commitment, 0)
        if lie == LATER:
            return self.show_anchor(batch, at)
        return lie == MISORDERED and self.show_order(batch, at)
