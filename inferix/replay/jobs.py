# SPDX-License-Identifier: Apache-2.0
"""Orders, their tasks and attempts: rules 1, 2 and 6 of docs/protocol.md, section 5."""

from typing import TYPE_CHECKING

from inferix.errors import InferixError
from inferix.messages import ORDER_RECORD, Domain, Order, Quote
from inferix.models.anchor import BatchLeaf
from inferix.models.document import Bytes32
from inferix.models.event import ChainEvent
from inferix.models.job import JobSpec, LeaseSpec, Task
from inferix.models.roles import BatchStatus, Outcome, Role, TaskKind
from inferix.replay import attempts
from inferix.replay.settlement import outcome_leaf
from inferix.replay.state import Anchor, Attempt, AttemptStatus, Batch, Job, JobStatus, TakeOver, TaskState
from inferix.units import NanoIbm, NanoUsd, fee_of

if TYPE_CHECKING:
    from inferix.replay.network import Network

MIN_CAP_PER_TASK = 10_000_000  # nano-USD
MAX_TERM = 30 * 86_400
ASSEMBLE_SHARE = 10  # an assembly is worth at least this part of a frame
LIVE = (JobStatus.POSTED, JobStatus.RUNNING)


def post_orders(network: "Network", event: ChainEvent, records: bytes) -> None:
    """Each order of a posting, valid or void; a record that cannot be read is nobody's."""
    for at in range(0, len(records) - ORDER_RECORD + 1, ORDER_RECORD):
        try:
            order, signature = Order.from_record(records[at : at + ORDER_RECORD])
        except InferixError as error:
            network.refuse(f"block {event.block}: an order record: {error}")
            continue
        _post(network, event, order, signature)


def _post(network: "Network", event: ChainEvent, order: Order, signature: bytes) -> None:
    digest = order.digest(network.domain)
    if digest in network.jobs:
        network.refuse(f"block {event.block}: order {digest.hex()} was posted before")
        return
    account = network.accounts.get(order.account)
    taken = network.taken.get((digest, order.manager))
    job = Job(
        id=digest,
        order=order,
        signature=signature,
        posted_at=event.timestamp,
        posted_block=event.block,
        manager=taken.manager if taken else order.manager,
        taken=taken,
        client=account.owner if account else "",
    )
    network.jobs[digest] = job
    job.reason = why_void(network, job)
    if job.reason:
        job.status, job.ended_at = JobStatus.VOID, event.timestamp
        return
    network.orders_seen.add((order.account, order.nonce))
    network.accounts[order.account].caps.append((event.timestamp, order.cap))
    network.at(order.deadline, lambda: _expire(network, job))
    _start(network, job)


def why_void(network: "Network", job: Job) -> str:
    """Rule 1 as far as the order itself goes; empty when it stands."""
    order, now = job.order, job.posted_at
    account = network.accounts.get(order.account)
    if account is None:
        return "its account does not exist"
    try:
        signer = order.signer(network.domain, job.signature)
    except InferixError as error:
        return str(error)
    if signer != account.owner:
        return "it is not signed by the owner of the account"
    if now > order.post_by:
        return "it was posted after its post-by time"
    if not now < order.deadline <= now + MAX_TERM:
        return "its deadline is past or more than 30 days away"
    if (order.account, order.nonce) in network.orders_seen:
        return "its nonce was used before or cancelled"
    if order.attempts == 0:
        return "it allows no attempt"
    if 0 < order.price < network.parameters["price_floor"]:  # 0: of a lease
        return "its price is under the floor"
    if order.cap > account.free:
        return "its cap is above the account's free credit"
    return ""


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


def why_spec_void(network: "Network", job: Job, spec: JobSpec) -> str:
    """Rule 1 as far as the spec goes; empty when it stands. Work is what the order's manager quoted, or nobody is paid
    for it what it is worth."""
    manager = network.nodes.get(job.order.manager)
    if manager is None or spec.request.manager != manager.id:
        return "its quote is another manager's"
    try:
        signer = quoter(network.domain, spec)
    except InferixError as error:
        return f"its quote: {error}"
    if signer not in (manager.operator, *manager.former):
        return "its quote is not signed by the manager over this work and these prices"
    if spec.quote_expires < job.posted_at:
        return "its quote had expired when it was posted"
    if spec.assemble_work * ASSEMBLE_SHARE < spec.work:
        return "its assembly counts for less than a tenth of a frame"
    tasks = spec.tasks(job.id)
    if job.order.cap < MIN_CAP_PER_TASK * len(tasks):
        return "its cap is under 0.01 USD a task"
    # What it may cost must be reserved, or it would be paid out of other clients' credit.
    if job.order.cap < sum(fee_of(NanoIbm(task.work), NanoUsd(job.order.price)) for task in tasks):
        return "its cap is under what its tasks may cost at its price"
    return ""


def why_lease_void(network: "Network", job: Job, spec: LeaseSpec) -> str:
    """Rule 1 as far as the spec of a lease goes; empty when it stands."""
    node = network.nodes.get(spec.node)
    if node is None or node.role is not Role.WORKER:
        return "its spec names no worker"
    return "its cap is under 0.01 USD a task" if job.order.cap < MIN_CAP_PER_TASK else ""


def _lease(network: "Network", job: Job, body: bytes) -> None:
    """Opens the one attempt of a lease, which is the named node's until the deadline."""
    try:
        spec = LeaseSpec.decode(body, job.order.spec)
    except InferixError as error:
        _end(network, job, JobStatus.VOID, f"its spec is malformed: {error}")
        return
    reason = why_lease_void(network, job, spec)
    if reason:
        _end(network, job, JobStatus.VOID, reason)
        return
    job.reason = ""
    attempt = Attempt(0, job.manager, job.posted_block, 0, status=AttemptStatus.LEASED)
    attempt.node, attempt.deadline = spec.node, job.order.deadline
    job.tasks = [TaskState(task, [attempt]) for task in spec.tasks(job.id)]
    network.tasks |= {state.task.id: state for state in job.tasks}


def _start(network: "Network", job: Job) -> None:
    """Reads the spec and opens the first attempts; a spec that is not to be had leaves the order waiting."""
    body = network.document(job.order.spec)
    if body is None:
        job.reason = "its spec is not in storage yet"
        return
    if job.order.price == 0:
        _lease(network, job, body)
        return
    try:
        job.spec = JobSpec.decode(body, job.order.spec)
    except InferixError as error:
        _end(network, job, JobStatus.VOID, f"its spec is malformed: {error}")
        return
    reason = why_spec_void(network, job, job.spec)
    if reason:
        _end(network, job, JobStatus.VOID, reason)
        return
    job.reason = ""
    job.tasks = [TaskState(task) for task in job.spec.tasks(job.id)]
    for state in job.tasks:
        network.tasks[state.task.id] = state
        if state.task.kind is TaskKind.RENDER:
            state.attempts.append(Attempt(0, job.manager, job.posted_block, 0))


def cancel_order(network: "Network", account: int, nonce: int) -> None:
    """No new attempt starts; what is accepted is paid."""
    network.orders_seen.add((account, nonce))
    for job in network.jobs.values():
        if (job.order.account, job.order.nonce) == (account, nonce) and job.status in LIVE:
            _end(network, job, JobStatus.CANCELLED, "cancelled by the client")


def take_over(network: "Network", event: ChainEvent, digest: bytes, old: int, taken: TakeOver) -> None:
    """A take-over from the order's manager counts, whatever state the job is in: the contract has seen the silence, and
    tells by the same anchors whose lane an attempt is in. It may come before its order."""
    network.taken[digest, old] = taken
    job = network.jobs.get(digest)
    if job is None or job.order.manager != old:
        return
    job.manager, job.taken, new = taken.manager, taken, taken.manager
    for state in job.tasks:
        attempt = state.current
        if attempt is None or attempt.status is AttemptStatus.ENDED:
            continue
        if attempt.status is AttemptStatus.RECEIVED:
            # Its committee was drawn from a seed of the old lane, and is heard there, or nowhere.
            attempts.give_up_at(network, state, attempt, event.timestamp + 2 * network.parameters["vote_window"])
            continue
        attempt.lane = new
        if attempt.status in (AttemptStatus.WAITING, AttemptStatus.DRAWING):
            attempt.status, attempt.seed_anchor, attempt.after_block = AttemptStatus.WAITING, None, event.block


def is_in_lane(job: Job, manager: int, anchor: int) -> bool:
    """Orders.is_in_lane: whether an attempt with its receipt in this anchor of a lane can be its; 0: without one."""
    if job.taken is None:
        return manager == job.order.manager
    if manager == job.order.manager:
        return anchor <= job.taken.from_anchors
    return manager == job.taken.manager and (anchor == 0 or anchor > job.taken.by_anchors)


def last_sign_of_life(network: "Network", job: Job) -> int:
    """When the job's manager last anchored, or the order's posting."""
    anchors = network.lane(job.manager).anchors
    newest = anchors[max(anchors)].timestamp if anchors else 0
    return max(newest, job.posted_at)


def anchored(network: "Network", manager: int, anchor: Anchor) -> None:
    """An anchor: attempts that waited for one get their seed's index; its messages take effect in order."""
    for job in network.jobs.values():
        if job.status not in LIVE or job.manager != manager:
            continue
        for state in job.tasks:
            attempt = state.current
            if attempt is None or attempt.status is not AttemptStatus.WAITING or attempt.seed_anchor is not None:
                continue
            if anchor.block > attempt.after_block and anchor.timestamp > attempt.after_time:
                attempt.seed_anchor = anchor.index
    attempts.take_messages(network, manager, anchor)


def sealed(network: "Network", manager: int, anchor: Anchor) -> None:
    """A seed: attempts start drawing, committees come into being."""
    for job in network.jobs.values():
        if job.manager != manager and job.status in LIVE:
            continue
        for state in job.tasks:
            attempt = state.current
            if attempt is None or attempt.lane != manager:
                continue
            if attempt.status is AttemptStatus.WAITING and attempt.seed_anchor == anchor.index:
                attempt.status = AttemptStatus.DRAWING
                job.status = JobStatus.RUNNING if job.status is JobStatus.POSTED else job.status
            elif attempt.status is AttemptStatus.RECEIVED and attempt.receipt_anchor == anchor.index:
                attempts.watch_votes(network, state, attempt, anchor)


def end_attempt(network: "Network", state: TaskState, outcome: Outcome, time: int, anchor: int | None) -> None:
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
        _end(network, job, JobStatus.COMPLETE, "")
    elif outcome is Outcome.CLIENT_FAULT or _counted(state) >= job.order.attempts:
        state.failed = True
        if job.status in LIVE:
            _end(network, job, JobStatus.FAILED, f"task {state.task.index} ended {outcome.name.lower()}")
    elif job.status in LIVE:
        state.attempts.append(Attempt(attempt.number + 1, job.manager, 0, time, seed_anchor=anchor))


def was_rejected(state: TaskState) -> bool:
    """Whether an earlier attempt than the newest was rejected."""
    return any(other.outcome is Outcome.REJECTED for other in state.attempts[:-1])


def _counted(state: TaskState) -> int:
    """Attempts so far, as the client allows them: the first canary is not for it to pay with one."""
    return len(state.attempts) - any(attempt.is_canary for attempt in state.attempts)


def _after_accepted(network: "Network", job: Job, time: int, anchor: int | None) -> None:
    *renders, assemble = job.tasks
    if assemble.done:
        _end(network, job, JobStatus.COMPLETE, "")
    elif job.status in LIVE and not assemble.attempts and all(state.done for state in renders):
        assemble.attempts.append(Attempt(0, job.manager, 0, time, seed_anchor=anchor))


def _expire(network: "Network", job: Job) -> None:
    if job.status in LIVE:
        _end(network, job, JobStatus.EXPIRED, "its deadline passed")


def _end(network: "Network", job: Job, status: JobStatus, reason: str) -> None:
    job.status, job.reason, job.ended_at = status, reason, network.time
    for state in job.tasks:
        attempt = state.current
        if attempt and attempt.status in (AttemptStatus.WAITING, AttemptStatus.DRAWING, AttemptStatus.LEASED):
            state.attempts.pop()


def accepted_results(network: "Network", task: Task) -> list[bytes]:
    """The accepted results that an assemble task works on, in the order of the tasks; of another task none."""
    if task.kind is not TaskKind.ASSEMBLE:
        return []
    return [
        attempt.result
        for state in network.jobs[task.job].tasks
        for attempt in state.attempts
        if attempt.outcome is Outcome.ACCEPTED and state.task.kind is TaskKind.RENDER
    ]


def batched(network: "Network", batch: Batch) -> None:
    """Marks the attempts whose leaf is in a batch of their lane: another's hides nothing from their own manager.

    Nor does one that stands alone, unless its leaf is right; while it waits it gives way to the lane's. Once it is
    final it is what counts.
    """
    for index, leaf in enumerate(batch.leaves):
        attempt = _attempt(network, leaf.task, leaf.attempt)
        if attempt is not None and index not in batch.voided:
            _mark(network, batch, leaf, attempt)


def _mark(network: "Network", batch: Batch, leaf: BatchLeaf, attempt: Attempt) -> None:
    if attempt.lane != batch.manager:
        return
    if batch.is_alone and batch.status is BatchStatus.PROPOSED:
        if attempt.batch is None and _is_right(network, leaf, attempt):
            attempt.batch = batch.commitment
    elif attempt.batch is None or batch.is_alone or _gives_way(network.batches[attempt.batch]):
        attempt.batch = batch.commitment


def _gives_way(batch: Batch) -> bool:
    return batch.is_alone and batch.status is BatchStatus.PROPOSED


def _is_right(network: "Network", leaf: BatchLeaf, attempt: Attempt) -> bool:
    if attempt.status is not AttemptStatus.ENDED:
        return False
    return outcome_leaf(network, network.tasks[leaf.task], attempt) == leaf


def unbatched(network: "Network", batch: Batch) -> None:
    """A cancelled batch: its attempts are to be proposed again."""
    for leaf in batch.leaves:
        attempt = _attempt(network, leaf.task, leaf.attempt)
        if attempt is not None and attempt.batch == batch.commitment:
            attempt.batch, attempt.unbatched_at = None, network.time
            for commitment in network.lane(attempt.lane).alone:
                batched(network, network.batches[commitment])


def voided(network: "Network", batch: Batch, index: int, time: int) -> None:
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


def _attempt(network: "Network", task: Bytes32, number: int) -> Attempt | None:
    state = network.tasks.get(task)
    return state.attempts[number] if state and number < len(state.attempts) else None
