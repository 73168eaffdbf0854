# SPDX-License-Identifier: Apache-2.0
"""Orders, the jobs that they start, and whose lane those are in: rules 1 and 2 of docs/protocol.md, section 5."""

from inferix.errors import InferixError
from inferix.messages import ORDER_RECORD, Order
from inferix.models.event import ChainEvent, NamedBy
from inferix.models.job import JobSpec, LeaseSpec
from inferix.models.roles import Role, TaskKind
from inferix.replay import attempts, jobs
from inferix.replay.jobs import LIVE
from inferix.replay.network import Network
from inferix.replay.state import Attempt, AttemptStatus, Job, JobStatus, TakeOver, TaskState
from inferix.units import NanoIbm, NanoUsd, fee_of

MIN_CAP_PER_TASK = 10_000_000  # nano-USD
MAX_TERM = 30 * 86_400
ASSEMBLE_SHARE = 10  # an assembly is worth at least this part of a frame


def post_orders(network: Network, event: ChainEvent, records: bytes) -> None:
    """Each order of a posting, valid or void; a record that cannot be read is nobody's."""
    for at in range(0, len(records) - ORDER_RECORD + 1, ORDER_RECORD):
        try:
            order, signature = Order.from_record(records[at : at + ORDER_RECORD])
        except InferixError as error:
            network.refuse(f"block {event.block}: an order record: {error}")
            continue
        _post(network, event, order, signature)


def _post(network: Network, event: ChainEvent, order: Order, signature: bytes) -> None:
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
    network.at(order.deadline, lambda: jobs.expire(network, job))
    _start(network, job)


def why_void(network: Network, job: Job) -> str:
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


def why_spec_void(network: Network, job: Job, spec: JobSpec) -> str:
    """Rule 1 as far as the spec goes; empty when it stands. Work is what the order's manager quoted, or nobody is paid
    for it what it is worth."""
    manager = network.nodes.get(job.order.manager)
    if manager is None or spec.request.manager != manager.id:
        return "its quote is another manager's"
    if manager.role is not Role.MANAGER:
        return "it names no manager"
    try:
        signer = jobs.quoter(network.domain, spec)
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


def why_lease_void(network: Network, job: Job, spec: LeaseSpec) -> str:
    """Rule 1 as far as the spec of a lease goes; empty when it stands."""
    node = network.nodes.get(spec.node)
    if node is None or node.role is not Role.WORKER:
        return "its spec names no worker"
    return "its cap is under 0.01 USD a task" if job.order.cap < MIN_CAP_PER_TASK else ""


def _lease(network: Network, job: Job, body: bytes) -> None:
    """Opens the one attempt of a lease, which is the named node's until the deadline."""
    try:
        spec = LeaseSpec.decode(body, job.order.spec)
    except InferixError as error:
        jobs.end(network, job, JobStatus.VOID, f"its spec is malformed: {error}")
        return
    reason = why_lease_void(network, job, spec)
    if reason:
        jobs.end(network, job, JobStatus.VOID, reason)
        return
    job.reason = ""
    attempt = Attempt(0, job.manager, job.posted_block, 0, status=AttemptStatus.LEASED)
    attempt.node, attempt.deadline = spec.node, job.order.deadline
    job.tasks = [TaskState(task, [attempt]) for task in spec.tasks(job.id)]
    network.tasks |= {state.task.id: state for state in job.tasks}


def _start(network: Network, job: Job) -> None:
    """Reads the spec and opens the first attempts; a spec that is not to be had leaves the order waiting."""
    body = network.document(job.order.spec, NamedBy(job.order.account, is_backed=False))
    if body is None:
        job.reason = "its spec is not in storage yet"
        return
    if job.order.price == 0:
        _lease(network, job, body)
        return
    try:
        job.spec = JobSpec.decode(body, job.order.spec)
    except InferixError as error:
        jobs.end(network, job, JobStatus.VOID, f"its spec is malformed: {error}")
        return
    reason = why_spec_void(network, job, job.spec)
    if reason:
        jobs.end(network, job, JobStatus.VOID, reason)
        return
    job.reason = ""
    job.tasks = [TaskState(task) for task in job.spec.tasks(job.id)]
    for state in job.tasks:
        network.tasks[state.task.id] = state
        if state.task.kind is TaskKind.RENDER:
            state.attempts.append(Attempt(0, job.manager, job.posted_block, 0))


def cancel_order(network: Network, account: int, nonce: int) -> None:
    """No new attempt starts; what is accepted is paid."""
    network.orders_seen.add((account, nonce))
    for job in network.jobs.values():
        if (job.order.account, job.order.nonce) == (account, nonce) and job.status in LIVE:
            jobs.end(network, job, JobStatus.CANCELLED, "cancelled by the client")


def take_over(network: Network, event: ChainEvent, digest: bytes, old: int, taken: TakeOver) -> None:
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


def last_sign_of_life(network: Network, job: Job) -> int:
    """When the job's manager last anchored, or the order's posting."""
    anchors = network.lane(job.manager).anchors
    newest = anchors[max(anchors)].timestamp if anchors else 0
    return max(newest, job.posted_at)
