# SPDX-License-Identifier: Apache-2.0
"""Why this worker, why not that one: the draws of a task, recomputed and said in words."""

from dataclasses import asdict
from typing import Any

from inferix.errors import NotFound
from inferix.models.roles import Outcome, RosterKind, TaskKind
from inferix.replay.attempts import misfit_worker, open_draws, seats
from inferix.replay.cheating import of_worker
from inferix.replay.network import Network
from inferix.replay.state import Attempt, TaskState


def explain_task(network: Network, task: bytes) -> dict[str, Any]:
    """The task's attempts with seeds, rosters, draws and committees. Raises NotFound."""
    state = network.tasks.get(task)
    if state is None:
        raise NotFound(f"no task {task.hex()} on this chain; `inferix jobs` lists yours")
    return {
        "task": "0x" + task.hex(),
        "job": "0x" + state.task.job.hex(),
        "index": state.task.index,
        "kind": state.task.kind,
        "frames": [state.task.first_frame, state.task.last_frame],
        "work": state.task.work,
        "attempts": [_attempt(network, state, attempt) for attempt in state.attempts],
    }


def _attempt(network: Network, state: TaskState, attempt: Attempt) -> dict[str, Any]:
    anchors = network.lane(attempt.lane).anchors
    anchor = anchors.get(attempt.seed_anchor or 0)
    roster = network.roster_at(RosterKind.WORKERS, anchor.sealed_at) if anchor and anchor.seed else None
    return {
        "attempt": attempt.number,
        "lane": attempt.lane,
        "seed_anchor": attempt.seed_anchor,
        "seed": "0x" + anchor.seed.hex() if anchor and anchor.seed else None,
        "roster": roster.index if roster else None,
        "roster_total": roster.total if roster else None,
        "draws": _draws(network, state, attempt),
        "node": attempt.node or None,
        "accepted_at": attempt.accepted_at or None,
        "deadline": attempt.deadline or None,
        "receipt_posted_at": attempt.posted_at or None,
        "receipt_anchor": attempt.receipt_anchor or None,
        "committee": [{"node": seat.leaf.node, "from": seat.from_time} for seat in seats(network, state, attempt)],
        "votes": {str(node): Outcome(vote.outcome).name.lower() for node, (vote, _) in sorted(attempt.votes.items())},
        "silent": sorted(attempt.silent),
        "canary": _canary(attempt),
        "outcome": attempt.outcome.name.lower() if attempt.outcome else None,
        "cheating": _cheating(network, state, attempt) if attempt.node and state.task.kind is TaskKind.RENDER else None,
    }


def _canary(attempt: Attempt) -> dict[str, Any] | None:
    """What the receipt commits to, whether it was a canary (None: not opened), and who accepted it."""
    if attempt.canary == bytes(32):
        return None
    return {
        "commitment": "0x" + attempt.canary.hex(),
        "is_canary": attempt.is_canary,
        "missed": sorted(attempt.missed),
    }


def _cheating(network: Network, state: TaskState, attempt: Attempt) -> dict[str, Any]:
    """What its worker could expect of it."""
    return asdict(of_worker(network, network.nodes[attempt.node], state.task.work, attempt.price))


def _draws(network: Network, state: TaskState, attempt: Attempt) -> list[dict[str, Any]]:
    """Every draw up to the one that was taken (or whose turn has come), and why it was passed over."""
    job = network.jobs[state.task.job]
    rows = []
    for drawn in open_draws(network, state, attempt, attempt.accepted_at or network.time):
        taken = bool(attempt.node) and drawn.index == attempt.draw
        earlier = TaskState(state.task, state.attempts[: attempt.number])
        reason = "" if taken else misfit_worker(network, job, earlier, drawn.leaf)
        says = "accepted" if taken else reason or "drawn, but did not accept in its time"
        rows.append({"draw": drawn.index, "node": drawn.leaf.node, "says": says})
        if taken:
            break
    return rows
