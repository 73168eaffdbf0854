# SPDX-License-Identifier: Apache-2.0
"""Who may read a job: seals its key on to drawn workers (assign), and to committees and panels (verify).

The draw decides, not the keeper: whoever holds an open draw or a seat gets the key, nobody else does.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from inferix import sealing
from inferix.errors import InferixError
from inferix.models.roles import CaseStatus
from inferix.replay import Network
from inferix.replay.attempts import misfit_worker, open_draws, seats
from inferix.replay.state import AttemptStatus, Job
from inferix.storage.tables import SealedKey
from keepers.desk import Desk

log = logging.getLogger(__name__)

Reader = tuple[bytes, int]
"""(job, node)"""


def decide_workers(network: Network, manager: int) -> set[Reader]:
    """Workers whose draw is open and fits, and those that have accepted."""
    readers: set[Reader] = set()
    for job in _live_jobs(network, manager):
        for state in job.tasks:
            attempt = state.current
            if attempt is None:
                continue
            if attempt.status is AttemptStatus.ACCEPTED:
                readers.add((job.id, attempt.node))
            elif attempt.status is AttemptStatus.DRAWING:
                for drawn in open_draws(network, state, attempt, network.time):
                    if not misfit_worker(network, job, state, drawn.leaf):
                        readers.add((job.id, drawn.leaf.node))
    return readers


def decide_verifiers(network: Network, manager: int) -> set[Reader]:
    """Committee members that may vote now, and panel members of open appeals."""
    readers: set[Reader] = set()
    for job in network.jobs.values():
        if job.manager != manager:
            continue
        for state in job.tasks:
            attempt = state.current
            if attempt is not None and attempt.status is AttemptStatus.RECEIVED:
                places = seats(network, state, attempt)
                readers |= {(job.id, seat.leaf.node) for seat in places if seat.from_time <= network.time}
    for case in network.cases.values():
        job = network.jobs[network.tasks[case.task].task.job]
        if case.status is CaseStatus.APPEALED and job.manager == manager:
            readers |= {(job.id, node) for node in case.seats}
    return readers


def _live_jobs(network: Network, manager: int) -> Iterator[Job]:
    return (job for job in network.jobs.values() if job.manager == manager and job.status in ("posted", "running"))


@dataclass
class Sealer:
    """Seals keys to the readers that ``decide`` names."""

    desk: Desk
    decide: Callable[[Network, int], set[Reader]]

    def cycle(self) -> None:
        """Seals what is missing."""
        with self.desk.follower.reading() as network:
            readers = self.decide(network, self.desk.manager)
            recipients = {reader: network.nodes[reader[1]].sealing_key for reader in readers}
        for (job, node), recipient in sorted(recipients.items()):
            self._seal(job, node, recipient)

    def _seal(self, job: bytes, node: int, recipient: bytes) -> None:
        with self.desk.database.session() as session:
            if session.get(SealedKey, (job, node)) is not None:
                return
            mine = session.get(SealedKey, (job, self.desk.manager))
            if mine is None:
                return  # the client has not handed in its key; the order waits and expires by itself
            try:
                key = sealing.open_key(mine.sealed, self.desk.sealing_key)
                sealed = sealing.seal_key(key, recipient)
            except InferixError as error:
                log.warning("job %s: its key cannot be sealed to node %d: %s", job.hex()[:12], node, error)
                return
            session.add(SealedKey(subject=job, node=node, sealed=sealed))
            log.info("job %s: key sealed to node %d", job.hex()[:12], node)
