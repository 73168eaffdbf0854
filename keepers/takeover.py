# SPDX-License-Identifier: Apache-2.0
"""Jobs of a manager that has fallen silent: this manager calls it out, and takes over those whose key it can open.

Without the key nobody could be let in to the input; such a job waits for its manager, or for another that has the key.
"""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlmodel import col, select

from inferix.replay import Network
from inferix.replay.jobs import LIVE
from inferix.replay.orders import last_sign_of_life
from inferix.replay.state import Attempt, AttemptStatus, Job
from inferix.storage.tables import SealedKey
from keepers.desk import WORK, Desk

log = logging.getLogger(__name__)

CALLED_AFTER = 10  # a manager is called out when it was silent for this part of ``takeover_after``


def decide_call_out(network: Network, manager: int, readable: Collection[bytes]) -> list[int]:
    """Managers that leave a job waiting which this one could go on with, and that nobody has called out since their
    newest anchor. A lane with something to do anchors every slot."""
    patience = network.parameters["takeover_after"] // CALLED_AFTER
    silent = {
        job.manager
        for job in _waiting(network, manager, readable)
        if network.time >= last_sign_of_life(network, job) + patience
    }
    return sorted(other for other in silent if not network.lane(other).is_called_out)


def decide_take_over(network: Network, manager: int, readable: Collection[bytes]) -> list[tuple[bytes, int]]:
    """(job, its silent manager): what waits for a manager that was called out ``takeover_after`` ago, to no effect."""
    silence = network.parameters["takeover_after"]
    return [
        (job.id, job.manager)
        for job in _waiting(network, manager, readable)
        if (lane := network.lane(job.manager)).is_called_out and network.time >= lane.called_at + silence
    ]


def _waiting(network: Network, manager: int, readable: Collection[bytes]) -> Iterator[Job]:
    """Jobs of others' lanes, never taken over, whose key is here and that only an anchor brings further."""
    for job in network.jobs.values():
        if job.status in LIVE and job.id in readable and job.taken is None and job.manager != manager and _waits(job):
            yield job


def _waits(job: Job) -> bool:
    """Whether something of the job can only go on with an anchor: anything but a worker at work."""
    at_work = (AttemptStatus.ACCEPTED, AttemptStatus.LEASED, AttemptStatus.ENDED)
    current = [state.current for state in job.tasks if state.current is not None]
    return any(attempt.status not in at_work or _is_kept_out(attempt) for attempt in current)


def _is_kept_out(attempt: Attempt) -> bool:
    """Whether its worker is done, and has put its receipt on chain."""
    return attempt.status is AttemptStatus.ACCEPTED and attempt.posted is not None


@dataclass
class TakeOver:
    """Calls out and takes over, once each."""

    desk: Desk

    def cycle(self) -> None:
        """Calls out who is silent, and takes over what is due."""
        with self.desk.follower.reading() as network:
            live = [job for job in network.jobs.values() if job.status in LIVE]
        others = [job.id for job in live if job.manager != self.desk.manager]
        if not others:
            return
        mine = select(SealedKey.subject).where(SealedKey.node == self.desk.manager, col(SealedKey.subject).in_(others))
        with self.desk.database.reading() as session:
            readable = set(session.exec(mine))
        with self.desk.follower.reading() as network:
            due = decide_take_over(network, self.desk.manager, readable)
            called = decide_call_out(network, self.desk.manager, readable)
            silences = {other: network.lane(other).anchored for other in called}
        for other, anchors in silences.items():
            key = f"call-out:{other}:{anchors}"
            if self.desk.try_send(WORK, key, "Orders", "call_out", other, self.desk.manager):
                log.warning("manager %d called out: it leaves jobs waiting", other)
        for job, silent in due:
            key = f"take-over:{job.hex()}:{silent}"
            if self.desk.try_send(WORK, key, "Orders", "take_over", job, silent, self.desk.manager):
                log.warning("job %s taken over from manager %d", job.hex()[:12], silent, extra={"job": job.hex()})
