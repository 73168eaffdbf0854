# SPDX-License-Identifier: Apache-2.0
"""The documents that events name: which, and fetching them from storage within a time limit.

Anybody may name, for gas alone, what nobody has, and a store that asks its network waits long for it. So the own store
is looked at first; what a bond stands behind and what not wait in queues of their own; in each, everybody's are fetched
in turn; and what was not found is tried more and more rarely.
"""

import hashlib
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from inferix.errors import InferixError
from inferix.messages import ORDER_RECORD
from inferix.models.anchor import AccountsData, BatchData, RosterData
from inferix.models.document import MAX_DOCUMENT
from inferix.models.event import ChainEvent, NamedBy
from inferix.storage import BlobStore
from inferix.storage.cid import Cid
from inferix.storage.documents import document_cid
from inferix.units import Seconds

log = logging.getLogger(__name__)

_SPEC = slice(12, 44)  # of an order record
_THREADS = 8
_LOOK_THREADS = 4
_UNBACKED_SECONDS = Seconds(10)  # to find one that no bond stands behind
_MAX_WAITING = 1_000  # of one poster or account
_FIRST_PAUSE = 2.0  # seconds before a further try; each is twice the one before, up to the longest
_LONGEST_PAUSE = {True: 600.0, False: 3_600.0}  # by whether a bond stands behind it
_MAX_LATE = 256  # a quarter of a MiB each


@dataclass(frozen=True, slots=True)
class Named:
    """A document that is wanted. ``kind``: of one that may name chunks of its own kind."""

    digest: bytes
    by: NamedBy
    kind: type[BatchData | RosterData | AccountsData] | None = None


def named_documents(event: ChainEvent) -> Iterator[Named]:
    """The documents that an event names itself; further chunks are named by the first."""
    args = event.args
    match event.name:
        case "Anchored":
            yield Named(args["data"], NamedBy(args["manager"]))
        case "RosterPosted":
            yield Named(args["data"], NamedBy(args["manager"]), RosterData)
        case "AccountsPosted":
            yield Named(args["data"], NamedBy(args["manager"]), AccountsData)
        case "Proposed" if args["header"]["sequence"]:  # a batch that stands alone is in the log itself
            yield Named(args["header"]["data"], NamedBy(args["header"]["manager"]), BatchData)
        case "OrdersPosted":
            records, by = args["records"], NamedBy(args["poster"], is_backed=False)
            for at in range(0, len(records) - ORDER_RECORD + 1, ORDER_RECORD):
                yield Named(records[at : at + ORDER_RECORD][_SPEC], by)


def _chunks(first: Named, body: bytes) -> list[Named]:
    if first.kind is not None:
        with suppress(InferixError):
            return [Named(digest, first.by) for digest in first.kind.decode(body).chunks]
    return []


class _Turns:
    """Threads that do a piece of work for each in turn: who has much of it waits for itself."""

    def __init__(self, threads: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._queues: dict[NamedBy, deque[Callable[[], None]]] = {}  # the first is the next

    def submit(self, by: NamedBy, work: Callable[[], None]) -> None:
        with self._lock:
            self._queues.setdefault(by, deque()).append(work)
        self._pool.submit(self._next)

    def waiting(self, by: NamedBy) -> int:
        """Pieces of one that nobody has begun."""
        with self._lock:
            return len(self._queues.get(by, ()))

    def _next(self) -> None:
        with self._lock:
            by = next(iter(self._queues))
            queue = self._queues.pop(by)
            work = queue.popleft()
            if queue:
                self._queues[by] = queue
        work()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Fetcher:
    """Documents out of a store that may be slow: several at once, never waited for longer than asked."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._looks = _Turns(_LOOK_THREADS, "look")
        self._fetches = {True: _Turns(_THREADS, "backed"), False: _Turns(_THREADS, "unbacked")}
        self._lock = threading.RLock()
        # By digest and whether it is backed: when it may be asked for again, and the pause after that
        self._tries: dict[tuple[bytes, bool], tuple[float, float]] = {}
        self._late: dict[bytes, bytes] = {}

    def fetch(self, wanted: Iterable[Named], seconds: float) -> dict[bytes, bytes]:
        """Those that could be had in time, checked, with the chunks that they name. The others: ask again; whether it
        is time to try again is known here. What comes after the time is in ``late``."""
        until = time.monotonic() + seconds
        arrived = self._fetch(wanted, until)
        chunks = {chunk for named, body in arrived.items() for chunk in _chunks(named, body)}
        return {named.digest: body for named, body in (arrived | self._fetch(chunks, until)).items()}

    def late(self) -> dict[bytes, bytes]:
        """What came since the last call and nobody waited for any more."""
        with self._lock:
            late, self._late = self._late, {}
        return late

    def close(self) -> None:
        """Lets go of fetches that are under way."""
        for turns in (self._looks, *self._fetches.values()):
            turns.close()

    def _fetch(self, wanted: Iterable[Named], until: float) -> dict[Named, bytes]:
        asked = {future: named for named in wanted if (future := self._ask(named)) is not None}
        done, late = wait(asked, timeout=max(0.0, until - time.monotonic()))
        for future in late:
            future.add_done_callback(partial(self._keep_late, asked[future].digest))
        return {asked[future]: body for future in done if (body := future.result()) is not None}

    def _keep_late(self, digest: bytes, future: Future[bytes | None]) -> None:
        body = future.result()
        with self._lock:
            if body is not None and len(self._late) < _MAX_LATE:
                self._late[digest] = body

    def _ask(self, named: Named) -> Future[bytes | None] | None:
        """None: it is under way, has come late, was tried just now, or too many of theirs wait."""
        by, key = named.by, (named.digest, named.by.is_backed)
        waiting = self._looks.waiting(by) + self._fetches[by.is_backed].waiting(by)
        if waiting >= _MAX_WAITING and not by.is_backed:
            return None
        with self._lock:
            at, pause = self._tries.get(key, (0.0, _FIRST_PAUSE))
            if at > time.monotonic() or named.digest in self._late:
                return None
            self._tries[key] = math.inf, pause
        future: Future[bytes | None] = Future()
        self._looks.submit(by, partial(self._look, named, future))
        return future

    def _look(self, named: Named, future: Future[bytes | None]) -> None:
        body = self._checked(named, self._own)
        if body is not None:
            self._end(named, future, body)
        else:
            self._fetches[named.by.is_backed].submit(named.by, partial(self._try, named, future))

    def _try(self, named: Named, future: Future[bytes | None]) -> None:
        get = self._store.get_block if named.by.is_backed else self._soon
        self._end(named, future, self._checked(named, get))

    def _own(self, cid: Cid) -> bytes | None:
        return self._store.get_block(cid) if self._store.has_block(cid) else None

    def _soon(self, cid: Cid) -> bytes:
        return self._store.get_block_within(cid, _UNBACKED_SECONDS)

    def _end(self, named: Named, future: Future[bytes | None], body: bytes | None) -> None:
        key = named.digest, named.by.is_backed
        with self._lock:
            _, pause = self._tries.pop(key)
            if body is None:
                self._tries[key] = time.monotonic() + pause, min(_LONGEST_PAUSE[named.by.is_backed], 2 * pause)
            future.set_result(body)

    def _checked(self, named: Named, get: Callable[[Cid], bytes | None]) -> bytes | None:
        name = named.digest.hex()
        try:
            body = get(document_cid(named.digest))
        except InferixError as error:
            log.info("document %s is not to be had: %s", name, error)
            return None
        except Exception:  # or it would be under way for ever
            log.exception("document %s: its store failed", name)
            return None
        if body is not None and (len(body) > MAX_DOCUMENT or hashlib.sha256(body).digest() != named.digest):
            log.warning("document %s: the store's %d bytes are not it", name, len(body))
            return None
        return body
