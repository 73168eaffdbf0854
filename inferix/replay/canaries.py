# SPDX-License-Identifier: Apache-2.0
"""What follows when a receipt may be a canary's: rule 8 of docs/protocol.md, section 5.

Votes that decide wait for the opening of what the receipt commits to; the attempt ends with it, never before.
"""

from inferix.canaries import commitment_of
from inferix.errors import InferixError
from inferix.messages import CanaryOpening
from inferix.models.anchor import SignedMessage
from inferix.models.roles import Outcome
from inferix.replay import jobs
from inferix.replay.network import Network
from inferix.replay.settlement import NO_CANARY, may_be_saved
from inferix.replay.state import Anchor, Attempt, AttemptStatus, TaskState

EARLY = "the votes have not decided"


def decided(network: Network, state: TaskState, attempt: Attempt, outcome: Outcome, anchor: Anchor) -> None:
    """The votes have decided. What nobody is paid or frozen for ends at once; so does what commits to nothing."""
    if attempt.canary == NO_CANARY or outcome is Outcome.VOID:
        jobs.end_attempt(network, state, outcome, anchor.timestamp, anchor.index)
        return
    attempt.decided = outcome
    last = anchor.timestamp + 2 * network.parameters["vote_window"]
    network.at(last, lambda: _unopened(network, state, attempt, last))


def opened(
    network: Network, manager: int, state: TaskState, attempt: Attempt, message: CanaryOpening, anchor: Anchor
) -> None:
    """The opening counts: the outcome is that of the votes or, of a canary, void; who accepted it has missed it."""
    assert attempt.decided is not None
    attempt.is_canary, attempt.salt = message.is_canary, message.salt
    outcome = attempt.decided
    if message.is_canary:
        outcome = Outcome.VOID
        attempt.missed = {node: cast for node, cast in attempt.votes.items() if cast[0].outcome == Outcome.ACCEPTED}
    if attempt.status is AttemptStatus.ENDED:
        attempt.outcome = outcome
        return
    index = anchor.index if manager == attempt.lane else None
    jobs.end_attempt(network, state, outcome, anchor.timestamp, index)


def _unopened(network: Network, state: TaskState, attempt: Attempt, last: int) -> None:
    """Nobody is paid for what may be a canary. A rejection stands, or who withholds the opening would save a cheat; a
    second one, which would charge the client, does not."""
    if attempt.status is not AttemptStatus.RECEIVED:
        return
    stands = attempt.decided is Outcome.REJECTED and not jobs.was_rejected(state)
    jobs.end_attempt(network, state, Outcome.REJECTED if stands else Outcome.VOID, last, None)


def why_not(network: Network, state: TaskState, item: SignedMessage, message: CanaryOpening, time: int) -> str:
    """Why an opening would not count at ``time``, in whatever lane; ``EARLY``: it may later; empty when it would."""
    attempt = state.attempts[message.attempt] if message.attempt < len(state.attempts) else None
    job = network.jobs[state.task.job]
    if attempt is None or message.node != job.order.manager or job.spec is None:
        return "there is no such attempt of a job of this manager"
    if attempt.status not in (AttemptStatus.RECEIVED, AttemptStatus.ENDED):
        return EARLY
    if attempt.canary == NO_CANARY or commitment_of(message, attempt.node) != attempt.canary:
        return "it is not what the receipt commits to"
    try:
        if message.signer(network.domain, item.signature) != jobs.quoter(network.domain, job.spec):
            return "not signed with the key of the job's quote"
    except InferixError as error:
        return str(error)
    if attempt.status is AttemptStatus.ENDED:
        saves = message.is_canary and may_be_saved(network, attempt, time)
        return "" if saves else "this attempt is over"
    return "" if attempt.decided is not None else EARLY


def is_unopened(network: Network, attempt: Attempt) -> bool:
    """Whether an opening of an attempt would count now, and is not anchored."""
    return attempt.node != 0 and (_waits(attempt) or may_be_saved(network, attempt, network.time))


def _waits(attempt: Attempt) -> bool:
    return attempt.status is AttemptStatus.RECEIVED and attempt.decided is not None
