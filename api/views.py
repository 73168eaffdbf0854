# SPDX-License-Identifier: Apache-2.0
"""State as JSON for people and programs: wei as decimal text, bytes as 0x hex, times in seconds of the block clock."""

from collections.abc import Sequence
from typing import Any

from inferix.errors import InvalidInput
from inferix.models.roles import BatchStatus, CaseStatus, ObjectionKind, ObjectionStatus, Outcome
from inferix.replay import Network
from inferix.replay.accounting import eligible
from inferix.replay.answers import place_of
from inferix.replay.attempts import seats
from inferix.replay.contradictions import Heard
from inferix.replay.objections import naming
from inferix.replay.settlement import outcome_leaf
from inferix.replay.state import (
    Attempt,
    AttemptStatus,
    Batch,
    Case,
    Contradiction,
    Dispute,
    Epoch,
    Job,
    Node,
    Objection,
    RootDispute,
    TaskState,
)
from inferix.trees import Sum


def hexed(value: bytes | None) -> str | None:
    """0x hex."""
    return None if value is None else "0x" + value.hex()


def digest_of(text: str) -> bytes:
    """32 bytes of a path's hex. Raises InvalidInput."""
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise InvalidInput(f"{text[:80]!r} is not hex: give 0x and 64 hex digits") from error
    if len(value) != 32:
        raise InvalidInput(f"an id has 32 bytes, not {len(value)}: give 0x and 64 hex digits")
    return value


def ascii_name(value: bytes) -> str:
    """A name kept in 32 bytes."""
    return value.rstrip(b"\0").decode("ascii", "replace")


def node_view(network: Network, node: Node, seen_at: int | None) -> dict[str, Any]:
    """A node, its stake and whether it can be drawn."""
    return {
        "id": node.id,
        "role": node.role.name.lower(),
        "owner": node.owner,
        "operator": node.operator,
        "licence": node.licence,
        "status": node.status.name.lower(),
        "ib": node.ib,
        "device_class": ascii_name(node.device_class),
        "price": node.price,
        "sealing_key": hexed(node.sealing_key),
        "bonded": str(node.bonded),
        "delegated": str(node.delegated),
        "limit": str(node.limit),
        "share_bps": node.terms.share,
        "next_share_bps": node.terms.next_share,
        "next_share_since": node.terms.since,
        "unbonding": str(node.unbonding),
        "frozen": str(node.frozen),
        "qualified": node.qualified,
        "drawable": eligible(node),
        "seen_at": seen_at,
        "claimed": str(network.claimed.get(node.id, 0)),
    }


def job_view(network: Network, job: Job, *, committees: bool = True) -> dict[str, Any]:
    """A job, its tasks and attempts. ``committees``: with the drawn verifiers: slow for many attempts."""
    request = job.spec.request if job.spec else None
    return {
        "id": hexed(job.id),
        "status": str(job.status),
        "reason": job.reason,
        "client": job.client,
        "account": job.order.account,
        "nonce": job.order.nonce,
        "manager": job.manager,
        "cap": job.order.cap,
        "price": job.order.price,
        "posted_at": job.posted_at,
        "deadline": job.order.deadline,
        "ended_at": job.ended_at or None,
        "spec": hexed(job.order.spec),
        "engine": request.engine if request else None,
        "settings": request.settings.model_dump() if request else None,
        "charged": sum(_charge(network, state, attempt) for state in job.tasks for attempt in state.attempts),
        "tasks": [task_view(network, state, committees=committees) for state in job.tasks],
    }


def _charge(network: Network, state: TaskState, attempt: Attempt) -> int:
    charged = attempt.node and attempt.outcome in (Outcome.ACCEPTED, Outcome.CLIENT_FAULT, Outcome.LEASED)
    return outcome_leaf(network, state, attempt).charge if charged and not attempt.voided_at else 0


def task_view(network: Network, state: TaskState, *, committees: bool) -> dict[str, Any]:
    """A task and every attempt at it."""
    task = state.task
    return {
        "id": hexed(task.id),
        "index": task.index,
        "kind": str(task.kind),
        "first_frame": task.first_frame,
        "last_frame": task.last_frame,
        "work": task.work,
        "done": state.done,
        "failed": state.failed,
        "attempts": [attempt_view(network, state, attempt, committees=committees) for attempt in state.attempts],
    }


def attempt_view(network: Network, state: TaskState, attempt: Attempt, *, committees: bool) -> dict[str, Any]:
    """An attempt: who, when, with what result, who checked it."""
    return {
        "number": attempt.number,
        "status": str(attempt.status),
        "node": attempt.node or None,
        "accepted_at": attempt.accepted_at or None,
        "deadline": attempt.deadline or None,
        "received_at": attempt.received_at or None,
        "result": hexed(attempt.result) if attempt.receipt_anchor else None,
        "committee": [seat.leaf.node for seat in seats(network, state, attempt)] if committees else None,
        "votes": [
            {"node": node, "outcome": Outcome(vote.outcome).name.lower(), "measured": hexed(vote.measured)}
            for node, (vote, _) in sorted(attempt.votes.items())
        ],
        "outcome": attempt.outcome.name.lower() if attempt.outcome else None,
        "ended_at": attempt.ended_at or None,
        "charge": _charge(network, state, attempt),
        "batch": hexed(attempt.batch),
        "void": attempt.voided_at > 0,
        "objections": [hearing_view(item) for item in _objections(network, state, attempt)],
        "waits_for": waits_for(attempt),
    }


def waits_for(attempt: Attempt) -> str | None:
    """What an attempt waits for, in words; None when it has ended."""
    return {
        AttemptStatus.WAITING: "the seed of the next anchor",
        AttemptStatus.DRAWING: "a drawn worker to accept",
        AttemptStatus.ACCEPTED: f"the receipt of node {attempt.node}",
        AttemptStatus.RECEIVED: "the votes of its committee",
        AttemptStatus.LEASED: f"the receipt of node {attempt.node}",
    }.get(attempt.status)


def _objections(network: Network, state: TaskState, attempt: Attempt) -> list[Objection]:
    batch = network.batches.get(attempt.batch or b"")
    at = place_of(batch, state.task.id, attempt.number) if batch is not None else None
    return naming(network, attempt.batch or b"", at) if at is not None else []


def batch_view(network: Network, batch: Batch) -> dict[str, Any]:
    """A batch and its leaves."""
    return {
        "commitment": hexed(batch.commitment),
        "manager": batch.manager,
        "sequence": batch.sequence,
        "coin": batch.coin,
        "charge": batch.charge,
        "work": batch.work,
        "root": hexed(batch.root),
        "data": hexed(batch.data),
        "status": BatchStatus(batch.status).name.lower(),
        "proposed_at": batch.proposed_at,
        "final_at": batch.final_at or None,
        "epoch": batch.epoch if batch.epoch >= 0 else None,
        "problem": batch.problem,
        "lie": batch.lie.name.lower() if batch.lie else None,
        "leaves": [leaf.model_dump(mode="json") for leaf in batch.leaves],
        "void": sorted(batch.voided),
        "objections": [hearing_view(item) for item in network.objections.values() if item.subject == batch.commitment],
    }


def hearing_view(objection: Objection) -> dict[str, Any]:
    """An objection where what it names is shown: who sits on its panel, what they voted."""
    return _heard_view(objection, "objected") | {"places": list(objection.places)}


def _heard_view(item: Heard, done: str) -> dict[str, Any]:
    return {
        "id": hexed(item.id),
        "status": item.status.name.lower(),
        "panel": item.seats,
        "votes": {str(node): "upheld" if upheld else "rejected" for node, upheld in item.votes.items()},
        "says": f"{done}, {_says(item)}",
    }


def _says(item: Heard) -> str:
    if item.status is not ObjectionStatus.OPEN:
        return item.status.name.lower()
    if item.is_referred:
        return "the governor decides"
    if not item.complete_at:
        return "a panel is drawn"
    return f"panel votes: {len(item.votes)} of {len(item.seats)}"


def contradiction_view(found: Contradiction) -> dict[str, Any]:
    """A contradicted vote; ``share``: what its verifier loses if it is upheld."""
    return _heard_view(found, "contradicted") | {
        "verifier": found.vote.node,
        "task": hexed(found.vote.task),
        "attempt": found.vote.attempt,
        "vote": Outcome(found.vote.outcome).name.lower(),
        "measured": hexed(found.vote.measured),
        "share": str(found.share),
        "challenger": found.challenger,
        "node": found.node or None,
        "bond": str(found.bond),
        "reason": hexed(found.reason),
        "opened_at": found.asked_at,
        "ended_at": found.ended_at or None,
    }


def objection_view(objection: Objection) -> dict[str, Any]:
    """An objection to outcomes of a batch, or to a leaf of a root."""
    is_outcomes = objection.kind is ObjectionKind.OUTCOMES
    return hearing_view(objection) | {
        "kind": objection.kind.name.lower(),
        "batch": hexed(objection.subject) if is_outcomes else None,
        "root": None if is_outcomes else hexed(objection.subject),
        "of": objection.of or None,
        "index": objection.index or None,
        "manager": objection.manager,
        "challenger": objection.challenger,
        "node": objection.node or None,
        "bond": str(objection.bond),
        "reason": hexed(objection.reason),
        "opened_at": objection.asked_at,
        "ended_at": objection.ended_at or None,
    }


def dispute_view(dispute: Dispute) -> dict[str, Any]:
    """A dispute about a batch; ``until`` on the protocol's clock."""
    return {
        "id": hexed(dispute.id),
        "batch": hexed(dispute.commitment),
        "kind": dispute.kind.name.lower(),
        "place": dispute.place,
        "challenger": dispute.challenger,
        "node": dispute.node or None,
        "bond": str(dispute.bond),
        "until": dispute.until,
        "status": dispute.status.name.lower(),
        "opened_at": dispute.opened_at,
        "ended_at": dispute.ended_at or None,
    }


def root_dispute_view(dispute: RootDispute) -> dict[str, Any]:
    """A dispute about the data of an anchor, a roster or accounts; ``until`` on the protocol's clock."""
    return {
        "id": hexed(dispute.id),
        "kind": dispute.name.kind.name.lower(),
        "of": dispute.name.of or None,
        "index": dispute.name.index,
        "root": hexed(dispute.name.root),
        "chunk": dispute.chunk,
        "challenger": dispute.challenger,
        "node": dispute.node or None,
        "bond": str(dispute.bond),
        "until": dispute.until,
        "status": dispute.status.name.lower(),
        "opened_at": dispute.opened_at,
        "ended_at": dispute.ended_at or None,
    }


def epoch_view(network: Network, epoch: Epoch) -> dict[str, Any]:
    """A closed epoch as the contract counted it."""
    return {
        "index": epoch.index,
        "work": epoch.work,
        "charge": epoch.charge,
        "burned": str(epoch.burned),
        "minted": str(epoch.minted),
        "pooled": str(epoch.pooled),
        "apparent_work": epoch.record.apparent,
        "ibme_ppm": epoch.work * 10**6 // epoch.record.apparent if epoch.record.apparent else None,
        "closed_at": epoch.closed_at,
        "ended_at": network.epoch_end(epoch.index),
    }


def case_view(case: Case) -> dict[str, Any]:
    """A slashing case."""
    return {
        "id": hexed(case.id),
        "task": hexed(case.task),
        "attempt": case.attempt,
        "node": case.node,
        "amount": str(case.amount),
        "status": CaseStatus(case.status).name.lower(),
        "opened_at": case.opened_at,
        "charged_at": case.charged_at or None,
        "appealed_at": case.asked_at or None,
        "panel": case.seats,
        "votes": {str(node): "upheld" if upheld else "reversed" for node, upheld in case.votes.items()},
        "ended_at": case.ended_at or None,
    }


def proof_view(proof: Sequence[Sum]) -> list[list[str | None]]:
    """A proof as pairs (hash, sum) from the leaf up; contracts take the same words in one flat list."""
    return [[hexed(item.hash), str(item.sum)] for item in proof]
