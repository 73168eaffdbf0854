# SPDX-License-Identifier: Apache-2.0
"""State as JSON for people and programs: wei as decimal text, bytes as 0x hex, times in seconds of the block clock."""

from collections.abc import Sequence
from typing import Any

from api.hearings import contradiction_view, contradictions_of, objection_view
from api.holds import Hold, hold_view
from api.values import hexed
from inferix.machines import class_of, from_bytes32
from inferix.models.roles import BatchStatus, CaseStatus, Outcome
from inferix.replay import Network
from inferix.replay.accounting import eligible
from inferix.replay.attempts import contested, seats
from inferix.replay.objections import naming
from inferix.replay.settlement import outcome_leaf, place_of
from inferix.replay.state import (
    Attempt,
    AttemptStatus,
    Batch,
    Case,
    Dispute,
    Epoch,
    Job,
    Node,
    Objection,
    RootDispute,
    TaskState,
)
from inferix.trees import Sum


def node_view(network: Network, node: Node, seen_at: int | None, holds: Sequence[Hold]) -> dict[str, Any]:
    """A node, its stake, what courts hold of it, and whether it can be drawn."""
    return {
        "id": node.id,
        "role": node.role.name.lower(),
        "owner": node.owner,
        "operator": node.operator,
        "licence": node.licence,
        "status": node.status.name.lower(),
        "ib": node.ib,
        "device_class": class_of(from_bytes32(node.device_class)),
        "machine": from_bytes32(node.device_class),
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
        "holds": [hold_view(hold) for hold in holds],
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
        "job": hexed(task.job),
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
        "posted_at": attempt.posted_at or None,
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
        "objections": [objection_view(network, item) for item in _objections(network, state, attempt)],
        "contradictions": [
            contradiction_view(network, item) for item in contradictions_of(network, state.task.id, attempt.number)
        ],
        "waits_for": waits_for(network, state, attempt),
    }


def waits_for(network: Network, state: TaskState, attempt: Attempt) -> str | None:
    """What an attempt waits for, in words; None when it has ended."""
    if attempt.status is AttemptStatus.RECEIVED:
        return _what_decides(network, state, attempt)
    return {
        AttemptStatus.WAITING: "the seed of the next anchor",
        AttemptStatus.DRAWING: "a drawn worker to accept",
        AttemptStatus.ACCEPTED: f"{'an anchor with ' if attempt.posted_at else ''}the receipt of node {attempt.node}",
        AttemptStatus.LEASED: f"the receipt of node {attempt.node}",
    }.get(attempt.status)


def _what_decides(network: Network, state: TaskState, attempt: Attempt) -> str:
    if attempt.decided is not None:
        return "the opening of what its receipt commits to"
    votes = [vote for vote, _ in attempt.votes.values()]
    first = contested(network, state, attempt, votes)
    against = ", ".join(str(vote.node) for vote in votes if vote.node in first and vote.outcome == Outcome.REJECTED)
    return (
        f"a second draw of verifiers: {against} rejects what others accept" if first else "the votes of its committee"
    )


def _objections(network: Network, state: TaskState, attempt: Attempt) -> list[Objection]:
    batch = network.batches.get(attempt.batch or b"")
    at = place_of(batch, state.task.id, attempt.number) if batch is not None else None
    return naming(network, attempt.batch or b"", at) if at is not None else []


def batch_view(network: Network, batch: Batch) -> dict[str, Any]:
    """A batch without its leaves, of which there may be a thousand; ``outcomes``: how many."""
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
        "outcomes": len(batch.leaves),
        "void": sorted(batch.voided),
        "objections": [
            objection_view(network, item) for item in network.objections.values() if item.subject == batch.commitment
        ],
    }


def dispute_view(network: Network, dispute: Dispute) -> dict[str, Any]:
    """A dispute about a batch; ``until``: the last second of its answer."""
    return {
        "id": hexed(dispute.id),
        "batch": hexed(dispute.commitment),
        "kind": dispute.kind.name.lower(),
        "place": dispute.place,
        "challenger": dispute.challenger,
        "node": dispute.node or None,
        "bond": str(dispute.bond),
        "until": network.last_second(0, dispute.until),
        "status": dispute.status.name.lower(),
        "opened_at": dispute.opened_at,
        "ended_at": dispute.ended_at or None,
    }


def root_dispute_view(network: Network, dispute: RootDispute) -> dict[str, Any]:
    """A dispute about the data of an anchor, a roster or accounts; ``until``: the last second of its answer."""
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
        "until": network.last_second(0, dispute.until),
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
