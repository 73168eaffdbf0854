# SPDX-License-Identifier: Apache-2.0
"""What workers would deliver for a job of the tests' API: sealed files, results, and the attempts that accept them."""

import hashlib
from typing import Any

from inferix import jobkeys, sealing
from inferix.models.result import FileRef, Film, FrameResult, Result
from inferix.models.roles import TaskKind
from inferix.replay.state import TaskState
from inferix.sealing import JobKey
from inferix.storage.documents import put_document
from tests.api.conftest import Api


def store(api: Api, content: bytes, key: JobKey, *, claims: bytes | None = None) -> FileRef:
    """A sealed file; ``claims``: the content that its reference is of."""
    cid = api.context.store.add(sealing.seal_stream(key, [content]))
    plain = content if claims is None else claims
    return FileRef(cid=str(cid), sha256=hashlib.sha256(plain).digest(), size=len(plain))


def result_of(api: Api, state: TaskState, job_key: JobKey, **changes: Any) -> bytes:
    """Stores what a worker would store for the task's newest attempt; the digest."""
    attempt = state.attempts[-1]
    key = jobkeys.result_key(job_key, state.task.id, attempt.number)
    film = frames = None
    if state.task.kind is TaskKind.ASSEMBLE:
        stills = [store(api, f"still {at}".encode(), key) for at in (1, 2)]
        film = Film(stills=stills, movie=store(api, b"movie" * 50_000, key), contact_sheet=store(api, b"sheet", key))
    else:
        raw = store(api, f"raw {state.task.first_frame}".encode(), key)
        frames = [FrameResult(frame=state.task.first_frame, raw=raw, pixels=bytes(32), milliseconds=1)]
    fields = {
        "kind": state.task.kind,
        "task": state.task.id,
        "attempt": attempt.number,
        "node": attempt.node,
        "engine": "noise",
        "build": "1",
        "device_class": "cpu",
        "frames": frames or [],
        "film": film,
    }
    return put_document(api.context.store, Result(**{**fields, **changes}))


def run(api: Api, state: TaskState, job_key: JobKey, **changes: Any) -> None:
    """One attempt from draw to votes; ``changes``: fields of its result."""
    chain = api.chain
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.anchor(chain.receipt(state, result_of(api, state, job_key, **changes)))
    chain.anchor(*chain.votes(state))


def finish(api: Api, job: bytes, job_key: JobKey) -> None:
    """Every task of a job, accepted."""
    for state in api.chain.network.jobs[job].tasks:
        run(api, state, job_key)
