# SPDX-License-Identifier: Apache-2.0
"""A store offered to others over HTTP: the server's half, without a web framework.

    GET    /blocks/{cid}     200, the block as application/octet-stream
    HEAD   /blocks/{cid}     200, Content-Length
    PUT    /blocks/{cid}     204; the body is the block
    POST   /blocks/missing   200; JSON list of at most 1,000 CIDs -> those that are not here
    POST   /pins/{cid}       204; every block of the file is here, and stays

Only what this store itself holds is served, never what its network could find. Errors: `http_status`.
"""

import threading
import time
from collections.abc import Callable, Sequence

from inferix.errors import (
    Conflict,
    Corrupt,
    InferixError,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Refused,
    Unavailable,
)
from inferix.storage.blobs import OwnedStore
from inferix.storage.cid import Cid
from inferix.storage.dag import MAX_BLOCK, stored_size
from inferix.storage.errors import BlockMissing, QuotaExceeded, StorageFull, TooLarge
from inferix.units import Seconds

MAX_ASKED = 1_000
DAY = Seconds(86_400)
_STATUS: tuple[tuple[type[InferixError], int], ...] = (
    (QuotaExceeded, 429),
    (StorageFull, 507),
    (LimitExceeded, 413),
    (InvalidInput, 422),
    (Corrupt, 422),
    (NotFound, 404),
    (Refused, 403),
    (Conflict, 409),
    (Unavailable, 503),
)


def http_status(error: InferixError) -> int:
    """The HTTP status for an error of a store; 429 and 503 may carry ``retry_after`` for a Retry-After header."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


class Quota:
    """Bytes that one caller may store in a window of time. Counted in this process, from the caller's first byte on."""

    def __init__(self, limit: int, window: Seconds = DAY, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._used: dict[str, tuple[float, int]] = {}  # caller -> end of its window, bytes in it; oldest first
        self._lock = threading.Lock()

    def charge(self, caller: str, size: int) -> None:
        """Counts ``size`` bytes against the caller, or raises QuotaExceeded and counts nothing."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            end, used = self._used.get(caller, (now + self._window, 0))
            if used + size > self._limit:
                wait = max(1, int(end - now) + 1)
                raise QuotaExceeded(
                    f"{used:,} of {self._limit:,} bytes are used; {size:,} more fit in {wait} s", retry_after=wait
                )
            self._used[caller] = (end, used + size)

    def _forget(self, now: float) -> None:
        for caller, (end, _) in list(self._used.items()):
            if end > now:
                break
            del self._used[caller]


class BlockService:
    """What the block routes call; takes CIDs as text, raises InferixError.

    ``quota``: for put, by caller. ``max_file``: bytes of all blocks of a pinned file. ``max_block``: bytes of a body.
    """

    def __init__(self, store: OwnedStore, *, quota: Quota, max_file: int, max_block: int = MAX_BLOCK) -> None:
        self.max_block = max_block
        self._store = store
        self._quota = quota
        self._max_file = max_file

    def get(self, cid: str) -> bytes:
        """The block."""
        name = Cid.parse(cid)
        self._held(name)
        return self._store.get_block(name)

    def head(self, cid: str) -> int:
        """Bytes of the block."""
        return self._held(Cid.parse(cid))

    def put(self, cid: str, body: bytes, caller: str) -> None:
        """Keeps a block for a caller; one that is here already costs it nothing. Raises TooLarge, BlockCorrupt, ..."""
        name = Cid.parse(cid)
        if len(body) > self.max_block:
            raise TooLarge(f"a block has at most {self.max_block:,} bytes; cut the file as `ipfs add` does")
        name.verify(body)
        if self._store.missing([name]):
            self._quota.charge(caller, len(body))
            self._store.put_block(name, body)

    def missing(self, cids: Sequence[str]) -> list[str]:
        """Those of the CIDs whose blocks are not here."""
        if len(cids) > MAX_ASKED:
            raise TooLarge(f"ask for at most {MAX_ASKED:,} blocks at once, not {len(cids):,}")
        return [str(cid) for cid in self._store.missing([Cid.parse(cid) for cid in cids])]

    def pin(self, cid: str) -> None:
        """Keeps a file whose blocks are all here. Raises BlockMissing, TooLarge or MalformedFile."""
        root = Cid.parse(cid)
        stored_size(root, self._get_held, self._held, self._max_file)
        self._store.pin(root)

    def _get_held(self, cid: Cid) -> bytes:
        self._held(cid)
        return self._store.get_block(cid)

    def _held(self, cid: Cid) -> int:
        size = self._store.block_size(cid)
        if size is None:
            raise BlockMissing(f"{cid} is not here; put it first, or ask another store")
        return size
