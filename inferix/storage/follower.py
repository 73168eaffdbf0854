# SPDX-License-Identifier: Apache-2.0
"""The replayed state of a program: follows the mirrored events in the database into a ``Network``."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import tuple_
from sqlmodel import Session, col, func, select

from inferix.messages import Domain
from inferix.models.event import ChainEvent
from inferix.replay import Network, apply
from inferix.replay.later import Later
from inferix.storage.database import Database
from inferix.storage.event_json import args_from_json
from inferix.storage.tables import Block, Event, MirrorState, StoredDocument

log = logging.getLogger(__name__)

_ROWS = 1_000
_LATE_DOCUMENTS_EVERY = 2.0  # seconds


class StoredDocuments(Mapping[bytes, bytes]):
    """The stored documents by digest, read when asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __getitem__(self, digest: bytes) -> bytes:
        with self._database.reading() as session:
            found = session.get(StoredDocument, digest)
        if found is None:
            raise KeyError(digest)
        return found.body

    def __iter__(self) -> Iterator[bytes]:
        with self._database.reading() as session:
            yield from session.exec(select(StoredDocument.digest)).all()

    def __len__(self) -> int:
        with self._database.reading() as session:
            return session.exec(select(func.count()).select_from(StoredDocument)).one()


class Follower:
    """State = all events in order, with all documents that are here: the same in every program on one database.

    It starts anew when the mirror took blocks back, and when a document arrives that an event was replayed without.
    ``genesis``: start of epoch 0, as ``Network`` takes it.
    """

    def __init__(self, database: Database, domain: Domain, genesis: int) -> None:
        self._database = database
        self._domain = domain
        self._genesis = genesis
        self._documents = StoredDocuments(database)
        self._lock = threading.RLock()
        self._looked_for_late = 0.0
        self._start_anew(0)

    @contextmanager
    def reading(self) -> Iterator[Network]:
        """The newest state; it does not change within the block. Keep it short and keep nothing of it."""
        with self._lock:
            yield self.poll()

    def poll(self) -> Network:
        """The newest state. Another thread's poll changes it: use ``reading`` where there are threads."""
        with self._lock, self._database.reading() as session:
            state = session.get(MirrorState, 1)
            rollbacks = state.rollbacks if state else 0
            if rollbacks != self._rollbacks:
                log.warning("the mirror took blocks back: replaying from the start")
                self._start_anew(rollbacks)
            elif self._late_documents(session):
                log.info("a missing document has arrived: replaying from the start")
                self._start_anew(rollbacks)
            newest = session.exec(select(Block).order_by(col(Block.number).desc()).limit(1)).first()
            if newest is not None and newest.number != self._block:
                try:
                    self._catch_up(session, newest)
                    if self._network.is_stale:
                        log.warning("an anchor was cancelled or posted: replaying from the start")
                        self._start_anew(rollbacks, self._network.later)
                        self._catch_up(session, newest)
                except BaseException:
                    self._start_anew(rollbacks)  # half an event is no state
                    raise
            return self._network

    def _start_anew(self, rollbacks: int, later: Later | None = None) -> None:
        self._network = Network(self._domain, self._genesis, self._documents, later)
        self._rollbacks = rollbacks
        self._position = (-1, -1)
        self._block = -1

    def _catch_up(self, session: Session, newest: Block) -> None:
        while True:
            wanted = (
                select(Event)
                .where(tuple_(Event.block, Event.log_index) > self._position, col(Event.block) <= newest.number)
                .order_by(col(Event.block), col(Event.log_index))
                .limit(_ROWS)
            )
            rows = session.exec(wanted).all()
            for row in rows:
                apply(self._network, chain_event(row))
            if rows:
                self._position = (rows[-1].block, rows[-1].log_index)
            if len(rows) < _ROWS:
                break
            session.expunge_all()
        self._network.tick(newest.timestamp)
        self._network.block = self._block = newest.number

    def _late_documents(self, session: Session) -> bool:
        now = time.monotonic()
        if not self._network.missing or now - self._looked_for_late < _LATE_DOCUMENTS_EVERY:
            return False
        self._looked_for_late = now
        missing = list(self._network.missing)
        for at in range(0, len(missing), _ROWS):
            wanted = select(StoredDocument.digest).where(col(StoredDocument.digest).in_(missing[at : at + _ROWS]))
            if session.exec(wanted.limit(1)).first() is not None:
                return True
        return False


def chain_event(row: Event) -> ChainEvent:
    """The event of a row."""
    args = args_from_json(row.args)
    return ChainEvent(row.block, row.log_index, row.timestamp, row.contract, row.name, args, row.transaction)
