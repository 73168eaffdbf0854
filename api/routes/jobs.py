# SPDX-License-Identifier: Apache-2.0
"""Quotes, orders and the jobs that come of them."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlmodel import select

from api.context import Context
from api.deps import ClientDep, ContextDep, DatabaseDep, NetworkDep
from api.routes.state import digest_of
from api.views import hexed, job_view
from inferix.errors import Conflict, InferixError, InvalidInput, NotFound, Refused
from inferix.messages import Cancel, Order, Quote
from inferix.models.document import HexBytes, Signature
from inferix.models.job import JobSpec, QuoteRequest
from inferix.models.roles import Outcome, Role
from inferix.replay import Network
from inferix.replay.state import JobStatus
from inferix.storage.cid import Cid
from inferix.storage.database import Database
from inferix.storage.documents import put_document
from inferix.storage.tables import Progress, QuoteJob, SealedKey, SignedOrder, WantedCancel

router = APIRouter(tags=["jobs"])
MAX_ATTEMPTS = 16
STREAM_SECONDS = 0.5


class AskQuote(BaseModel):
    """``sealed_key``: the job key, sealed to the manager of the request."""

    request: QuoteRequest
    sealed_key: HexBytes


class PlaceOrder(BaseModel):
    """``spec``: the JobSpec whose digest the order names."""

    spec: JobSpec
    order: Order
    signature: Signature
    sealed_key: HexBytes


class CancelOrder(BaseModel):
    """Signature of ``Cancel(account, nonce)`` by the account's owner."""

    signature: Signature


@router.post("/quotes", status_code=202)
async def ask_quote(
    body: AskQuote, client: ClientDep, network: NetworkDep, database: DatabaseDep, context: ContextDep
) -> dict[str, Any]:
    """Asks the manager for a price; it previews the package in its sandbox."""
    manager = network.nodes.get(body.request.manager)
    if manager is None or manager.role is not Role.MANAGER:
        raise InvalidInput(f"node {body.request.manager} is no manager: GET /network lists them")
    if not context.store.has_block(Cid.parse(body.request.input)):
        raise NotFound("the input is not in storage: upload it first (PUT /blocks, POST /pins)")
    quote = QuoteJob(id=secrets.token_bytes(32), owner=client, request=body.request.encode(), asked_at=network.time)
    with database.session() as session:
        session.add(quote)
        session.add(SealedKey(subject=quote.id, node=manager.id, sealed=body.sealed_key))
    return {"id": hexed(quote.id)}


@router.get("/quotes/{quote_id}")
async def quote(quote_id: str, client: ClientDep, database: DatabaseDep) -> dict[str, Any]:
    """A quote's progress; ``ready`` holds the manager's signed price, ``refused`` what is wrong with the scene."""
    with database.reading() as session:
        row = session.get(QuoteJob, digest_of(quote_id))
    if row is None or row.owner != client:
        raise NotFound("you have asked for no such quote")
    return {
        "id": hexed(row.id),
        "state": row.state,
        "work": row.work,
        "low_price": row.low_price,
        "high_price": row.high_price,
        "expires": row.expires,
        "signature": hexed(row.signature),
        "problems": row.problems,
    }


@router.post("/orders", status_code=202)
async def place_order(
    body: PlaceOrder, client: ClientDep, network: NetworkDep, database: DatabaseDep, context: ContextDep
) -> dict[str, Any]:
    """Takes a signed order; a keeper posts it on chain. Refused at once for what would make it void."""
    order, spec = body.order, body.spec
    job = order.digest(network.domain)
    account = network.accounts.get(order.account)
    if account is None or account.owner != client:
        raise Refused(f"account {order.account} is not yours: top up first, or use your own account")
    if order.signer(network.domain, body.signature) != client:
        raise Refused("the order is not signed by the wallet that is signed in (check the chain id and contract)")
    with database.reading() as session:
        known = session.get(SignedOrder, job) is not None
    if job in network.jobs or known:
        raise Conflict("this order was placed before: each needs a new nonce")
    _check_terms(network, order, spec)
    if order.cap > account.free:
        raise Refused(f"the cap of {order.cap} nano-USD is above the free credit of {account.free}: top up")
    put_document(context.store, spec)
    with database.session() as session:
        session.add(
            SignedOrder(job=job, account=order.account, record=order.record(body.signature), received_at=network.time)
        )
        session.add(SealedKey(subject=job, node=order.manager, sealed=body.sealed_key))
    return {"job": hexed(job)}


def _check_terms(network: Network, order: Order, spec: JobSpec) -> None:
    if spec.digest() != order.spec:
        raise InvalidInput("the order names another spec than the one that was sent")
    if order.manager != spec.request.manager:
        raise InvalidInput("the order and its quote name different managers")
    if (order.account, order.nonce) in network.orders_seen:
        raise Conflict(f"nonce {order.nonce} of account {order.account} was used before: take a new one")
    if order.price < network.parameters["price_floor"]:
        raise InvalidInput(f"the price is under the floor of {network.parameters['price_floor']} nano-USD per IBM")
    if not network.time < order.deadline <= network.time + 30 * 86_400:
        raise InvalidInput("the deadline must lie in the future, at most 30 days away")
    if order.post_by < network.time:
        raise InvalidInput("the post-by time is past: sign the order again")
    if not 1 <= order.attempts <= MAX_ATTEMPTS:
        raise InvalidInput(f"attempts must be 1 to {MAX_ATTEMPTS}")
    quoted = Quote(
        manager=order.manager,
        request=spec.request.digest(),
        work=spec.work,
        low_price=spec.low_price,
        high_price=spec.high_price,
        expires=spec.quote_expires,
    )
    signature = bytes.fromhex(spec.quote_signature.removeprefix("0x"))
    manager = network.nodes.get(order.manager)
    if manager is None or quoted.signer(network.domain, signature) != manager.operator:
        raise Refused("the quote is not signed by the manager: ask for a new one")
    if spec.quote_expires < network.time:
        raise Refused("the quote has expired: ask for a new one")


@router.post("/orders/{job}/cancel", status_code=202)
async def cancel(job: str, body: CancelOrder, network: NetworkDep, database: DatabaseDep) -> dict[str, str]:
    """Takes a signed cancellation; a keeper posts it on chain. Accepted tasks stay charged."""
    found = network.jobs.get(digest_of(job))
    if found is None:
        raise NotFound(f"no job {job} on this chain")
    message = Cancel(account=found.order.account, nonce=found.order.nonce)
    if message.signer(network.domain, body.signature) != found.client:
        raise Refused("only the owner of the account can cancel its order: sign with that wallet")
    if found.status not in (JobStatus.POSTED, JobStatus.RUNNING):
        raise Conflict(f"the job is {found.status}: there is nothing left to cancel")
    with database.session() as session:
        session.merge(WantedCancel(job=found.id, signature=body.signature, received_at=network.time))
    return {"status": "cancelling"}


@router.get("/jobs")
async def jobs(network: NetworkDep, client: str | None = None) -> list[dict[str, Any]]:
    """All jobs on chain, or those of one client, newest first."""
    found = [job for job in network.jobs.values() if client is None or job.client.lower() == client.lower()]
    return [job_view(network, job) for job in reversed(found)]


@router.get("/jobs/{job}")
async def job(job: str, network: NetworkDep, database: DatabaseDep) -> dict[str, Any]:
    """One job with its live progress."""
    return _job(network, database, digest_of(job))


def _job(network: Network, database: Database, job: bytes) -> dict[str, Any]:
    found = network.jobs.get(job)
    if found is None:
        with database.reading() as session:
            waiting = session.get(SignedOrder, job)
        if waiting is None:
            raise NotFound(f"no job {job.hex()} on this chain")
        status = "refused" if waiting.refused else "signed"
        reason = waiting.refused or "waits for a keeper to post it and for the block to be final"
        return {"id": hexed(job), "status": status, "reason": reason, "tasks": [], "time": network.time}
    ids = [state.task.id for state in found.tasks]
    with database.reading() as session:
        rows = session.exec(select(Progress).where(Progress.task.in_(ids))).all()  # type: ignore[attr-defined]
    progress = [
        {
            "task": hexed(row.task),
            "attempt": row.attempt,
            "frame": row.frame,
            "node": row.node,
            "permille": row.permille,
            "preview": row.preview,
        }
        for row in rows
    ]
    return {**job_view(network, found), "progress": progress, "time": network.time}


@router.get("/jobs/{job}/results")
async def job_results(job: str, network: NetworkDep) -> dict[str, Any]:
    """The accepted results of a job, by task: what its client fetches, opens with the job key and keeps."""
    found = network.jobs.get(digest_of(job))
    if found is None:
        raise NotFound(f"no job {job} on this chain")
    rows = [
        {
            "task": hexed(state.task.id),
            "kind": str(state.task.kind),
            "attempt": attempt.number,
            "node": attempt.node,
            "result": hexed(attempt.result),
        }
        for state in found.tasks
        for attempt in state.attempts
        if attempt.outcome is Outcome.ACCEPTED
    ]
    return {"job": hexed(found.id), "status": str(found.status), "results": rows}


@router.get("/jobs/{job}/events")
async def events(job: str, request: Request, context: ContextDep) -> StreamingResponse:
    """Server-sent events: the job whenever it changed; ends when the job has ended."""
    return StreamingResponse(_stream(digest_of(job), request, context), media_type="text/event-stream")


async def _stream(job: bytes, request: Request, context: Context) -> AsyncIterator[str]:
    last = ""
    while not await request.is_disconnected():
        try:
            view = _job(context.network(), context.database, job)
        except InferixError as error:
            yield f"event: error\ndata: {json.dumps({'message': str(error)})}\n\n"
            return
        text = json.dumps({name: value for name, value in view.items() if name != "time"})
        if text != last:
            last = text
            yield f"data: {json.dumps(view)}\n\n"
        if view["status"] in ("complete", "failed", "expired", "void", "refused"):
            return
        await asyncio.sleep(STREAM_SECONDS)
