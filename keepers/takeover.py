# SPDX-License-Identifier: Apache-2.0
"""Jobs of a manager that has fallen silent: this manager takes over those whose key it can open.

Without the key nobody could be let in to the input; such a job waits for its manager, or for another that has the key.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import select

from inferix.replay import Network
from inferix.replay.jobs import LIVE, last_sign_of_life
from inferix.replay.state import AttemptStatus, Job
from inferix.storage.tables import SealedKey
from keepers.desk import WORK, Desk

log = logging.getLogger(__name__)


def decide_take_over(network: Network, manager: int, readable: Collection[bytes]) -> list[tuple[bytes, int]]:
    """(job, its silent manager): what waits for a manager that has not anchored for ``takeover_after``."""
    silence = network.parameters["takeover_after"]
    return [
        (job.id, job.manager)
        for job in network.jobs.values()
        if job.status in LIVE
        and job.id in readable
        and job.manager == job.order.manager != manager
        and _waits(job)
        and network.time >= last_sign_of_life(network, job) + silence
    ]


def _waits(job: Job) -> bool:
    """Whether something of the job can only go on with an anchor: anything but a worker at work."""
    current = [state.current for state in job.tasks if state.current is not None]
    return any(
        attempt.status in (AttemptStatus.WAITING, AttemptStatus.DRAWING, AttemptStatus.RECEIVED) for attempt in current
    )


@dataclass
class TakeOver:
    """Takes over what waits, once each."""

    desk: Desk

    def cycle(self) -> None:
        """Takes over what is due."""
        with self.desk.database.reading() as session:
            readable = set(session.exec(select(SealedKey.subject).where(SealedKey.node == self.desk.manager)))
        with self.desk.follower.reading() as network:
            due = decide_take_over(network, self.desk.manager, readable)
        for job, silent in due:
            key = f"take-over:{job.hex()}:{silent}"
            if self.desk.try_send(WORK, key, "Orders", "take_over", job, silent, self.desk.manager):
                log.warning("job %s taken over from manager %d", job.hex()[:12], silent, extra={"job": job.hex()})
