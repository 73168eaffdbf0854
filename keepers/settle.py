# SPDX-License-Identifier: Apache-2.0
"""Outcomes to the chain: proposes what has ended in this manager's lane, makes final whatever is due in any lane.

A proposal's key is its place in the lane, not its content: a keeper that starts again while one is on its way does not
propose another for the same place, whatever has ended since.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from inferix.chain.deployment import Contracts
from inferix.errors import LimitExceeded
from inferix.models.roles import BatchStatus
from inferix.replay import Network
from inferix.replay.jobs import LIVE
from inferix.replay.settlement import BatchDraft, draft_batch, draft_batches, ready
from inferix.replay.state import Batch
from inferix.storage.documents import put_document
from keepers.desk import MONEY, WORK, Desk

log = logging.getLogger(__name__)


def decide_propose(network: Network, manager: int, batch_seconds: int, cap: int | None = None) -> BatchDraft | None:
    """The next batch of the lane: when its oldest outcome has waited long enough, or no job is left to wait for.

    ``cap``: nano-USD that the lane's open batches may charge; None where that is no matter."""
    waiting = ready(network, manager)
    if not waiting:
        return None
    oldest = min(attempt.ended_at for _, attempt in waiting)
    busy = any(job.status in LIVE for job in network.jobs.values() if job.manager == manager)
    if busy and network.time < oldest + batch_seconds:
        return None
    return draft_batches(network, manager, cap)[0]


def cap_of(network: Network, manager: int, required: int) -> int:
    """What the lane's open batches may charge now, nano-USD: half of what is bonded and not frozen.

    ``required``: wei of IFX that ``manager_bond`` comes to at the market's price, which no event tells."""
    node = network.nodes[manager]
    return max(node.bonded - node.frozen, 0) * network.parameters["manager_bond"] // max(2 * required, 1)


def decide_finalize(network: Network) -> list[Batch]:
    """The oldest open batch of each lane, and those that stand alone, whose windows are over."""
    due: list[Batch] = []
    for lane in network.lanes.values():
        batches = (network.batches[commitment] for commitment in lane.batches)
        first = next((batch for batch in batches if batch.status is BatchStatus.PROPOSED), None)
        alone = (network.batches[commitment] for commitment in lane.alone)
        waiting = [batch for batch in (first, *alone) if batch and batch.status is BatchStatus.PROPOSED]
        due += [batch for batch in waiting if network.passed(batch.proposed_at) >= network.parameters["batch_window"]]
    return due


def place(network: Network, draft: BatchDraft) -> str:
    """What names a proposal: the lane, the sequence, and how many batches of the lane were cancelled before it."""
    manager, sequence = int(draft.header["manager"]), int(draft.header["sequence"])
    cancelled = sum(
        batch.manager == manager and batch.status is BatchStatus.CANCELLED and not batch.is_alone
        for batch in network.batches.values()
    )
    return f"propose:{manager}:{sequence}:{cancelled}"


def smaller(draft: BatchDraft) -> Iterator[BatchDraft]:
    """The draft, then half of it, and so on down to one leaf: what a bond allows to charge at once."""
    header, count = draft.header, len(draft.leaves)
    yield draft
    while count > 1:
        count //= 2
        manager, sequence, coin = (int(header[name]) for name in ("manager", "sequence", "coin"))
        previous = header["previous"]
        assert isinstance(previous, bytes)
        yield draft_batch(manager, sequence, coin, draft.leaves[:count], previous)


@dataclass
class Settle:
    """``contracts`` reads what the bond is worth; ``batch_seconds``: how long an outcome waits, block time."""

    desk: Desk
    contracts: Contracts
    batch_seconds: int

    def cycle(self) -> None:
        """One proposal at a time; every finalize that is due."""
        manager = self.desk.manager
        with self.desk.follower.reading() as network:
            is_due = decide_propose(network, manager, self.batch_seconds) is not None
            due = [(batch.commitment, dict(batch.header)) for batch in decide_finalize(network)]
        for commitment, header in due:
            self.desk.try_send(MONEY, f"finalize:{commitment.hex()}", "Batches", "finalize", header)
        if is_due:
            self._propose_what_has_room(manager)

    def _propose_what_has_room(self, manager: int) -> None:
        required = int(self.contracts.read("Staking", "required", manager))
        with self.desk.follower.reading() as network:
            draft = decide_propose(network, manager, self.batch_seconds, cap_of(network, manager, required))
            key = place(network, draft) if draft is not None else ""
        if draft is not None and not self.desk.sender.done(key):
            self._propose(key, draft)

    def _propose(self, key: str, draft: BatchDraft) -> None:
        for part in smaller(draft):
            for document in part.documents:
                put_document(self.desk.store, document)
            if self.desk.try_send(WORK, key, "Batches", "propose", part.header, part.records):
                sequence, count = part.header["sequence"], len(part.leaves)
                log.info("proposed batch %s with %d outcomes", sequence, count, extra={"batch": part.commitment.hex()})
                return
        raise LimitExceeded(
            f"{key} has to wait: the contract refuses even one of its {len(draft.leaves)} outcomes (see above). If it "
            "is for the open charges, they free as batches become final, or raise the bond"
        )
