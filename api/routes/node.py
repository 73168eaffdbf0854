# SPDX-License-Identifier: Apache-2.0
"""What nodes call: their work, their signed messages, their progress. Every request is signed by the operator key."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlmodel import Session

from api import inbox
from api.deps import ContextDep, NodeDep, node_of
from api.work import Inbox, scope_of, work_for
from inferix.errors import Conflict, InvalidInput, Refused
from inferix.messages import KINDS, Anchored, Benchmark, CanaryOpening, Message, PanelVote, Probe, VoteCommitment
from inferix.models.anchor import SignedMessage
from inferix.models.document import Bytes32, HexBytes, Signature
from inferix.models.roles import CaseStatus, ObjectionStatus
from inferix.replay import Network, probes
from inferix.replay.attempts import seats, why_not
from inferix.replay.contradictions import heard_by_id
from inferix.replay.state import AttemptStatus
from inferix.storage import Cid, tables

router = APIRouter(prefix="/node", tags=["nodes"])


class Post(BaseModel):
    """A signed message: ``body`` is its ABI-encoded fields; ``salt`` opens a vote's commitment."""

    kind: Annotated[str, Field(max_length=40)]
    body: HexBytes
    signature: Signature
    salt: Bytes32 | None = None


class FrameProgress(BaseModel):
    """How far a frame is, in per mille; ``preview``: CID of a sealed quick look."""

    task: Bytes32
    attempt: Annotated[int, Field(ge=0, le=255)]
    frame: int
    permille: Annotated[int, Field(ge=0, le=1_000)]
    preview: Annotated[str | None, Field(max_length=120)] = None


@router.get("/work")
async def work(node: NodeDep, context: ContextDep) -> dict[str, Any]:
    """What this node may do now."""
    network = await context.network()
    scope, now = scope_of(network, node_of(network, node), context.concerned(network)), network.time

    def read(session: Session) -> tuple[Inbox, bool]:
        return inbox.read_inbox(session, node, scope, now), inbox.needs_note(session, node, now)

    found, note = await context.read(read)
    if note:
        await context.write(lambda session: inbox.note_asked(session, node, now))
    network = await context.network()
    items = work_for(network, node_of(network, node), scope, found)
    return {"time": network.time, "work": [item.model_dump(mode="json") for item in items]}


@router.post("/messages", status_code=202)
async def post_message(body: Post, node: NodeDep, context: ContextDep) -> dict[str, str]:
    """Takes a signed message; sending the same again is no error."""
    kind = KINDS.get(body.kind)
    if kind is None:
        raise InvalidInput(f"unknown message {body.kind!r}: one of {', '.join(KINDS)}")
    message = kind.from_body(body.body)
    network = await context.network()
    signer = getattr(message, "node", None)
    if signer != node and not _was_given(network, node, message):
        raise Refused("a node posts its own messages only")
    digest = message.digest(network.domain)
    if await context.read(lambda session: inbox.is_known(session, digest)):
        return {"status": "known"}
    network = await context.network()
    is_given = isinstance(message, CanaryOpening)  # its manager's signature is checked with the rest
    if not is_given and message.signer(network.domain, body.signature) != node_of(network, node).operator:
        raise Refused("the message is not signed by the node's operator")
    subject, attempt = _check(network, node, message, body)
    row = tables.Message(
        digest=digest,
        kind=body.kind,
        node=signer or node,
        task=subject,
        attempt=attempt,
        body=body.body,
        signature=body.signature,
        salt=body.salt,
        received_at=network.time,
    )
    return {"status": await context.write(lambda session: inbox.keep(session, row, message, digest))}


def _check(network: Network, node: int, message: Message, body: Post) -> tuple[bytes, int]:
    """(subject, attempt) of a message that may count as far as the state tells; raises what is wrong with it."""
    if isinstance(message, Anchored):
        return _check_anchored(network, message, body)
    if isinstance(message, VoteCommitment):
        _check_seat(network, node, message)
        return message.task, message.attempt
    if isinstance(message, PanelVote):
        if not _is_seated(network, node, message.dispute):
            raise Refused("this node has no seat in that panel, or the panel is over")
        return message.dispute, 0
    if isinstance(message, Benchmark):
        return message.challenge, 0
    raise InvalidInput(f"{body.kind} is not sent here")


def _check_anchored(network: Network, message: Anchored, body: Post) -> tuple[bytes, int]:
    item = SignedMessage(kind=body.kind, body=body.body, signature=body.signature)  # type: ignore[arg-type]
    if isinstance(message, Probe):
        _check_counts(body, probes.why_not(network, item, message, network.time))
        return probes.subject_of(network, network.lanes[message.manager].anchors[message.anchor]), 0
    state = network.tasks.get(message.task)
    lane = state.current.lane if state and state.current else 0
    _check_counts(body, why_not(network, lane, item, message, network.time))
    return message.task, message.attempt


def _check_counts(body: Post, reason: str) -> None:
    if reason:
        raise Conflict(f"this {body.kind} would not count: {reason}")


def _was_given(network: Network, node: int, message: Message) -> bool:
    """Whether this is the opening of an attempt of this worker, which its manager has signed."""
    if not isinstance(message, CanaryOpening):
        return False
    state = network.tasks.get(message.task)
    attempts = state.attempts[message.attempt :] if state else []
    return bool(attempts) and attempts[0].node == node


def _is_seated(network: Network, node: int, id: bytes) -> bool:
    """Whether a node sits on the panel of an appeal, objection or contradiction that is open."""
    case, objection = network.cases.get(id), heard_by_id(network, id)
    if case is not None and case.status is CaseStatus.APPEALED:
        return node in case.seats
    return objection is not None and objection.status is ObjectionStatus.OPEN and node in objection.seats


def _check_seat(network: Network, node: int, message: VoteCommitment) -> None:
    state = network.tasks.get(message.task)
    attempt = state.current if state else None
    if state is None or attempt is None or attempt.number != message.attempt:
        raise Conflict("this attempt is not open: GET /node/work says what is")
    if attempt.status is not AttemptStatus.RECEIVED:
        raise Conflict("there is no receipt to vote on")
    if all(seat.leaf.node != node for seat in seats(network, state, attempt)):
        raise Refused("this node has no seat in the committee")


@router.post("/progress", status_code=204)
async def progress(body: FrameProgress, node: NodeDep, context: ContextDep) -> None:
    """Live progress of the worker that accepted the attempt."""
    network = await context.network()
    state = network.tasks.get(body.task)
    if state is None or body.attempt >= len(state.attempts) or state.attempts[body.attempt].node != node:
        raise Refused("this node does not work on that attempt")
    if body.frame not in state.task.frames():
        raise InvalidInput(f"frame {body.frame} does not belong to this task")
    if body.preview is not None:
        Cid.parse(body.preview)  # browsers put it into an address
    row = tables.Progress(
        task=body.task,
        attempt=body.attempt,
        frame=body.frame,
        node=node,
        permille=body.permille,
        preview=body.preview,
        updated_at=network.time,
    )
    await context.write(lambda session: session.merge(row))
