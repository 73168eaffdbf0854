# SPDX-License-Identifier: Apache-2.0
"""Contradicted votes as the Contradictions contract reports them, and what a panel renders again to judge one."""

from collections.abc import Mapping
from typing import Any

from inferix.messages import Vote
from inferix.models.event import ChainEvent
from inferix.models.roles import ObjectionStatus
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.objections import job_of as job_of_objection
from inferix.replay.stake import bar
from inferix.replay.state import Attempt, Contradiction, Job, Objection

Heard = Objection | Contradiction
"""What a panel hears that is no appeal."""


def opened(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Somebody says that the tiles of a vote, rendered again, say otherwise."""
    named = ("task", "attempt", "result", "outcome", "measured")
    names = ("id", "challenger", "reason", "share", "node", "bond")
    network.contradictions[args["id"]] = Contradiction(
        vote=Vote(node=args["verifier"], **{name: args[name] for name in named}),
        asked_at=event.timestamp,
        asked_block=args["block"],
        **{name: args[name] for name in names},
    )


def closed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """The panel, the governor or time decided. Upheld, the verifier was slashed just before, in the same transaction:
    none of that is the panel's, nor of who voted on the same attempt."""
    found = network.contradictions[args["id"]]
    found.status, found.ended_at = ObjectionStatus(args["status"]), event.timestamp
    if found.status is ObjectionStatus.UPHELD:
        attempt = attempt_of(network, found)
        voters = attempt.votes if attempt is not None else {}
        bar(network, event, found.vote.node, {*found.seats, *voters})


def attempt_of(network: Network, found: Contradiction) -> Attempt | None:
    """The attempt that the vote is about; None of a vote on nothing."""
    state = network.tasks.get(found.vote.task)
    if state is None or found.vote.attempt >= len(state.attempts):
        return None
    return state.attempts[found.vote.attempt]


def seed_of(network: Network, attempt: Attempt) -> bytes | None:
    """What the tiles of an attempt's committee are drawn from; None before its receipt's anchor is sealed."""
    anchor = network.lane(attempt.lane).anchors.get(attempt.receipt_anchor)
    return anchor.seed if anchor is not None else None


def heard(network: Network) -> list[Heard]:
    """All that panels hear or heard, but for appeals."""
    return [*network.objections.values(), *network.contradictions.values()]


def heard_by_id(network: Network, id: bytes) -> Heard | None:
    """An objection or a contradiction."""
    return network.objections.get(id) or network.contradictions.get(id)


def job_of(network: Network, item: Heard) -> Job | None:
    """The job whose key the panel needs; None where it needs none."""
    if isinstance(item, Objection):
        return job_of_objection(network, item)
    state = network.tasks.get(item.vote.task)
    return network.jobs[state.task.job] if state is not None else None


def _referred(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.contradictions[args["id"]].is_referred = True


EVENTS: Handlers = {
    "VoteContradicted": opened,
    "ContradictionReferred": _referred,
    "ContradictionClosed": closed,
}
