# SPDX-License-Identifier: Apache-2.0
"""The documents that events name: which, and fetching them from storage within a time limit."""

import hashlib
import logging
import time
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

from inferix.errors import InferixError
from inferix.messages import ORDER_RECORD
from inferix.models.anchor import AccountsData, BatchData, RosterData
from inferix.models.document import MAX_DOCUMENT
from inferix.models.event import ChainEvent
from inferix.storage import BlobStore, Cid, Codec

log = logging.getLogger(__name__)

_SPEC = slice(12, 44)  # of an order record
_AT_ONCE = 8


def named_digests(event: ChainEvent) -> Iterator[bytes]:
    """The documents that an event names itself; further chunks are named by the first."""
    match event.name:
        case "Anchored" | "RosterPosted" | "AccountsPosted":
            yield event.args["data"]
        case "Proposed" if event.args["header"]["sequence"]:  # a batch that stands alone is in the log itself
            yield event.args["header"]["data"]
        case "OrdersPosted":
            records = event.args["records"]
            for at in range(0, len(records) - ORDER_RECORD + 1, ORDER_RECORD):
                yield records[at : at + ORDER_RECORD][_SPEC]


def chunk_digests(body: bytes) -> list[bytes]:
    """The further chunks that a document names, if it is the first of several."""
    if b'"chunks":["' not in body:
        return []
    for kind in (BatchData, RosterData, AccountsData):
        with suppress(InferixError):
            return list(kind.decode(body).chunks)
    return []


class Fetcher:
    """Documents out of a store that may be slow: several at once, never waited for longer than asked."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="document")
        self._busy: set[bytes] = set()

    def fetch(self, digests: Iterable[bytes], seconds: float) -> dict[bytes, bytes]:
        """Those that could be had in time, checked, with the chunks that they name. The others: ask again later."""
        until = time.monotonic() + seconds
        found: dict[bytes, bytes] = {}
        wanted = set(digests)
        while wanted:
            arrived = self._fetch(wanted, until - time.monotonic())
            found |= arrived
            wanted = {chunk for body in arrived.values() for chunk in chunk_digests(body)} - found.keys()
        return found

    def _fetch(self, digests: Collection[bytes], seconds: float) -> dict[bytes, bytes]:
        idle = [digest for digest in digests if digest not in self._busy]
        self._busy.update(idle)
        futures = {self._pool.submit(self._get, digest): digest for digest in idle}
        done, _ = wait(futures, timeout=max(0.0, seconds))
        return {futures[future]: body for future in done if (body := future.result()) is not None}

    def _get(self, digest: bytes) -> bytes | None:
        try:
            body = self._store.get_block(Cid(Codec.RAW, digest))
        except InferixError as error:
            log.info("document %s is not to be had: %s", digest.hex(), error)
            return None
        finally:
            self._busy.discard(digest)
        if len(body) > MAX_DOCUMENT or hashlib.sha256(body).digest() != digest:
            log.warning("document %s: the store's %d bytes are not it", digest.hex(), len(body))
            return None
        return body

    def close(self) -> None:
        """Lets go of fetches that are under way."""
        self._pool.shutdown(wait=False, cancel_futures=True)
