# SPDX-License-Identifier: Apache-2.0
"""What panels hear, as JSON: objections and contradicted votes, how far each is, and what its end means."""

from collections.abc import Iterator
from typing import Any

from api.values import hexed
from inferix.models.roles import ObjectionKind, ObjectionStatus, Outcome
from inferix.replay import Network
from inferix.replay.contradictions import Heard
from inferix.replay.hearings import due_at
from inferix.replay.state import Contradiction, Objection


def contradictions_of(network: Network, task: bytes, attempt: int) -> Iterator[Contradiction]:
    """The votes on an attempt that were contradicted, the newest last, whatever became of them."""
    for found in network.contradictions.values():
        if (found.vote.task, found.vote.attempt) == (task, attempt):
            yield found


def objection_view(network: Network, objection: Objection) -> dict[str, Any]:
    """An objection to outcomes of a batch, or to a leaf of a root. ``is_managers``: it says that what is wrong is what
    the manager alone wrote, no vote."""
    is_outcomes = objection.kind is ObjectionKind.OUTCOMES
    verdict = _of_objection(network, objection)
    return _heard_view(network, objection, "objected", verdict) | {
        "kind": objection.kind.name.lower(),
        "batch": hexed(objection.subject) if is_outcomes else None,
        "root": None if is_outcomes else hexed(objection.subject),
        "of": objection.of or None,
        "index": objection.index or None,
        "places": list(objection.places),
        "manager": objection.manager,
        "is_managers": objection.is_managers,
    }


def contradiction_view(network: Network, found: Contradiction) -> dict[str, Any]:
    """A contradicted vote; ``share``: what its verifier loses if it is upheld, and a bond beside."""
    return _heard_view(network, found, "contradicted", _of_contradiction(found)) | {
        "verifier": found.vote.node,
        "task": hexed(found.vote.task),
        "attempt": found.vote.attempt,
        "vote": Outcome(found.vote.outcome).name.lower(),
        "measured": hexed(found.vote.measured),
        "share": str(found.share),
    }


def _heard_view(network: Network, item: Heard, done: str, verdict: str) -> dict[str, Any]:
    """``due_at``: the last second of what it waits for; ``node``: whose stake is the bond,
    None where it is the challenger's IFX; ``verdict``: what its end means, None while it is open."""
    is_open = item.status is ObjectionStatus.OPEN
    return {
        "id": hexed(item.id),
        "status": item.status.name.lower(),
        "says": f"{done}, {_state(item)}",
        "verdict": None if is_open else verdict,
        "due_at": due_at(network, item) if is_open else None,
        "panel": item.seats,
        "votes": {str(node): "upheld" if upheld else "rejected" for node, upheld in item.votes.items()},
        "challenger": item.challenger,
        "node": item.node or None,
        "bond": str(item.bond),
        "reason": hexed(item.reason),
        "opened_at": item.asked_at,
        "ended_at": item.ended_at or None,
    }


def _state(item: Heard) -> str:
    if item.status is not ObjectionStatus.OPEN:
        return item.status.name.lower()
    if item.is_referred:
        return "the governor decides"
    if not item.complete_at:
        return "a panel is drawn"
    return f"panel votes: {len(item.votes)} of {len(item.seats)}"


def _who(item: Heard) -> str:
    return "the governor" if item.is_referred else "the panel"


def _of_contradiction(found: Contradiction) -> str:
    verifier, said = f"node {found.vote.node}", Outcome(found.vote.outcome).name.lower()
    same = "the outcome of the task stays as it is"
    if found.status is ObjectionStatus.UPHELD:
        return f"{_who(found)} found otherwise than {said}: {verifier} lost stake and was jailed; {same}"
    if found.status is ObjectionStatus.REJECTED:
        return f"{_who(found)} did not find otherwise than {said}: {verifier} keeps all, the bond is lost; {same}"
    return f"nobody decided: {verifier} keeps all, half of the bond is burned; {same}"


def _of_objection(network: Network, objection: Objection) -> str:
    is_outcomes = objection.kind is ObjectionKind.OUTCOMES
    batch = network.batches.get(objection.subject) if is_outcomes else None
    is_alone = batch is not None and batch.is_alone
    if objection.status is ObjectionStatus.DROPPED:
        return "what it names fell for another reason; the bond is back"
    if objection.status is ObjectionStatus.REJECTED:
        return f"{_who(objection)} did not agree: what it names stands, the bond is lost"
    if objection.status is ObjectionStatus.UNDECIDED and is_alone:
        return "nobody decided: what it names stands, half of the bond is burned"
    falls = "the outcomes that it names count for nothing" if is_outcomes else "the root that it names was taken back"
    if objection.status is ObjectionStatus.UNDECIDED:
        return f"nobody decided: {falls}, nobody is fined, half of the bond is burned"
    return f"{_who(objection)} agreed: {falls}{_fine(objection, is_outcomes, is_alone)}; the bond is back"


def _fine(objection: Objection, is_outcomes: bool, is_alone: bool) -> str:
    """What being wrong costs whoever wrote it; outcomes that votes gave cost nobody."""
    if is_outcomes and not objection.is_managers:
        return ""
    return ", its proposer's bond burns" if is_alone else f", node {objection.manager} was slashed and jailed"
