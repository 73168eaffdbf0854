# SPDX-License-Identifier: Apache-2.0
"""What a node may do now, from the replayed state and the inbox, in two pure steps.

``scope_of`` names what concerns the node, so that the inbox is asked for nothing else; ``work_for`` decides.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from inferix.machines import from_bytes32
from inferix.models.job import case_id
from inferix.models.roles import CaseStatus, ObjectionStatus, Outcome, Role
from inferix.models.work import (
    BenchmarkDuty,
    ObjectionDuty,
    Offer,
    Open,
    PanelDuty,
    ProbeDuty,
    Reveal,
    Run,
    Verify,
    Work,
)
from inferix.replay import Network, canaries, probes
from inferix.replay.attempts import misfit_worker, open_draws, rejections, seats
from inferix.replay.contradictions import Heard, heard, heard_by_id, job_of
from inferix.replay.hearings import panel_due_at
from inferix.replay.jobs import accepted_results
from inferix.replay.state import Attempt, AttemptStatus, Job, Node, TaskState

Task = tuple[bytes, bytes, int]
"""Ids of a job and of a task of it, and the number of an attempt."""


@dataclass(frozen=True)
class Scope:
    """What concerns a node: ids of tasks, cases, objections and jobs, ``case_id`` of its attempts, (task, attempt) of
    those whose opening lacks; and the seed to answer, with its hour."""

    tasks: list[bytes] = field(default_factory=list)
    cases: list[bytes] = field(default_factory=list)
    objections: list[bytes] = field(default_factory=list)
    jobs: set[bytes] = field(default_factory=set)
    attempts: set[bytes] = field(default_factory=set)
    unopened: list[tuple[bytes, int]] = field(default_factory=list)
    probe: tuple[bytes, ProbeDuty] | None = None

    def subjects(self) -> list[bytes]:
        """What messages of this scope are about."""
        hours = [self.probe[0]] if self.probe else []
        return [*self.tasks, *(task for task, _ in self.unopened), *self.cases, *self.objections, *hours]


@dataclass(frozen=True)
class Concerned:
    """By node the newest attempts of tasks that may hold work for it, as a worker or as a verifier; and of a worker
    those whose opening lacks."""

    workers: Mapping[int, list[Task]]
    verifiers: Mapping[int, list[Task]]
    unopened: Mapping[int, list[tuple[bytes, int]]]


@dataclass(frozen=True)
class Inbox:
    """What has arrived about a scope and may not be on chain yet.

    ``sent``: (kind, subject, attempt, node) of every message that was not refused; ``keys``: this node's, by job, and
    openings sealed to it, by attempt.
    """

    sent: Collection[tuple[str, bytes, int, int]] = ()
    keys: Mapping[bytes, bytes] = field(default_factory=dict)
    challenge: BenchmarkDuty | None = None


def concerned(network: Network) -> Concerned:
    """Whom each task concerns at this moment, looked up once for all nodes."""
    found = Concerned(defaultdict(list), defaultdict(list), defaultdict(list))
    for job in network.jobs.values():
        for state in job.tasks:
            for attempt in state.attempts:
                if canaries.is_unopened(network, attempt):
                    found.unopened[attempt.node].append((state.task.id, attempt.number))
            if state.current is not None:
                role, nodes = _concerns(network, state, state.current)
                rows = found.workers if role is Role.WORKER else found.verifiers
                for node in nodes:
                    rows[node].append((job.id, state.task.id, state.current.number))
    return found


def scope_of(network: Network, node: Node, index: Concerned) -> Scope:
    """What may hold work for a node at this moment; ``index``: of this moment."""
    by_node = {Role.WORKER: index.workers, Role.VERIFIER: index.verifiers}.get(node.role, {})
    tasks = by_node.get(node.id, [])
    cases = [
        case
        for case in network.cases.values()
        if case.status is CaseStatus.APPEALED and node.id in case.seats and node.id not in case.votes
    ]
    objections = [item for item in heard(network) if _is_heard_by(item, node)]
    named = (job_of(network, item) for item in objections)
    return Scope(
        tasks=[task for _, task, _ in tasks],
        cases=[case.id for case in cases],
        objections=[item.id for item in objections],
        attempts={case_id(task, number) for _, task, number in tasks} if node.role is Role.WORKER else set(),
        unopened=index.unopened.get(node.id, []),
        jobs={job for job, _, _ in tasks}
        | {network.tasks[case.task].task.job for case in cases}
        | {job.id for job in named if job is not None},
        probe=_probe(network, node),
    )


def _is_heard_by(objection: Heard, node: Node) -> bool:
    is_open = objection.status is ObjectionStatus.OPEN and objection.seed is not None
    return is_open and node.id in objection.seats and node.id not in objection.votes


def _concerns(network: Network, state: TaskState, attempt: Attempt) -> tuple[Role, set[int]]:
    if attempt.status is AttemptStatus.ACCEPTED:
        return Role.WORKER, {attempt.node}
    if attempt.status is AttemptStatus.DRAWING:
        return Role.WORKER, {drawn.leaf.node for drawn in open_draws(network, state, attempt, network.time)}
    if attempt.status is AttemptStatus.RECEIVED and attempt.decided is None:
        return Role.VERIFIER, {seat.leaf.node for seat in seats(network, state, attempt)}
    return Role.WORKER, set()


def work_for(network: Network, node: Node, scope: Scope, inbox: Inbox) -> list[Work]:
    """The node's work, most urgent first; what has changed since the scope was taken is left for the next time."""
    tasks = [item for task in scope.tasks if (item := _task_work(network, node, task, inbox)) is not None]
    runs = [item for item in tasks if not isinstance(item, Offer)]
    offers = [item for item in tasks if isinstance(item, Offer)]
    challenge = [inbox.challenge] if inbox.challenge else []
    panels: list[Work] = [item for case in scope.cases if (item := _panel(network, node, case, inbox)) is not None]
    panels += [item for id in scope.objections if (item := _objection(network, node, id, inbox)) is not None]
    opens = _opens(network, scope, inbox)
    return [*challenge, *panels, *opens, *runs, *offers, *_answers(node, scope, inbox)]


def _task_work(network: Network, node: Node, task: bytes, inbox: Inbox) -> Work | None:
    state = network.tasks.get(task)
    attempt = state.current if state else None
    if state is None or attempt is None:
        return None
    job, key = network.jobs[state.task.job], inbox.keys.get(state.task.job)
    if attempt.status is AttemptStatus.ACCEPTED and attempt.node == node.id and key:
        return _run(network, job, state, attempt, key, inbox)
    if attempt.status is AttemptStatus.DRAWING and node.role is Role.WORKER and key:
        return _offer(network, node, job, state, attempt, key, inbox)
    if attempt.status is AttemptStatus.RECEIVED and attempt.decided is None:
        return _check(network, node, job, state, attempt, key, inbox)
    return None


def _run(network: Network, job: Job, state: TaskState, attempt: Attempt, key: bytes, inbox: Inbox) -> Work | None:
    if ("Receipt", state.task.id, attempt.number, attempt.node) in inbox.sent:
        return None
    return Run(
        task=state.task,
        attempt=attempt.number,
        spec=job.order.spec,
        deadline=attempt.deadline,
        sealed_key=key,
        machine=from_bytes32(attempt.device_class),
        results=accepted_results(network, state.task),
        opening=inbox.keys.get(case_id(state.task.id, attempt.number), b""),
    )


def _opens(network: Network, scope: Scope, inbox: Inbox) -> Iterator[Work]:
    for task, number in scope.unopened:
        manager = network.jobs[network.tasks[task].task.job].order.manager
        if ("CanaryOpening", task, number, manager) not in inbox.sent:
            yield Open(task=task, attempt=number, deadline=network.time + network.parameters["vote_window"])


def _offer(
    network: Network, node: Node, job: Job, state: TaskState, attempt: Attempt, key: bytes, inbox: Inbox
) -> Work | None:
    if ("Acceptance", state.task.id, attempt.number, node.id) in inbox.sent:
        return None
    mine = [drawn for drawn in open_draws(network, state, attempt, network.time) if drawn.leaf.node == node.id]
    if not mine or misfit_worker(network, job, state, mine[0].leaf):
        return None
    return Offer(
        task=state.task,
        attempt=attempt.number,
        spec=job.order.spec,
        deadline=job.order.deadline,
        sealed_key=key,
        machine=from_bytes32(mine[0].leaf.device_class),
        draw=mine[0].index,
    )


def _check(
    network: Network, node: Node, job: Job, state: TaskState, attempt: Attempt, key: bytes | None, inbox: Inbox
) -> Work | None:
    task, number = state.task.id, attempt.number
    places = seats(network, state, attempt)
    seat = next((item for item in places if item.leaf.node == node.id), None)
    if seat is None or seat.from_time > network.time or node.id in attempt.votes:
        return None
    if ("Vote", task, number, node.id) in inbox.sent:
        return None
    anchor, window = network.lane(attempt.lane).anchors[attempt.receipt_anchor], network.parameters["vote_window"]
    end = anchor.sealed_at + 2 * window
    if ("VoteCommitment", task, number, node.id) in inbox.sent:
        open_seats = [item.leaf.node for item in places if item.from_time <= network.time]
        missing = [voter for voter in open_seats if ("VoteCommitment", task, number, voter) not in inbox.sent]
        due = not missing or network.time >= seat.from_time + window // 2
        return Reveal(task=task, attempt=number, deadline=end) if due else None
    if key is None or anchor.seed is None:
        return None
    return Verify(
        task=state.task,
        attempt=number,
        spec=job.order.spec,
        deadline=end,
        sealed_key=key,
        machine=from_bytes32(attempt.device_class),
        worker=attempt.node,
        result=attempt.result,
        seed=anchor.seed,
        results=accepted_results(network, state.task),
        named=rejections(network, attempt),
    )


def _panel(network: Network, node: Node, subject: bytes, inbox: Inbox) -> Work | None:
    case = network.cases.get(subject)
    if case is None or case.status is not CaseStatus.APPEALED or case.seed is None or node.id in case.votes:
        return None
    state = network.tasks[case.task]
    job, attempt = network.jobs[state.task.job], state.attempts[case.attempt]
    key = inbox.keys.get(job.id)
    if key is None or ("PanelVote", case.id, 0, node.id) in inbox.sent:
        return None
    return PanelDuty(
        task=state.task,
        attempt=case.attempt,
        spec=job.order.spec,
        deadline=panel_due_at(network, case),
        sealed_key=key,
        machine=from_bytes32(attempt.device_class),
        case=case.id,
        worker=case.node,
        result=attempt.result,
        seed=case.seed,
        outcome=attempt.outcome or Outcome.REJECTED,
        results=accepted_results(network, state.task),
        named=rejections(network, attempt),
    )


def _objection(network: Network, node: Node, subject: bytes, inbox: Inbox) -> Work | None:
    found = heard_by_id(network, subject)
    if found is None or not _is_heard_by(found, node) or ("PanelVote", subject, 0, node.id) in inbox.sent:
        return None
    job = job_of(network, found)
    key = inbox.keys.get(job.id) if job is not None else b""
    if key is None:
        return None
    return ObjectionDuty(objection=subject, deadline=panel_due_at(network, found), sealed_key=key)


def _probe(network: Network, node: Node) -> tuple[bytes, ProbeDuty] | None:
    """The seed that this node is to answer, with its hour."""
    found = probes.due(network, node)
    if found is None:
        return None
    subject, probe, anchor = found
    deadline = anchor.sealed_at + probes.PROBE_TERM
    return subject, ProbeDuty(manager=probe.manager, anchor=probe.anchor, seed=probe.seed, deadline=deadline)


def _answers(node: Node, scope: Scope, inbox: Inbox) -> Iterator[Work]:
    if scope.probe is not None and ("Probe", scope.probe[0], 0, node.id) not in inbox.sent:
        yield scope.probe[1]
