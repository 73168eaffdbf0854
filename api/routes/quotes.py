# SPDX-License-Identifier: Apache-2.0
"""Quotes: a manager previews the client's package and signs a price."""

import secrets
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel
from sqlmodel import Session, col, func, select
from starlette.concurrency import run_in_threadpool

from api.deps import ClientDep, ContextDep
from api.managers import managers_here
from api.values import digest_of, hexed, sendable
from inferix.errors import Conflict, InvalidInput, NotFound
from inferix.models.document import HexBytes
from inferix.models.job import QuoteRequest
from inferix.models.roles import Role
from inferix.replay.cheating import by_device_class
from inferix.sealing import SEALED_KEY_SIZE
from inferix.storage.cid import Cid
from inferix.storage.tables import QuoteJob, SealedKey

router = APIRouter(tags=["jobs"])
OPEN_QUOTES = 4


def _sealed(value: bytes) -> bytes:
    if len(value) != SEALED_KEY_SIZE:
        raise ValueError(f"a sealed key has {SEALED_KEY_SIZE} bytes, not {len(value)}")
    return value


SealedJobKey = Annotated[HexBytes, AfterValidator(_sealed)]


class AskQuote(BaseModel):
    """``sealed_key``: the job key, sealed to the manager of the request."""

    request: QuoteRequest
    sealed_key: SealedJobKey


@router.post("/quotes", status_code=202)
async def ask_quote(body: AskQuote, client: ClientDep, context: ContextDep) -> dict[str, Any]:
    """Asks the manager for a price; it previews the package in its sandbox."""
    if not await run_in_threadpool(context.store.has_block, Cid.parse(body.request.input)):
        raise NotFound("the input is not in storage: upload it first (PUT /blocks, POST /pins)")
    network = await context.network()
    manager = network.nodes.get(body.request.manager)
    if manager is None or manager.role is not Role.MANAGER:
        raise InvalidInput(f"node {body.request.manager} is no manager: GET /network lists them")
    here = await context.read(lambda session: [node.id for node in managers_here(session, network)])
    if here and manager.id not in here:
        raise InvalidInput(f"manager {manager.id} answers no quotes here: ask manager {here[0]}, or another API")
    quote = QuoteJob(id=secrets.token_bytes(32), owner=client, request=body.request.encode(), asked_at=network.time)
    key = SealedKey(subject=quote.id, node=manager.id, sealed=body.sealed_key)

    def keep(session: Session) -> None:
        waiting = col(QuoteJob.state).in_(("waiting", "running"))
        count = select(func.count()).select_from(QuoteJob).where(QuoteJob.owner == client, waiting)
        if session.exec(count).one() >= OPEN_QUOTES:
            raise Conflict(f"{OPEN_QUOTES} quotes of yours are being worked on: wait for their answers")
        session.add(quote)
        session.add(key)

    identity = hexed(quote.id)
    await context.write(keep)
    return {"id": identity}


@router.get("/quotes/{quote_id}")
async def quote(quote_id: str, client: ClientDep, context: ContextDep) -> dict[str, Any]:
    """A quote's progress; ``ready`` holds the manager's signed price. ``problems``: of severity ``error`` what is wrong
    with a scene that is ``refused``, ``warning`` what is not applied of any."""
    wanted = digest_of(quote_id)
    row = await context.read(lambda session: session.get(QuoteJob, wanted))
    if row is None or row.owner != client:
        raise NotFound("you have asked for no such quote")
    cheating = by_device_class(await context.network(), row.work, row.high_price) if row.state == "ready" else []
    return {
        "id": hexed(row.id),
        "state": row.state,
        "work": row.work,
        "low_price": row.low_price,
        "high_price": row.high_price,
        "expires": row.expires,
        "signature": hexed(row.signature),
        "problems": [{name: sendable(text) for name, text in problem.items()} for problem in row.problems],
        "cheating": [asdict(item) for item in cheating],
    }
