# SPDX-License-Identifier: Apache-2.0
"""Receipts and probes that somebody put on chain, for a lane that does not anchor them.

A probe counts as if it were anchored. A receipt does not: committees are drawn from the seed of the anchor that has it.
But its worker has delivered, and is not late: the lane has ``GRACE`` seconds more to anchor that same receipt. If it
does not, the attempt is void.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from inferix.errors import InferixError
from inferix.messages import ANCHORED, Probe, Receipt
from inferix.models.anchor import SignedMessage
from inferix.models.event import ChainEvent
from inferix.models.roles import Outcome
from inferix.replay import jobs, probes
from inferix.replay.attempts import GRACE, NO_TASK, NOT_ITS, NOT_OPEN, PAST, why_not_signed
from inferix.replay.attempts import why_not as why_not_anchored
from inferix.replay.handlers import Handlers
from inferix.replay.later import MESSAGE_KINDS
from inferix.replay.network import Network
from inferix.replay.state import Attempt, AttemptStatus, TaskState

KINDS = {number: kind for number, kind in MESSAGE_KINDS.items() if kind in (Receipt.kind, Probe.kind)}
"""What ``Orders.post_message`` takes."""
BEFORE = "its receipt was posted before"
OF_A_LEASE = "a lease ends by an anchored receipt alone: nobody is late in it"


def why_not(network: Network, item: SignedMessage, message: Receipt, time: int) -> str:
    """Why a receipt would save nobody from being late if it were posted at ``time``; empty when it would."""
    state = network.tasks.get(message.task)
    if state is None:
        return NO_TASK
    attempt = state.current
    if attempt is None or attempt.number != message.attempt or attempt.status is AttemptStatus.ENDED:
        return NOT_OPEN
    if attempt.status is AttemptStatus.LEASED:
        return OF_A_LEASE
    if attempt.status is AttemptStatus.RECEIVED:
        return "its receipt is anchored"
    if attempt.status is not AttemptStatus.ACCEPTED or attempt.node != message.node:
        return NOT_ITS
    if attempt.posted is not None:
        return BEFORE
    return why_not_signed(network, item, message) or ("" if time <= attempt.deadline else PAST)


def waiting(network: Network, manager: int) -> Iterator[tuple[SignedMessage, Receipt]]:
    """Posted receipts that would count if this manager's lane anchored them now."""
    for task in sorted(network.posted):
        attempt = network.tasks[task].current
        if attempt is not None and attempt.posted is not None:
            message, signature = attempt.posted
            item = SignedMessage(kind="Receipt", body=message.body(), signature=signature)
            if not why_not_anchored(network, manager, item, message, network.time):
                yield item, message


def _posted(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    kind = KINDS[args["kind"]]  # the contract takes no other
    reason = _take(network, event, kind, args["body"], args["signature"])
    if reason:
        network.refuse(f"block {event.block}: a posted {kind}: {reason}")


def _take(network: Network, event: ChainEvent, kind: str, body: bytes, signature: bytes) -> str:
    """Applies a message; says why not, or nothing."""
    try:
        message = ANCHORED[kind].from_body(body)
    except InferixError as error:
        return str(error)
    item = SignedMessage(kind=kind, body=body, signature=signature)  # type: ignore[arg-type]
    if isinstance(message, Probe):
        return probes.take(network, item, message, event.timestamp)
    assert isinstance(message, Receipt)
    reason = why_not(network, item, message, event.timestamp)
    if not reason:
        state = network.tasks[message.task]
        attempt = state.attempts[-1]
        attempt.posted, attempt.posted_at = (message, signature), event.timestamp
        network.posted.add(message.task)
        network.at(attempt.deadline + GRACE, lambda: _kept_out(network, state, attempt))
    return reason


def _kept_out(network: Network, state: TaskState, attempt: Attempt) -> None:
    """The lane had its time: nobody pays for what nobody can check, and its worker is not to blame."""
    if state.attempts[-1] is attempt:  # else a later one's may wait
        network.posted.discard(state.task.id)
    if attempt.status is AttemptStatus.ACCEPTED:
        jobs.end_attempt(network, state, Outcome.VOID, attempt.deadline + GRACE, None)


EVENTS: Handlers = {"MessagePosted": _posted}
