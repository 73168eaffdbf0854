# SPDX-License-Identifier: Apache-2.0
"""Mirrors the contracts' events into the database: blocks that are final, in order, with the documents they name.

A range of blocks, its events, their documents and the cursor are one database transaction, so a keeper that dies at any
line goes on where it was. Each block's parent is checked; blocks that are no longer the chain's are taken back. A
document that is not to be had at once does not hold up the chain: its event is kept, ``cycle_documents`` goes on asking
for it, and who follows the database replays when it arrives.
"""

import logging
import threading
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import delete, exists
from sqlmodel import Session, col, select

from inferix.chain.client import ChainClient, Header, RawLog
from inferix.chain.deployment import Deployment
from inferix.chain.errors import BlockUnknown, ChainUnavailable, RangeTooLarge, Reorganised, RpcError, WrongChain
from inferix.chain.events import decode_logs
from inferix.errors import Misconfigured
from inferix.models.event import ChainEvent
from inferix.storage.database import Database
from inferix.storage.event_json import args_to_json
from inferix.storage.follower import Follower
from inferix.storage.tables import Block, Event, MirrorState, StoredDocument
from keepers.documents import Fetcher, Named, named_documents

log = logging.getLogger(__name__)

MAX_RANGE = 2_000  # blocks in one question
KEPT_BLOCKS = 512  # without events; also the deepest reorganisation that is found exactly
_NEAR_HEAD = 64  # where an endpoint may still lack blocks that another has
_STEP_BACK = 50


@dataclass(slots=True)
class Finality:
    """Up to which block the chain is taken for final. ``confirmations``: None takes the chain's own word."""

    client: ChainClient
    confirmations: int | None = None
    _has_answered: bool = field(default=False, init=False)

    def head(self) -> int:
        """The newest final block's number. Misconfigured when the chain has no finality of its own, ChainUnavailable
        when it had one before."""
        if self.confirmations is not None:
            return self.client.block_number() - self.confirmations
        try:
            found = self.client.header("finalized").number
            self._has_answered = True
            return found
        except (RpcError, BlockUnknown) as error:
            if self._has_answered:
                raise ChainUnavailable(f"the endpoint does not say now which block is final: {error}") from error
            raise Misconfigured(
                f"the endpoint does not say which block is final ({error}): set the number of confirmations"
            ) from error


class Mirror:
    """``cycle`` brings the database up to the newest final block."""

    def __init__(
        self,
        client: ChainClient,
        deployment: Deployment,
        database: Database,
        fetcher: Fetcher,
        finality: Finality,
        *,
        document_seconds: float = 3.0,
        stop: threading.Event | None = None,
    ) -> None:
        self._client = client
        self._deployment = deployment
        self._database = database
        self._fetcher = fetcher
        self._finality = finality
        self._document_seconds = document_seconds
        self._stop = stop or threading.Event()
        self._addresses = deployment.mirrored()
        self._range = 100
        self._lacked: set[bytes] = set()

    def prepare(self) -> None:
        """Marks the database as this chain's; WrongChain when it is another's."""
        registry = self._deployment["NodeRegistry"].address
        with self._database.session() as session:
            state = session.get(MirrorState, 1)
            if state is None:
                session.add(MirrorState(chain_id=self._client.chain_id, contract=registry))
            elif (state.chain_id, state.contract) != (self._client.chain_id, registry):
                raise WrongChain(
                    f"the database {self._database.name} mirrors the deployment {state.contract} on chain "
                    f"{state.chain_id}: name another database, or the right deployment"
                )

    def cycle(self) -> None:
        """Takes all final blocks that are not mirrored yet."""
        head = self._finality.head()
        while not self._stop.is_set():
            cursor = self._cursor()
            start = cursor.number + 1 if cursor else self._deployment.block
            if start > head:
                return
            try:
                self._advance(cursor, start, min(head, start + self._range - 1), head)
            except RangeTooLarge:
                if self._range == 1:
                    raise
                self._range = max(1, self._range // 2)
                continue
            self._range = min(MAX_RANGE, self._range * 2)

    def cycle_documents(self, follower: Follower) -> None:
        """Keeps the documents that came late, and asks again for those that the state lacks."""
        with follower.reading() as network:
            missing = dict(network.missing)
        found = self._fetcher.late()
        wanted = [Named(digest, by) for digest, by in missing.items() if digest not in found]
        found |= self._fetcher.fetch(wanted, self._document_seconds)
        if found:
            with self._database.session() as session:
                _keep_documents(session, found)
        still = missing.keys() - found.keys()
        if still - self._lacked:
            log.warning("%d documents named on chain are not in storage, %s among them", len(still), min(still).hex())
        self._lacked = still

    # -- one range

    def _advance(self, cursor: Block | None, start: int, end: int, head: int) -> None:
        headers = self._client.headers(start, end)
        if cursor is not None and headers[0].parent != cursor.hash:
            self._roll_back()
            return
        for before, after in pairwise(headers):
            if after.parent != before.hash:
                raise Reorganised(f"block {after.number} does not follow block {before.number}: reading again")
        by_number = {header.number: header for header in headers}
        logs = self._logs(headers, head)
        events = decode_logs(self._deployment, logs, by_number)
        wanted = [named for event in events for named in named_documents(event)]
        with self._database.reading() as session:
            known = _known(session, {named.digest for named in wanted})
        new = [named for named in wanted if named.digest not in known]
        documents = self._fetcher.fetch(new, self._document_seconds)
        self._write(headers, events, documents)
        if events or end == head:
            log.debug("mirrored blocks %d to %d: %d events, %d documents", start, end, len(events), len(documents))

    def _logs(self, headers: list[Header], head: int) -> list[RawLog]:
        """The range's logs; near the head a block that should have some, by its bloom filter, is asked by its hash."""
        logs = self._client.logs(self._addresses, headers[0].number, headers[-1].number)
        by_number = {header.number: header for header in headers}
        for entry in logs:
            header = by_number.get(entry.block)
            if header is None or header.hash != entry.block_hash:
                raise Reorganised(f"a log of block {entry.block} is of another block than its header: reading again")
        seen = {entry.block for entry in logs}
        for header in headers:
            if header.number <= head - _NEAR_HEAD or header.number in seen:
                continue
            if any(header.may_have_logs_of(address) for address in self._addresses):
                logs += self._client.logs_of_block(self._addresses, header.hash)
        return sorted(logs, key=lambda entry: (entry.block, entry.index))

    def _write(self, headers: list[Header], events: list[ChainEvent], documents: dict[bytes, bytes]) -> None:
        last = headers[-1].number
        with_events = {event.block for event in events}
        with self._database.session() as session:
            for header in headers:
                if header.number > last - KEPT_BLOCKS or header.number in with_events:
                    session.add(
                        Block(number=header.number, hash=header.hash, parent=header.parent, timestamp=header.timestamp)
                    )
            session.add_all(
                Event(
                    block=event.block,
                    log_index=event.log_index,
                    timestamp=event.timestamp,
                    contract=event.contract,
                    name=event.name,
                    args=args_to_json(event.args),
                    transaction=event.transaction,
                )
                for event in events
            )
            _keep_documents(session, documents)
            bare = ~exists().where(col(Event.block) == col(Block.number))
            # Those before were looked at when the blocks before these were written.
            old = col(Block.number).between(headers[0].number - 1 - KEPT_BLOCKS, last - KEPT_BLOCKS)
            session.connection().execute(delete(Block).where(old, bare))

    # -- taking back

    def _roll_back(self) -> None:
        """Takes back the blocks that are no longer the chain's."""
        common = self._common_block()
        with self._database.session() as session:
            state = session.get(MirrorState, 1)
            assert state is not None
            state.rollbacks += 1
            session.add(state)
            session.connection().execute(delete(Event).where(col(Event.block) > common))
            session.connection().execute(delete(Block).where(col(Block.number) > common))
        log.warning("the chain was reorganised: took back everything after block %d", common)

    def _common_block(self) -> int:
        """The newest mirrored block that the chain still has."""
        newest = None
        while True:
            wanted = select(Block).order_by(col(Block.number).desc()).limit(_STEP_BACK)
            if newest is not None:
                wanted = wanted.where(col(Block.number) < newest)
            with self._database.reading() as session:
                rows = session.exec(wanted).all()
            if not rows:
                raise WrongChain(
                    f"no block in the database {self._database.name} is on this chain: it mirrors another one, or this "
                    "one was started anew. Name another database, or delete this one"
                )
            for row in rows:
                try:
                    if self._client.header(row.number).hash == row.hash:
                        return row.number
                except BlockUnknown:
                    continue
            newest = rows[-1].number

    def _cursor(self) -> Block | None:
        with self._database.reading() as session:
            return session.exec(select(Block).order_by(col(Block.number).desc()).limit(1)).first()


def _known(session: Session, digests: set[bytes]) -> set[bytes]:
    wanted = sorted(digests)
    found: set[bytes] = set()
    for at in range(0, len(wanted), 500):
        rows = select(StoredDocument.digest).where(col(StoredDocument.digest).in_(wanted[at : at + 500]))
        found.update(session.exec(rows))
    return found


def _keep_documents(session: Session, documents: dict[bytes, bytes]) -> None:
    known = _known(session, set(documents))
    session.add_all(
        StoredDocument(digest=digest, body=body) for digest, body in documents.items() if digest not in known
    )
