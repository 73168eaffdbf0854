# SPDX-License-Identifier: Apache-2.0
"""Orders and their cancellation: signed by the client, checked here, posted on chain by a keeper."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlmodel import Session, col, select
from starlette.concurrency import run_in_threadpool

from api.deps import ClientDep, ContextDep
from api.routes.quotes import SealedJobKey
from api.values import digest_of, hexed
from inferix.errors import Conflict, InvalidInput, NotFound, Refused
from inferix.messages import Cancel, Order
from inferix.models.document import Signature
from inferix.models.job import JobSpec
from inferix.models.roles import Role
from inferix.replay import Network
from inferix.replay.jobs import LIVE
from inferix.replay.orders import MIN_CAP_PER_TASK, why_spec_void, why_void
from inferix.replay.state import Job
from inferix.storage.documents import put_document
from inferix.storage.tables import SealedKey, SignedOrder, WantedCancel
from inferix.units import NanoIbm, NanoUsd, fee_of

router = APIRouter(tags=["jobs"])
MAX_ATTEMPTS = 16


class PlaceOrder(BaseModel):
    """``spec``: the JobSpec whose digest the order names."""

    spec: JobSpec
    order: Order
    signature: Signature
    sealed_key: SealedJobKey


class CancelOrder(BaseModel):
    """Signature of ``Cancel(account, nonce)`` by the account's owner."""

    signature: Signature


@router.post("/orders", status_code=202)
async def place_order(body: PlaceOrder, client: ClientDep, context: ContextDep) -> dict[str, Any]:
    """Takes a signed order; a keeper posts it on chain. Refused at once for what would make it void."""
    order, spec = body.order, body.spec
    account = order.account
    waiting = await context.read(lambda session: _waiting(session, account))
    network = await context.network()
    job, posted_by = order.digest(network.domain), network.accounts.get(account)
    if posted_by is None or posted_by.owner != client:
        raise Refused(f"account {account} is not yours: top up first, or use your own account")
    if job in network.jobs or job in waiting:
        raise Conflict("this order was placed before: each needs a new nonce")
    if order.signer(network.domain, body.signature) != client:
        raise Refused("the order is not signed by the wallet that is signed in (check the chain id and contract)")
    _check_order(network, order, body.signature)
    _check_spec(network, order, spec)
    promised = sum(record.cap for other, record in waiting.items() if other not in network.jobs)
    if order.cap + promised > posted_by.free:
        raise Refused(f"the account's waiting orders hold {promised} of its {posted_by.free} nano-USD: wait, or top up")
    row = SignedOrder(job=job, account=account, record=order.record(body.signature), received_at=network.time)
    key = SealedKey(subject=job, node=order.manager, sealed=body.sealed_key)
    await run_in_threadpool(put_document, context.store, spec)
    await context.write(lambda session: session.add_all([row, key]))
    return {"job": hexed(job)}


def _waiting(session: Session, account: int) -> dict[bytes, Order]:
    """The account's orders that are not on chain as far as this database knows, by job."""
    rows = select(SignedOrder).where(SignedOrder.account == account, col(SignedOrder.refused).is_(None))
    return {row.job: Order.from_record(row.record)[0] for row in session.exec(rows)}


def _check_order(network: Network, order: Order, signature: bytes) -> None:
    """The reducer's own rule, as if the order were posted now."""
    draft = Job(b"", order, signature, network.time, network.block, order.manager, "")
    reason = why_void(network, draft)
    if reason:
        raise InvalidInput(f"this order would be void: {reason}; correct it and sign it again")
    if order.price == 0:
        raise InvalidInput("this order would be void: without a price it is none of work to be rendered")
    if order.attempts > MAX_ATTEMPTS:
        raise InvalidInput(f"an order has at most {MAX_ATTEMPTS} attempts a task, not {order.attempts}")


def _check_spec(network: Network, order: Order, spec: JobSpec) -> None:
    """The reducer's own rule about specs; and what it lets pass, but no client can want."""
    if spec.digest() != order.spec:
        raise InvalidInput("the order names another spec than the one that was sent")
    if order.manager != spec.request.manager:
        raise InvalidInput("the order and its quote name different managers")
    manager = network.nodes.get(order.manager)
    if manager is None or manager.role is not Role.MANAGER:
        raise InvalidInput(f"node {order.manager} is no manager: GET /network lists them")
    tasks = spec.tasks(bytes(32))
    needed = max(MIN_CAP_PER_TASK * len(tasks), sum(_fee(task.work, order.price) for task in tasks))
    if order.cap < needed:
        raise InvalidInput(
            f"the cap must be at least {needed} nano-USD: every task at the order's price, 0.01 USD each"
        )
    draft = Job(bytes(32), order, b"", network.time, network.block, order.manager, "")
    reason = why_spec_void(network, draft, spec)
    if reason:
        raise Refused(f"this order would be void: {reason}; ask for a new quote")


def _fee(work: int, price: int) -> int:
    return fee_of(NanoIbm(work), NanoUsd(price))


@router.post("/orders/{job}/cancel", status_code=202)
async def cancel(job: str, body: CancelOrder, context: ContextDep) -> dict[str, str]:
    """Takes a signed cancellation; a keeper posts it on chain. Accepted tasks stay charged."""
    wanted = digest_of(job)
    network = await context.network()
    found = network.jobs.get(wanted)
    if found is None:
        raise NotFound(f"no job {job} on this chain; an order just placed can be cancelled once it is posted")
    message = Cancel(account=found.order.account, nonce=found.order.nonce)
    if message.signer(network.domain, body.signature) != found.client:
        raise Refused("only the owner of the account can cancel its order: sign with that wallet")
    if found.status not in LIVE:
        raise Conflict(f"the job is {found.status}: there is nothing left to cancel")
    row = WantedCancel(job=wanted, signature=body.signature, received_at=network.time)
    await context.write(lambda session: session.merge(row))
    return {"status": "cancelling"}
