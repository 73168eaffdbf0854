# SPDX-License-Identifier: Apache-2.0
"""Jobs as they stand, their results, and how they change."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from sqlmodel import Session, col, select

from api.context import Context, mark_of
from api.deps import ContextDep
from api.values import digest_of, hexed
from api.views import job_view
from api.watched import Look, View, Watched
from inferix.errors import InferixError, NotFound
from inferix.models.roles import Outcome
from inferix.replay import Network
from inferix.replay.jobs import LIVE
from inferix.storage.tables import Progress, SignedOrder

router = APIRouter(tags=["jobs"])
OPEN = ("signed", *LIVE)
STREAM_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 15
ROWS = 500


@router.get("/jobs")
async def jobs(
    context: ContextDep, client: str | None = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
) -> list[dict[str, Any]]:
    """The newest jobs on chain, or those of one client, newest first; without committees."""
    network = await context.network()
    newest = reversed(network.jobs.values())
    found = (job for job in newest if client is None or job.client.lower() == client.lower())
    return [job_view(network, job, committees=False) for job in islice(found, limit)]


@router.get("/jobs/{job}")
async def job(job: str, context: ContextDep) -> dict[str, Any]:
    """One job with its live progress."""
    return await _job(context, digest_of(job))


async def _job(context: Context, job: bytes) -> View:
    _, make = await _look(context, job)
    return make()


async def _look(context: Context, job: bytes) -> tuple[object, Callable[[], View]]:
    """What the view of a job is made of, and how: good until the caller awaits again."""
    network = await context.network()
    tasks = _tasks(network, job)
    rows, waiting = await context.read(lambda session: _hints(session, job, tasks))
    # An order that waits no more is on chain, perhaps since a moment ago.
    network = await context.network(0.0 if waiting or job in network.jobs else time.monotonic())
    made_of = (mark_of(network), [_progress_view(row) for row in rows], _order_view(waiting))
    return made_of, partial(_view, network, job, rows, waiting)


def _tasks(network: Network, job: bytes) -> list[bytes]:
    found = network.jobs.get(job)
    return [state.task.id for state in found.tasks] if found else []


def _hints(session: Session, job: bytes, tasks: Sequence[bytes]) -> tuple[list[Progress], SignedOrder | None]:
    """What is not on chain: live progress of the tasks, and the order while it waits."""
    rows: list[Progress] = []
    for at in range(0, len(tasks), ROWS):
        rows += session.exec(select(Progress).where(col(Progress.task).in_(tasks[at : at + ROWS]))).all()
    return rows, session.get(SignedOrder, job)


def _view(network: Network, job: bytes, rows: Sequence[Progress], waiting: SignedOrder | None) -> View:
    found = network.jobs.get(job)
    if found is not None:
        progress = [_progress_view(row) for row in rows]
        return {**job_view(network, found), "progress": progress, "time": network.time}
    if waiting is None:
        raise NotFound(f"no job 0x{job.hex()} on this chain")
    return {"id": hexed(job), **_order_view(waiting), "tasks": [], "time": network.time}


def _order_view(waiting: SignedOrder | None) -> View:
    if waiting is None:
        return {}
    reason = waiting.refused or "waits for a keeper to post it and for the block to be final"
    return {"status": "refused" if waiting.refused else "signed", "reason": reason}


def _progress_view(row: Progress) -> View:
    return {
        "task": hexed(row.task),
        "attempt": row.attempt,
        "frame": row.frame,
        "node": row.node,
        "permille": row.permille,
        "preview": row.preview,
    }


@router.get("/jobs/{job}/results")
async def job_results(job: str, context: ContextDep) -> dict[str, Any]:
    """The accepted results of a job, by task: what its client fetches, opens with the job key and keeps."""
    wanted = digest_of(job)
    network = await context.network()
    found = network.jobs.get(wanted)
    if found is None:
        raise NotFound(f"no job {job} on this chain")
    rows = [
        {
            "task": hexed(state.task.id),
            "kind": str(state.task.kind),
            "first_frame": state.task.first_frame,
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
    wanted = digest_of(job)
    watched = context.watched.setdefault(wanted, Watched())
    look = partial(_look, context, wanted)
    await watched.look(look, STREAM_SECONDS)  # an unknown job is answered with its status
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(watched, look, request), headers=headers, media_type="text/event-stream")


async def _stream(watched: Watched, look: Look, request: Request) -> AsyncIterator[str]:
    last, quiet = "", 0.0
    while True:
        view = watched.view
        if watched.text != last:
            last, quiet = watched.text, 0.0
            yield f"data: {json.dumps(view)}\n\n"
        elif quiet >= KEEP_ALIVE_SECONDS:
            quiet = 0.0
            yield ": nothing new\n\n"
        if view["status"] not in OPEN or await request.is_disconnected():
            return
        await asyncio.sleep(STREAM_SECONDS)
        quiet += STREAM_SECONDS
        try:
            await watched.look(look, STREAM_SECONDS)
        except InferixError as error:
            yield f"event: error\ndata: {json.dumps({'message': str(error)})}\n\n"
            return
