# SPDX-License-Identifier: Apache-2.0
"""Who may read a job: seals its key on to drawn workers (assign), and to committees and panels (verify).

The draw decides, not the keeper: whoever holds an open draw or a seat gets the key, nobody else does.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlmodel import col, select

from inferix import sealing
from inferix.errors import InferixError
from inferix.models.roles import CaseStatus, ObjectionStatus
from inferix.replay import Network
from inferix.replay.attempts import misfit_worker, open_draws, seats
from inferix.replay.contradictions import heard, job_of
from inferix.replay.jobs import LIVE
from inferix.replay.state import Attempt, AttemptStatus, Job, TaskState
from inferix.storage.tables import SealedKey
from keepers.desk import Desk

log = logging.getLogger(__name__)

Reader = tuple[bytes, int]
"""(job, node)"""


def decide_workers(network: Network, manager: int) -> set[Reader]:
    """Workers whose draw is open and fits, and those that have accepted."""
    readers: set[Reader] = set()
    for job, state, attempt in _current(network, manager):
        if attempt.status is AttemptStatus.ACCEPTED:
            readers.add((job.id, attempt.node))
        elif attempt.status is AttemptStatus.DRAWING and job.status in LIVE:
            for drawn in open_draws(network, state, attempt, network.time):
                if not misfit_worker(network, job, state, drawn.leaf):
                    readers.add((job.id, drawn.leaf.node))
    return readers


def decide_verifiers(network: Network, manager: int) -> set[Reader]:
    """Committee members that may vote now, and panel members of open appeals, objections and contradictions."""
    readers: set[Reader] = set()
    for job, state, attempt in _current(network, manager):
        if attempt.status is AttemptStatus.RECEIVED:
            places = seats(network, state, attempt)
            readers |= {(job.id, seat.leaf.node) for seat in places if seat.from_time <= network.time}
    for case in network.cases.values():
        accused = network.tasks.get(case.task)
        if accused is not None and case.status is CaseStatus.APPEALED:
            job = network.jobs[accused.task.job]
            readers |= {(job.id, node) for node in case.seats if job.manager == manager}
    for item in heard(network):
        named = job_of(network, item)
        if named is not None and item.status is ObjectionStatus.OPEN and named.manager == manager:
            readers |= {(named.id, node) for node in item.seats}
    return readers


def _current(network: Network, manager: int) -> Iterator[tuple[Job, TaskState, Attempt]]:
    """The newest attempts in a manager's lane."""
    for job in network.jobs.values():
        for state in job.tasks:
            attempt = state.current
            if attempt is not None and attempt.lane == manager:
                yield job, state, attempt


def _is_for(row: SealedKey | None, recipient: bytes) -> bool:
    """Whether a node can open what is there. Of a row without a recipient nothing is known: it counts as good."""
    return row is not None and row.recipient in (None, recipient)


@dataclass
class Sealer:
    """Seals keys to the readers that ``decide`` names, and again to who has another sealing key since."""

    desk: Desk
    decide: Callable[[Network, int], set[Reader]]

    def cycle(self) -> None:
        """Seals what is missing."""
        with self.desk.follower.reading() as network:
            readers = self.decide(network, self.desk.manager)
            recipients = {reader: network.nodes[reader[1]].sealing_key for reader in readers}
        if not recipients:
            return
        jobs = sorted({job for job, _ in recipients})
        with self.desk.database.reading() as session:
            rows = session.exec(select(SealedKey).where(col(SealedKey.subject).in_(jobs))).all()
        known = {(row.subject, row.node): row for row in rows}
        sealed = [
            SealedKey(subject=job, node=node, sealed=box, recipient=recipient)
            for (job, node), recipient in sorted(recipients.items())
            if not _is_for(known.get((job, node)), recipient)
            and (box := self._box(job, node, recipient, known)) is not None
        ]
        if sealed:
            with self.desk.database.session() as session:
                for row in sealed:
                    session.merge(row)

    def _box(self, job: bytes, node: int, recipient: bytes, known: dict[Reader, SealedKey]) -> bytes | None:
        """The job's key for a node; None when it cannot be had, which is said once."""
        name, mine = job.hex()[:12], known.get((job, self.desk.manager))
        try:
            if mine is None:
                self.desk.warn_once(
                    log, f"job {name}: its client has not handed in its key; it waits, and expires by itself"
                )
                return None
            box = sealing.seal_key(sealing.open_key(mine.sealed, self.desk.sealing_key), recipient)
        except InferixError as error:
            self.desk.warn_once(log, f"job {name}: its key cannot be sealed to node {node}: {error}")
            return None
        log.info("job %s: key sealed to node %d", name, node, extra={"job": job.hex(), "node": node})
        return box
