# SPDX-License-Identifier: Apache-2.0
"""What nodes have sent: read for their work, and kept once checked. Functions run in their caller's transaction."""

import time
from collections.abc import Sequence

from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from api.work import Inbox, Scope
from inferix.errors import Conflict, Refused
from inferix.messages import Benchmark, Message, PanelVote, Probe, Vote, VoteCommitment, vote_commitment
from inferix.models.work import BenchmarkDuty
from inferix.storage import tables

ROWS = 500
SEEN_EVERY = 10  # seconds of the block clock
WORK_SECONDS = 600
ONCE = (VoteCommitment, PanelVote, Probe)
"""Kinds of which a node's first one about a subject stands."""


def read_inbox(session: Session, node: int, scope: Scope, now: int) -> Inbox:
    """What concerns a node's scope."""
    sent: set[tuple[str, bytes, int, int]] = set()
    for subjects in _parts(scope.subjects()):
        rows = select(tables.Message).where(
            col(tables.Message.task).in_(subjects), col(tables.Message.refused).is_(None)
        )
        sent |= {(row.kind, row.task or b"", row.attempt or 0, row.node) for row in session.exec(rows)}
    keys: dict[bytes, bytes] = {}
    for subjects in _parts([*scope.jobs, *scope.attempts]):
        mine = tables.SealedKey.node == node
        wanted = select(tables.SealedKey).where(mine, col(tables.SealedKey.subject).in_(subjects))
        keys |= {row.subject: row.sealed for row in session.exec(wanted)}
    row = session.exec(_challenge_of(node)).first()
    duty = BenchmarkDuty(challenge=row.id, scene=row.scene, seed=row.seed, deadline=now + WORK_SECONDS) if row else None
    return Inbox(sent, keys, duty)


def note_asked(session: Session, node: int, now: int) -> None:
    """Remembers that a node asked for work; the clock of its benchmark challenge starts when it first hears of it."""
    seen = session.get(tables.NodeSeen, node) or tables.NodeSeen(node=node, seen_at=now)
    seen.seen_at = now
    session.add(seen)
    for row in session.exec(_challenge_of(node)):
        if not row.sent_at_wall_ms:
            row.sent_at_wall_ms = time.time_ns() // 1_000_000
            session.add(row)


def needs_note(session: Session, node: int, now: int) -> bool:
    """Whether ``note_asked`` has something to write."""
    seen = session.get(tables.NodeSeen, node)
    unsent = any(not row.sent_at_wall_ms for row in session.exec(_challenge_of(node)))
    return seen is None or now - seen.seen_at >= SEEN_EVERY or unsent


def is_known(session: Session, digest: bytes) -> bool:
    """Whether a message is here."""
    return session.get(tables.Message, digest) is not None


def keep(session: Session, row: tables.Message, message: Message, vote_digest: bytes) -> str:
    """Keeps a checked message: ``taken``, or ``known``. Raises what the inbox has against it."""
    if is_known(session, row.digest):
        return "known"
    if isinstance(message, ONCE) and _of_node(session, message.kind, row):
        raise Conflict(f"this node has sent another {message.kind} about this before; it stands")
    if isinstance(message, Vote):
        _check_commitment(_of_node(session, "VoteCommitment", row), row.salt, vote_digest)
    if isinstance(message, Benchmark):
        _answer_challenge(session, message)
    session.add(row)
    return "taken"


def _of_node(session: Session, kind: str, row: tables.Message) -> Sequence[tables.Message]:
    wanted = select(tables.Message).where(
        col(tables.Message.refused).is_(None),
        tables.Message.kind == kind,
        tables.Message.task == row.task,
        tables.Message.attempt == row.attempt,
        tables.Message.node == row.node,
    )
    return session.exec(wanted).all()


def _check_commitment(found: Sequence[tables.Message], salt: bytes | None, digest: bytes) -> None:
    if not found or salt is None:
        raise Conflict("send a VoteCommitment first, then the vote with its salt")
    committed = {VoteCommitment.from_body(row.body).commitment for row in found}
    if committed != {vote_commitment(digest, salt)}:  # two that raced each other bind to neither
        raise Refused("this vote is not the one that was committed to")


def _answer_challenge(session: Session, message: Benchmark) -> None:
    wanted = (
        update(tables.Challenge)
        .where(col(tables.Challenge.id) == message.challenge, col(tables.Challenge.node) == message.node)
        .where(col(tables.Challenge.state) == "sent")
        .values(state="answered", answered_at_wall_ms=time.time_ns() // 1_000_000)
    )
    if session.exec(wanted).rowcount != 1:
        raise Conflict("there is no such benchmark challenge for this node, or it was answered")


def _challenge_of(node: int) -> SelectOfScalar[tables.Challenge]:
    return select(tables.Challenge).where(tables.Challenge.node == node, tables.Challenge.state == "sent")


def _parts(subjects: list[bytes]) -> list[list[bytes]]:
    return [subjects[at : at + ROWS] for at in range(0, len(subjects), ROWS)]
