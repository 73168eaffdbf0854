# SPDX-License-Identifier: Apache-2.0
"""Outcomes to the chain: proposes what has ended in this manager's lane, makes final whatever is due in any lane."""

import logging
import time
from dataclasses import dataclass, field

from inferix.models.roles import BatchStatus
from inferix.replay import Network
from inferix.replay.settlement import BatchDraft, draft_batches, ready
from inferix.replay.state import Batch, JobStatus
from inferix.storage.documents import put_document
from keepers.desk import Desk

log = logging.getLogger(__name__)

IN_FLIGHT_SECONDS = 60.0
OPEN = (JobStatus.POSTED, JobStatus.RUNNING)


def decide_propose(network: Network, manager: int, batch_seconds: int) -> BatchDraft | None:
    """The next batch of the lane: when its oldest outcome has waited long enough, or no job is left to wait for."""
    waiting = ready(network, manager)
    if not waiting:
        return None
    oldest = min(attempt.ended_at for _, attempt in waiting)
    busy = any(job.status in OPEN for job in network.jobs.values() if job.manager == manager)
    if busy and network.time < oldest + batch_seconds:
        return None
    return draft_batches(network, manager)[0]


def decide_finalize(network: Network) -> list[Batch]:
    """The oldest open batch of each lane, if its window is over."""
    due = []
    for lane in network.lanes.values():
        batches = (network.batches[commitment] for commitment in lane.batches)
        first = next((batch for batch in batches if batch.status is BatchStatus.PROPOSED), None)
        if first is not None and network.time >= first.proposed_at + network.parameters["batch_window"]:
            due.append(first)
    return due


@dataclass
class Settle:
    """``batch_seconds``: how long an outcome waits for others at most."""

    desk: Desk
    batch_seconds: int
    _sent: dict[int, tuple[bytes, float]] = field(default_factory=dict)

    def cycle(self) -> None:
        """One proposal at a time; every finalize that is due."""
        with self.desk.follower.reading() as network:
            draft = decide_propose(network, self.desk.manager, self.batch_seconds)
            due = [(batch.commitment, batch.header) for batch in decide_finalize(network)]
        if draft is not None:
            self._propose(draft)
        self.desk.try_each(
            [
                lambda commitment=commitment, header=header: self.desk.send(  # type: ignore[misc]
                    "work", f"finalize:{commitment.hex()}", "Batches", "finalize", header
                )
                for commitment, header in due
            ]
        )

    def _propose(self, draft: BatchDraft) -> None:
        sequence = int(draft.header["sequence"])
        known, at = self._sent.get(sequence, (b"", 0.0))
        if known not in (b"", draft.commitment) and time.monotonic() < at + IN_FLIGHT_SECONDS:
            return  # another one of this sequence is on its way; what ended since goes into the next
        for document in draft.documents:
            put_document(self.desk.store, document)
        self.desk.send("work", f"propose:{draft.commitment.hex()}", "Batches", "propose", draft.header, draft.records)
        self._sent[sequence] = (draft.commitment, time.monotonic())
        log.info("proposed batch %d with %d outcomes", sequence, len(draft.leaves))
