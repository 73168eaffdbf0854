# SPDX-License-Identifier: Apache-2.0
"""What nodes call: their work, their signed messages, their progress. Every request is signed by the operator key."""

import time
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlmodel import Session, col, select

from api.deps import ContextDep, DatabaseDep, NetworkDep, NodeDep
from api.work import Inbox, work_for
from inferix.errors import Conflict, InvalidInput, Refused
from inferix.messages import KINDS, Acceptance, Benchmark, Message, PanelVote, Probe, Receipt, Vote, VoteCommitment
from inferix.messages import vote_commitment as commitment_of
from inferix.models.anchor import SignedMessage
from inferix.models.document import Bytes32, HexBytes, Signature
from inferix.models.work import BenchmarkDuty
from inferix.replay import Network
from inferix.replay.attempts import why_not
from inferix.storage import tables

router = APIRouter(prefix="/node", tags=["nodes"])
WORK_SECONDS = 600


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
async def work(node: NodeDep, network: NetworkDep, database: DatabaseDep) -> dict[str, Any]:
    """What this node may do now."""
    with database.session() as session:
        session.merge(tables.NodeSeen(node=node.id, seen_at=network.time))
        items = work_for(network, node, _inbox(session, network.time))
    return {"time": network.time, "work": [item.model_dump(mode="json") for item in items]}


def _inbox(database: Session, now: int) -> Inbox:
    def sent(kind: str, subject: bytes, attempt: int, node: int) -> bool:
        rows = select(tables.Message).where(
            tables.Message.kind == kind,
            tables.Message.task == subject,
            tables.Message.attempt == attempt,
            tables.Message.node == node,
            col(tables.Message.refused).is_(None),
        )
        return database.exec(rows).first() is not None

    def key(subject: bytes, node: int) -> bytes | None:
        row = database.get(tables.SealedKey, (subject, node))
        return row.sealed if row else None

    def challenge(node: int) -> BenchmarkDuty | None:
        rows = select(tables.Challenge).where(tables.Challenge.node == node, tables.Challenge.state == "sent")
        row = database.exec(rows).first()
        if row is None:
            return None
        if not row.sent_at_wall_ms:  # the keeper's clock starts when the node hears of it
            row.sent_at_wall_ms = time.time_ns() // 1_000_000
            database.add(row)
        return BenchmarkDuty(challenge=row.id, scene=row.scene, seed=row.seed, deadline=now + WORK_SECONDS)

    return Inbox(sent, key, challenge)


@router.post("/messages", status_code=202)
async def post_message(body: Post, node: NodeDep, network: NetworkDep, database: DatabaseDep) -> dict[str, str]:
    """Takes a signed message; sending the same again is no error."""
    kind = KINDS.get(body.kind)
    if kind is None:
        raise InvalidInput(f"unknown message {body.kind!r}: one of {', '.join(KINDS)}")
    message = kind.from_body(body.body)
    if getattr(message, "node", None) != node.id:
        raise Refused("a node posts its own messages only")
    if message.signer(network.domain, body.signature) != node.operator:
        raise Refused("the message is not signed by the node's operator")
    digest = message.digest(network.domain)
    with database.session() as session:
        return {"status": _take(network, session, node.id, message, digest, body)}


def _take(network: Network, database: Session, node: int, message: Message, digest: bytes, body: Post) -> str:
    if database.get(tables.Message, digest) is not None:
        return "known"
    subject, attempt = _check(network, database, node, message, body)
    database.add(
        tables.Message(
            digest=digest,
            kind=body.kind,
            node=node,
            task=subject,
            attempt=attempt,
            body=body.body,
            signature=body.signature,
            salt=body.salt,
            received_at=network.time,
        )
    )
    return "taken"


def _check(network: Network, database: Session, node: int, message: Message, body: Post) -> tuple[bytes, int]:
    """(subject, attempt) of a message that may count; raises what is wrong with it."""
    if isinstance(message, Acceptance | Receipt | Vote):
        state = network.tasks.get(message.task)
        lane = state.attempts[-1].lane if state and state.attempts else 0
        item = SignedMessage(kind=body.kind, body=body.body, signature=body.signature)  # type: ignore[arg-type]
        reason = why_not(network, lane, item, message, network.time)
        if reason:
            raise Conflict(f"this {body.kind} would not count: {reason}")
        if isinstance(message, Vote):
            _check_commitment(network, database, message, body.salt)
        return message.task, message.attempt
    if isinstance(message, VoteCommitment):
        _refuse_second(database, "VoteCommitment", message.task, message.attempt, node)
        return message.task, message.attempt
    if isinstance(message, PanelVote):
        case = network.cases.get(message.dispute)
        if case is None or node not in case.seats:
            raise Refused("this node has no seat in that panel")
        _refuse_second(database, "PanelVote", message.dispute, 0, node)
        return message.dispute, 0
    if isinstance(message, Benchmark):
        return _answer_challenge(database, message)
    if isinstance(message, Probe):
        return message.manager.to_bytes(4, "big") + message.anchor.to_bytes(28, "big"), 0
    raise InvalidInput(f"{body.kind} is not sent here")


def _refuse_second(database: Session, kind: str, subject: bytes, attempt: int, node: int) -> None:
    rows = select(tables.Message).where(
        tables.Message.kind == kind,
        tables.Message.task == subject,
        tables.Message.attempt == attempt,
        tables.Message.node == node,
    )
    if database.exec(rows).first() is not None:
        raise Conflict(f"this node has sent another {kind} about this before; it stands")


def _check_commitment(network: Network, database: Session, vote: Vote, salt: bytes | None) -> None:
    rows = select(tables.Message).where(
        tables.Message.kind == "VoteCommitment",
        tables.Message.task == vote.task,
        tables.Message.attempt == vote.attempt,
        tables.Message.node == vote.node,
    )
    row = database.exec(rows).first()
    if row is None or salt is None:
        raise Conflict("send a VoteCommitment first, then the vote with its salt")
    if VoteCommitment.from_body(row.body).commitment != commitment_of(vote.digest(network.domain), salt):
        raise Refused("this vote is not the one that was committed to")


def _answer_challenge(database: Session, message: Benchmark) -> tuple[bytes, int]:
    row = database.get(tables.Challenge, message.challenge)
    if row is None or row.node != message.node or row.state != "sent":
        raise Conflict("there is no such benchmark challenge for this node, or it was answered")
    row.state, row.answered_at_wall_ms = "answered", time.time_ns() // 1_000_000
    database.add(row)
    return message.challenge, 0


@router.post("/progress", status_code=204)
async def progress(
    body: FrameProgress, node: NodeDep, network: NetworkDep, database: DatabaseDep, _: ContextDep
) -> None:
    """Live progress of the worker that accepted the attempt."""
    state = network.tasks.get(body.task)
    if state is None or body.attempt >= len(state.attempts) or state.attempts[body.attempt].node != node.id:
        raise Refused("this node does not work on that attempt")
    with database.session() as session:
        session.merge(
            tables.Progress(
                task=body.task,
                attempt=body.attempt,
                frame=body.frame,
                node=node.id,
                permille=body.permille,
                preview=body.preview,
                updated_at=network.time,
            )
        )
