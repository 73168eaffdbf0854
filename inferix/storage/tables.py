# SPDX-License-Identifier: Apache-2.0
"""What the database holds (SQLModel), one schema for SQLite and PostgreSQL.

Mirror of the chain: ``Block``, ``Event``, ``StoredDocument``; everything decided is a pure function of these
(``inferix.replay``). Inbox: what arrived over HTTP and is not on chain (yet). Sender: transactions on their way.
Bytes are stored as bytes, amounts over 63 bits as decimal text, times in seconds of the block clock
unless a name ends in ``_wall``.
"""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


def _bytes(**options: Any) -> Any:
    return Field(sa_column=Column(LargeBinary, nullable=options.pop("nullable", False), **options))


def _big(**options: Any) -> Any:
    return Field(sa_column=Column(BigInteger, nullable=False, **options))


class MirrorState(SQLModel, table=True):
    """One row: whose chain this is, and how often the mirror took blocks back (then who follows it starts anew).

    ``contract``: address of the NodeRegistry, which names the network.
    """

    __tablename__ = "mirror"
    id: int = Field(default=1, primary_key=True)
    chain_id: int = _big()
    contract: str
    rollbacks: int = 0


class ManagerHere(SQLModel, table=True):
    """A manager whose keepers work on this database: they alone answer its quotes and post its orders."""

    __tablename__ = "manager_here"
    operator: str = Field(primary_key=True)
    node: int


class Block(SQLModel, table=True):
    """A mirrored block; the newest is the mirror's cursor. Old ones without an event are forgotten."""

    __tablename__ = "block"
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: bytes = _bytes()
    parent: bytes = _bytes()
    timestamp: int = _big()


class Event(SQLModel, table=True):
    """A decoded log of a protocol contract. ``args``: JSON, bytes as 0x hex, integers over 53 bits as decimal text."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("block", "log_index"),)
    id: int | None = Field(default=None, primary_key=True)
    block: int = _big(index=True)
    log_index: int
    timestamp: int = _big()
    contract: str = Field(index=True)
    name: str = Field(index=True)
    args: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    transaction: bytes = _bytes()


class StoredDocument(SQLModel, table=True):
    """A document that an event names, by digest: as fetched and checked when the event was mirrored."""

    __tablename__ = "document"
    digest: bytes = _bytes(primary_key=True)
    body: bytes = _bytes()


class Message(SQLModel, table=True):
    """A signed message from a node, checked, waiting to be anchored (or kept off chain, by kind).

    ``anchored_in``: the anchor of ``lane`` (a manager) that carries it, from before that anchor is sent.
    """

    __tablename__ = "message"
    digest: bytes = _bytes(primary_key=True)
    kind: str = Field(index=True)
    node: int = Field(index=True)
    task: bytes | None = _bytes(nullable=True, index=True)
    attempt: int | None = None
    body: bytes = _bytes()
    signature: bytes = _bytes()
    salt: bytes | None = _bytes(nullable=True)
    received_at: int = _big()
    lane: int | None = None
    anchored_in: int | None = Field(default=None, index=True)
    refused: str | None = None


class SignedOrder(SQLModel, table=True):
    """A client's signed order, checked, waiting to be posted. ``transaction``: keccak256 of the posting's records."""

    __tablename__ = "signed_order"
    job: bytes = _bytes(primary_key=True)
    account: int = Field(index=True)
    record: bytes = _bytes()
    received_at: int = _big()
    transaction: bytes | None = _bytes(nullable=True)
    refused: str | None = None


class WantedCancel(SQLModel, table=True):
    """A client's signed cancellation, waiting to be posted."""

    __tablename__ = "wanted_cancel"
    job: bytes = _bytes(primary_key=True)
    signature: bytes = _bytes()
    received_at: int = _big()
    transaction: bytes | None = _bytes(nullable=True)


class SealedKey(SQLModel, table=True):
    """What is sealed to one node. A job key, ``subject`` being the job or quote id; ``node`` of the manager: what the
    client uploaded. Or an attempt's opening (``inferix.canaries``), ``subject`` being the attempt's ``case_id``.

    ``recipient``: the public key that a keeper sealed to; a node may have another by now."""

    __tablename__ = "sealed_key"
    subject: bytes = _bytes(primary_key=True)
    node: int = Field(primary_key=True)
    sealed: bytes = _bytes()
    recipient: bytes | None = _bytes(nullable=True)


class QuoteJob(SQLModel, table=True):
    """A quote asked for; filled in by the manager's quote keeper. ``state``: waiting | running | ready | refused."""

    __tablename__ = "quote"
    id: bytes = _bytes(primary_key=True)
    owner: str = Field(index=True)
    request: bytes = _bytes()
    state: str = Field(default="waiting", index=True)
    work: int = _big(default=0)
    low_price: int = _big(default=0)
    high_price: int = _big(default=0)
    expires: int = _big(default=0)
    signature: bytes | None = _bytes(nullable=True)
    problems: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    asked_at: int = _big()


class Progress(SQLModel, table=True):
    """Newest live progress of one frame of an attempt; a hint for people, never a fact."""

    __tablename__ = "progress"
    task: bytes = _bytes(primary_key=True)
    attempt: int = Field(primary_key=True)
    frame: int = Field(primary_key=True)
    node: int
    permille: int
    preview: str | None = None
    updated_at: int = _big()


class NodeSeen(SQLModel, table=True):
    """When a node last asked for work."""

    __tablename__ = "node_seen"
    node: int = Field(primary_key=True)
    seen_at: int = _big()
    about: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Challenge(SQLModel, table=True):
    """A benchmark challenge. ``state``: sent | answered | attested | failed."""

    __tablename__ = "challenge"
    id: bytes = _bytes(primary_key=True)
    node: int = Field(index=True)
    scene: str
    seed: int
    state: str = Field(default="sent", index=True)
    sent_at_wall_ms: int = _big(default=0)
    answered_at_wall_ms: int = _big(default=0)
    ib: int = 0
    reason: str = ""


class Transaction(SQLModel, table=True):
    """A transaction of one of our accounts. ``key``: what it does, once. ``state``: new | sent | mined | failed.

    ``lane``: address of the account; ``hashes``: of all versions handed over, 32 bytes each, the newest last;
    ``cost_gwei``: the most it can cost, once mined what it did cost; ``block``: where a version was last seen mined.
    """

    __tablename__ = "transaction_"
    __table_args__ = (
        UniqueConstraint("lane", "nonce"),
        Index("ix_transaction__lane_state", "lane", "state"),
        Index("ix_transaction__lane_updated", "lane", "updated_at_wall"),
    )
    key: str = Field(primary_key=True)
    lane: str
    nonce: int | None = None
    hashes: bytes = _bytes(default=b"")
    raw: bytes | None = _bytes(nullable=True)
    state: str = "new"
    attempts: int = 0
    gas_used: int = _big(default=0)
    cost_gwei: int = _big(default=0)
    block: int | None = None
    error: str = ""
    updated_at_wall: int = _big(default=0)


class SiweNonce(SQLModel, table=True):
    """A sign-in nonce, deleted on use."""

    __tablename__ = "siwe_nonce"
    nonce: str = Field(primary_key=True)
    expires_wall: int = _big(index=True)


class Session(SQLModel, table=True):
    """A signed-in wallet. ``token``: SHA-256 of the bearer token."""

    __tablename__ = "session"
    token: bytes = _bytes(primary_key=True)
    address: str = Field(index=True)
    expires_wall: int = _big()
