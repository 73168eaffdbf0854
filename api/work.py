# SPDX-License-Identifier: Apache-2.0
"""What a node may do now: pure, from the replayed state, the sealed keys and the inbox."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from inferix.models.job import Task
from inferix.models.roles import CaseStatus, Outcome, Role, TaskKind
from inferix.models.work import BenchmarkDuty, Offer, PanelDuty, ProbeDuty, Reveal, Run, Verify, Work
from inferix.replay import Network
from inferix.replay.attempts import misfit_worker, open_draws, seats
from inferix.replay.state import Attempt, AttemptStatus, Job, Node, TaskState

PROBE_EVERY = 10  # anchors of a lane


@dataclass(frozen=True)
class Inbox:
    """What has arrived from nodes and is not on chain yet.

    ``sent(kind, subject, attempt, node)``: whether that message is waiting or anchored; subject: task or case.
    """

    sent: Callable[[str, bytes, int, int], bool]
    key: Callable[[bytes, int], bytes | None]
    challenge: Callable[[int], BenchmarkDuty | None]


def work_for(network: Network, node: Node, inbox: Inbox) -> list[Work]:
    """The node's work, most urgent first."""
    items: list[Work] = []
    if node.role is Role.WORKER:
        challenge = inbox.challenge(node.id)
        items += [challenge] if challenge else []
        items += _runs(network, node, inbox)
        items += _offers(network, node, inbox)
        items += _probes(network, node, inbox)
    if node.role is Role.VERIFIER:
        items += _panels(network, node, inbox)
        items += _checks(network, node, inbox)
    return items


def _current(network: Network, status: AttemptStatus) -> Iterator[tuple[Job, TaskState, Attempt]]:
    for job in network.jobs.values():
        for state in job.tasks:
            attempt = state.current
            if attempt is not None and attempt.status is status:
                yield job, state, attempt


def _results(network: Network, task: Task) -> list[bytes]:
    """The accepted results that an assemble task works on, in the order of the tasks."""
    if task.kind is not TaskKind.ASSEMBLE:
        return []
    return [
        attempt.result
        for state in network.jobs[task.job].tasks
        for attempt in state.attempts
        if attempt.outcome is Outcome.ACCEPTED and state.task.kind is TaskKind.RENDER
    ]


def _runs(network: Network, node: Node, inbox: Inbox) -> Iterator[Work]:
    for job, state, attempt in _current(network, AttemptStatus.ACCEPTED):
        key = inbox.key(job.id, node.id)
        if attempt.node == node.id and key and not inbox.sent("Receipt", state.task.id, attempt.number, node.id):
            yield Run(
                task=state.task,
                attempt=attempt.number,
                spec=job.order.spec,
                deadline=attempt.deadline,
                sealed_key=key,
                results=_results(network, state.task),
            )


def _offers(network: Network, node: Node, inbox: Inbox) -> Iterator[Work]:
    for job, state, attempt in _current(network, AttemptStatus.DRAWING):
        if inbox.sent("Acceptance", state.task.id, attempt.number, node.id):
            continue
        mine = [drawn for drawn in open_draws(network, state, attempt, network.time) if drawn.leaf.node == node.id]
        key = inbox.key(job.id, node.id)
        if mine and key and not misfit_worker(network, job, state, mine[0].leaf):
            yield Offer(
                task=state.task,
                attempt=attempt.number,
                spec=job.order.spec,
                deadline=job.order.deadline,
                sealed_key=key,
                draw=mine[0].index,
            )


def _checks(network: Network, node: Node, inbox: Inbox) -> Iterator[Work]:
    for job, state, attempt in _current(network, AttemptStatus.RECEIVED):
        places = seats(network, state, attempt)
        seat = next((item for item in places if item.leaf.node == node.id), None)
        if seat is None or seat.from_time > network.time or node.id in attempt.votes:
            continue
        anchor = network.lane(attempt.lane).anchors[attempt.receipt_anchor]
        end = anchor.sealed_at + 2 * network.parameters["vote_window"]
        task, number = state.task.id, attempt.number
        if inbox.sent("Vote", task, number, node.id):
            continue
        if inbox.sent("VoteCommitment", task, number, node.id):
            open_seats = [item.leaf.node for item in places if item.from_time <= network.time]
            missing = [n for n in open_seats if not inbox.sent("VoteCommitment", task, number, n)]
            if not missing or network.time >= seat.from_time + network.parameters["vote_window"] // 2:
                yield Reveal(task=task, attempt=number, deadline=end)
            continue
        key = inbox.key(job.id, node.id)
        if key is not None and anchor.seed is not None:
            yield Verify(
                task=state.task,
                attempt=number,
                spec=job.order.spec,
                deadline=end,
                sealed_key=key,
                worker=attempt.node,
                result=attempt.result,
                seed=anchor.seed,
                results=_results(network, state.task),
            )


def _panels(network: Network, node: Node, inbox: Inbox) -> Iterator[Work]:
    for case in network.cases.values():
        if case.status is not CaseStatus.APPEALED or node.id not in case.seats or node.id in case.votes:
            continue
        state = network.tasks[case.task]
        key = inbox.key(state.task.job, node.id)
        if case.seed is None or key is None or inbox.sent("PanelVote", case.id, 0, node.id):
            continue
        attempt = state.attempts[case.attempt]
        yield PanelDuty(
            task=state.task,
            attempt=case.attempt,
            spec=network.jobs[state.task.job].order.spec,
            deadline=case.appealed_at + network.parameters["panel_window"],
            sealed_key=key,
            case=case.id,
            worker=case.node,
            result=attempt.result,
            seed=case.seed,
            outcome=attempt.outcome or Outcome.REJECTED,
            results=_results(network, state.task),
        )


def _probes(network: Network, node: Node, inbox: Inbox) -> Iterator[Work]:
    for lane in network.lanes.values():
        sealed = [k for k, anchor in lane.anchors.items() if anchor.seed and k % PROBE_EVERY == 0]
        if sealed:
            subject = lane.manager.to_bytes(4, "big") + max(sealed).to_bytes(28, "big")
            if not inbox.sent("Probe", subject, 0, node.id):
                deadline = network.time + network.parameters["slot"] * PROBE_EVERY
                yield ProbeDuty(manager=lane.manager, anchor=max(sealed), deadline=deadline)
