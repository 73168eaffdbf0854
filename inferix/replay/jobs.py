# SPDX-License-Identifier: Apache-2.0
"""Jobs as their tasks' attempts end and are settled: rule 6 of docs/protocol.md, section 5."""

from inferix.messages import Domain, Quote
from inferix.models.anchor import BatchLeaf
from inferix.models.document import Bytes32
from inferix.models.job import JobSpec, Task
from inferix.models.roles import BatchStatus, Outcome, TaskKind
from inferix.replay.network import Network
from inferix.replay.settlement import outcome_leaf
from inferix.replay.state import Attempt, AttemptStatus, Batch, Job, JobStatus, TaskState

LIVE = (JobStatus.POSTED, JobStatus.RUNNING)


def quote_of(spec: JobSpec) -> Quote:
    """The quote that a spec rests on, as its manager signed it."""
    return Quote(
        manager=spec.request.manager,
        request=spec.request.digest(),
        work=spec.work,
        low_price=spec.low_price,
        high_price=spec.high_price,
        expires=spec.quote_expires,
    )


def quoter(domain: Domain, spec: JobSpec) -> str:
    """Whose key the quote of a spec is signed with. Raises InvalidInput where that is nobody's."""
    return quote_of(spec).signer(domain, bytes.fromhex(spec.quote_signature[2:]))


def end_attempt(network: Network, state: TaskState, outcome: Outcome, time: int, anchor: int | None) -> None:
    """An attempt has its outcome; ``anchor``: the one that carried the deciding vote, or the opening after it, whose
    seed draws what follows."""
    attempt = state.attempts[-1]
    job = network.jobs[state.task.job]
    if outcome is Outcome.REJECTED and was_rejected(state):
        outcome = Outcome.CLIENT_FAULT
    attempt.status, attempt.outcome, attempt.ended_at = AttemptStatus.ENDED, outcome, time
    if attempt.lane != job.manager:
        anchor = None  # of a lane that the job has left: the next seed is the first of its new one
        attempt.silent.clear()  # its manager was silent first: who voted may not have been heard
    if outcome is Outcome.ACCEPTED:
        state.done = True
        _after_accepted(network, job, time, anchor)
    elif outcome is Outcome.LEASED:
        state.done = True
        end(network, job, JobStatus.COMPLETE, "")
    elif outcome is Outcome.CLIENT_FAULT or _counted(state) >= job.order.attempts:
        state.failed = True
        if job.status in LIVE:
            end(network, job, JobStatus.FAILED, f"task {state.task.index} ended {outcome.name.lower()}")
    elif job.status in LIVE:
        state.attempts.append(Attempt(attempt.number + 1, job.manager, 0, time, seed_anchor=anchor))


def was_rejected(state: TaskState) -> bool:
    """Whether an earlier attempt than the newest was rejected."""
    return any(other.outcome is Outcome.REJECTED for other in state.attempts[:-1])


def _counted(state: TaskState) -> int:
    """Attempts so far, as the client allows them: the first canary is not for it to pay with one."""
    return len(state.attempts) - any(attempt.is_canary for attempt in state.attempts)


def _after_accepted(network: Network, job: Job, time: int, anchor: int | None) -> None:
    *renders, assemble = job.tasks
    if assemble.done:
        end(network, job, JobStatus.COMPLETE, "")
    elif job.status in LIVE and not assemble.attempts and all(state.done for state in renders):
        assemble.attempts.append(Attempt(0, job.manager, 0, time, seed_anchor=anchor))


def expire(network: Network, job: Job) -> None:
    """At its deadline: nothing new starts."""
    if job.status in LIVE:
        end(network, job, JobStatus.EXPIRED, "its deadline passed")


def end(network: Network, job: Job, status: JobStatus, reason: str) -> None:
    """For good; what a worker has accepted goes on to its own end."""
    job.status, job.reason, job.ended_at = status, reason, network.time
    for state in job.tasks:
        attempt = state.current
        if attempt and attempt.status in (AttemptStatus.WAITING, AttemptStatus.DRAWING, AttemptStatus.LEASED):
            state.attempts.pop()


def accepted_results(network: Network, task: Task) -> list[bytes]:
    """The accepted results that an assemble task works on, in the order of the tasks; of another task none."""
    if task.kind is not TaskKind.ASSEMBLE:
        return []
    return [
        attempt.result
        for state in network.jobs[task.job].tasks
        for attempt in state.attempts
        if attempt.outcome is Outcome.ACCEPTED and state.task.kind is TaskKind.RENDER
    ]


def batched(network: Network, batch: Batch) -> None:
    """Marks the attempts whose leaf is in a batch of their lane: another's hides nothing from their own manager.

    Nor does one that stands alone, unless its leaf is right; while it waits it gives way to the lane's. Once it is
    final it is what counts.
    """
    for index, leaf in enumerate(batch.leaves):
        attempt = _attempt(network, leaf.task, leaf.attempt)
        if attempt is not None and index not in batch.voided:
            _mark(network, batch, leaf, attempt)


def _mark(network: Network, batch: Batch, leaf: BatchLeaf, attempt: Attempt) -> None:
    if attempt.lane != batch.manager:
        return
    if batch.is_alone and batch.status is BatchStatus.PROPOSED:
        if attempt.batch is None and _is_right(network, leaf, attempt):
            attempt.batch = batch.commitment
    elif attempt.batch is None or batch.is_alone or _gives_way(network.batches[attempt.batch]):
        attempt.batch = batch.commitment


def _gives_way(batch: Batch) -> bool:
    return batch.is_alone and batch.status is BatchStatus.PROPOSED


def _is_right(network: Network, leaf: BatchLeaf, attempt: Attempt) -> bool:
    if attempt.status is not AttemptStatus.ENDED:
        return False
    return outcome_leaf(network, network.tasks[leaf.task], attempt) == leaf


def unbatched(network: Network, batch: Batch) -> None:
    """A cancelled batch: its attempts are to be proposed again."""
    for leaf in batch.leaves:
        attempt = _attempt(network, leaf.task, leaf.attempt)
        if attempt is not None and attempt.batch == batch.commitment:
            attempt.batch, attempt.unbatched_at = None, network.time
            for commitment in network.lane(attempt.lane).alone:
                batched(network, network.batches[commitment])


def voided(network: Network, batch: Batch, index: int, time: int) -> None:
    """An attempt whose right leaf was voided is over, and was for nothing. In place of another leaf its own may be
    proposed, unless a live batch of the lane has one of it already: a void leaf pays nobody, so nothing is paid twice.
    """
    leaf = batch.leaves[index]
    attempt = _attempt(network, leaf.task, leaf.attempt)
    if attempt is None or attempt.batch != batch.commitment:
        return
    if _is_right(network, leaf, attempt):
        attempt.voided_at = time
        return
    batch.freed[index] = time
    attempt.batch, attempt.unbatched_at = None, time
    lane = network.lane(attempt.lane)
    for other in (network.batches[commitment] for commitment in (*lane.batches, *lane.alone)):
        for at, found in enumerate(other.leaves):
            if (found.task, found.attempt) == (leaf.task, leaf.attempt) and at not in other.voided:
                _mark(network, other, found, attempt)


def _attempt(network: Network, task: Bytes32, number: int) -> Attempt | None:
    state = network.tasks.get(task)
    return state.attempts[number] if state and number < len(state.attempts) else None
