# SPDX-License-Identifier: Apache-2.0
"""Which attempts are canaries, and what their workers are given: written down before the acceptance is anchored, so
that nobody starts without it, and shown with the votes that decide.

A manager gives openings for jobs of its own alone, whose quotes it signed with the key that it has now: by that key a
worker knows them. The coin is of the operator's key: it stays secret and needs no keeping.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from eth_account import Account
from sqlmodel import Session

from inferix.canaries import commitment_of, opening_for, seal_opening
from inferix.errors import InferixError
from inferix.messages import Acceptance, Anchored, CanaryOpening, Receipt, Vote
from inferix.models.job import case_id
from inferix.models.roles import Outcome, TaskKind
from inferix.replay import Network
from inferix.replay.attempts import decide
from inferix.replay.jobs import quoter
from inferix.replay.state import AttemptStatus, Job, TaskState
from inferix.storage.tables import Message, SealedKey

log = logging.getLogger(__name__)

TIME_FOR = 3
"""A canary is asked for where there is time for so many attempts before the order's deadline."""

Given = tuple[Message, SealedKey]
"""An opening as it is kept until it is due, and the box with it for the worker."""
Attempted = tuple[bytes, int]
"""(task, attempt)"""


def openings(messages: Iterable[Anchored]) -> dict[Attempted, list[CanaryOpening]]:
    """What was given for each attempt; to several workers, where an acceptance was lost."""
    found: dict[Attempted, list[CanaryOpening]] = {}
    for message in messages:
        if isinstance(message, CanaryOpening):
            found.setdefault((message.task, message.attempt), []).append(message)
    return found


NOT_GIVEN = "it does not commit to the opening that came with the assignment"


def why_not_given(given: Mapping[Attempted, Sequence[CanaryOpening]], message: Receipt) -> str:
    """What a receipt says of the opening that its worker was given, if it was: it counts with that alone."""
    items = given.get((message.task, message.attempt), ())
    if not items or message.canary in {commitment_of(item, message.node) for item in items}:
        return ""
    return NOT_GIVEN


def is_due(network: Network, manager: int, opening: CanaryOpening, taken: Iterable[Anchored]) -> bool:
    """Whether an opening that is early yet is not after these messages, which go before it in the same anchor."""
    state = network.tasks[opening.task]
    attempt = state.attempts[opening.attempt]
    if attempt.status is not AttemptStatus.RECEIVED or attempt.lane != manager:
        return False
    votes = (each for each in taken if isinstance(each, Vote) and each.task == opening.task)
    return decide(network, state, attempt, votes) not in (None, Outcome.VOID)


@dataclass(frozen=True)
class Canaries:
    """A manager's canaries, ``ppm`` in a million render attempts; with 0 nobody is given anything."""

    manager: int
    operator_key: bytes = field(repr=False)
    ppm: int

    def given(self, network: Network, acceptances: Iterable[Acceptance]) -> Iterator[Given]:
        """What to write down before these acceptances are anchored."""
        for message in acceptances if self.ppm else ():
            state = network.tasks[message.task]
            job = network.jobs[state.task.job]
            if state.task.kind is not TaskKind.RENDER or not self._knows_quote(network, job):
                continue
            try:
                yield self._give(network, job, state, message)
            except InferixError as error:  # it cannot open the job's key either
                log.warning("node %d gets no opening: %s", message.node, error)

    def _knows_quote(self, network: Network, job: Job) -> bool:
        if job.spec is None or job.order.manager != self.manager:
            return False
        try:
            return quoter(network.domain, job.spec) == str(Account.from_key(self.operator_key).address)
        except InferixError:
            return False

    def _give(self, network: Network, job: Job, state: TaskState, message: Acceptance) -> Given:
        ppm = self.ppm if self._may_ask(network, job, state) else 0
        secret = hashlib.sha256(b"inferix.canary.v1" + self.operator_key).digest()
        opening = opening_for(secret, self.manager, message.task, message.attempt, message.node, ppm)
        signature = opening.sign(network.domain, self.operator_key)
        row = Message(
            digest=opening.digest(network.domain),
            kind=opening.kind,
            node=self.manager,
            task=opening.task,
            attempt=opening.attempt,
            body=opening.body(),
            signature=signature,
            received_at=network.time,
        )
        box = seal_opening(opening, signature, network.nodes[message.node].sealing_key)
        subject = case_id(message.task, message.attempt)
        return row, SealedKey(subject=subject, node=message.node, sealed=box)

    def _may_ask(self, network: Network, job: Job, state: TaskState) -> bool:
        """One canary a task, none that could cost the client its frame."""
        assert job.spec is not None
        had = any(attempt.is_canary for attempt in state.attempts)
        late = network.time + TIME_FOR * job.spec.seconds_for(state.task.kind) >= job.order.deadline
        return not had and not late


def keep(session: Session, given: Iterable[Given]) -> None:
    """Writes down what is new of it."""
    for row, box in given:
        if session.get(Message, row.digest) is None:
            session.add(row)
        session.merge(box)
