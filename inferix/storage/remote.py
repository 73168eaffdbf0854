# SPDX-License-Identifier: Apache-2.0
"""A store behind another program's HTTP routes: the client's half of `inferix.storage.service`.

Nothing is sent that the server has, and every block stands for itself: a transfer that was cut off is simply done again
and costs what was missing. Answers 429 and 5xx and cut connections are waited out; what arrives is checked.
"""

import io
import json
import os
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from typing import Any

import httpx

from inferix.errors import Misconfigured
from inferix.storage.blobs import BlobStore
from inferix.storage.cid import Cid, Codec
from inferix.storage.dag import MAX_BLOCK, Block, Source, blocks_of, checked_block
from inferix.storage.errors import (
    BlockCorrupt,
    BlockMissing,
    StorageError,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
    TooLarge,
)
from inferix.units import Seconds

Progress = Callable[[int, int | None], None]
"""Called with the bytes of the file that are done and, where known, all of them."""

BATCH = 64  # blocks asked for at once: 16 MiB in memory
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
DEFAULT_TIMEOUT = Seconds(30)
_LONG_TIMEOUT = 600.0  # pinning walks the server's disk
_MAX_ANSWER = 1024 * 1024
_RETRIED = frozenset((408, 425, 429, 500, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes


class HttpStore(BlobStore):
    """Blocks at ``base_url``.

    ``client``: an httpx.Client with the caller's authentication, if the server wants any; it is not closed here.
    ``attempts``: tries of one request, with pauses of 0.5 s, 1 s, 2 s ... between; ``timeout``: seconds without a byte.
    ``parallel``: requests under way at once.
    """

    def __init__(
        self,
        base_url: str,
        *,
        client: httpx.Client | None = None,
        attempts: int = 8,
        timeout: Seconds = DEFAULT_TIMEOUT,
        parallel: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = _checked_address(base_url)
        self._client = client or httpx.Client()
        self._owns_client = client is None
        self._attempts = attempts
        self._timeout = timeout
        self._parallel = parallel
        self._sleep = sleep
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="blocks")

    def get_block(self, cid: Cid) -> bytes:
        answer = self._call("GET", f"/blocks/{cid}", limit=MAX_BLOCK)
        return checked_block(cid, answer.body)

    def put_block(self, cid: Cid, data: bytes) -> None:
        checked_block(cid, data)
        self._call("PUT", f"/blocks/{cid}", content=data, headers={"Content-Type": "application/octet-stream"})

    def missing(self, cids: Sequence[Cid]) -> list[Cid]:
        absent: set[str] = set()
        for start in range(0, len(cids), BATCH):
            answer = self._call("POST", "/blocks/missing", json=[str(cid) for cid in cids[start : start + BATCH]])
            absent.update(_strings(answer.body))
        return [cid for cid in cids if str(cid) in absent]

    def has_block(self, cid: Cid) -> bool:
        try:
            self._call("HEAD", f"/blocks/{cid}")
        except BlockMissing:
            return False
        return True

    def pin(self, cid: Cid) -> None:
        self._call("POST", f"/pins/{cid}", timeout=_LONG_TIMEOUT)

    def fetch(self, cids: Sequence[Cid]) -> Iterator[bytes]:
        ahead: deque[Future[bytes]] = deque()
        waiting = iter(cids)
        try:
            for cid in islice(waiting, self._parallel):
                ahead.append(self._pool.submit(self.get_block, cid))
            while ahead:
                block = ahead.popleft().result()
                for cid in islice(waiting, 1):
                    ahead.append(self._pool.submit(self.get_block, cid))
                yield block
        finally:
            for future in ahead:
                future.cancel()

    def add(self, source: Source, progress: Progress | None = None) -> Cid:
        """Stores a stream as a file and gives its root; sends only what the server lacks. Does not pin it."""
        total = _length(source)
        done = 0
        blocks = blocks_of(source)
        while batch := list(islice(blocks, BATCH)):
            self._send(batch)
            root = batch[-1].cid
            done += sum(len(block.data) for block in batch if block.cid.codec is Codec.RAW)
            if progress is not None:
                progress(done, total)
        return root

    def open(self, cid: Cid, max_size: int, progress: Progress | None = None) -> Iterator[bytes]:
        pieces = super().open(cid, max_size)
        return pieces if progress is None else _watched(pieces, self.stat(cid).size, progress)

    def close(self) -> None:
        """Ends the threads of this store; requests under way are finished, others dropped."""
        self._pool.shutdown(cancel_futures=True)
        if self._owns_client:
            self._client.close()

    def _send(self, batch: Sequence[Block]) -> None:
        absent = set(self.missing([block.cid for block in batch]))
        sent = [
            self._pool.submit(self.put_block, block.cid, block.data)
            for block in {block.cid: block for block in batch if block.cid in absent}.values()
        ]
        try:
            for future in sent:
                future.result()
        finally:
            for future in sent:
                future.cancel()
            wait(sent)  # a call that failed leaves nothing under way

    def _call(self, method: str, path: str, **request: Any) -> _Answer:
        """One request, repeated while that makes sense. Raises StorageError for every answer but success."""
        for attempt in range(1, self._attempts + 1):
            retry_after: int | None = None
            try:
                answer = self._request(method, path, **request)
            except httpx.TransportError as error:
                trouble = f"{type(error).__name__}: {error}"
            else:
                if answer.status < 300:
                    return answer
                if answer.status not in _RETRIED:
                    raise _refusal(answer, f"{method} {path}")
                retry_after = _retry_after(answer)
                trouble = f"status {answer.status}: {_message(answer) or 'no reason given'}"
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311
            if attempt == self._attempts or (retry_after or 0) > LONGEST_PAUSE:
                break
            self._sleep(max(pause, retry_after or 0))
        raise StorageUnavailable(
            f"{method} {path} at {self._base_url} failed {attempt} times, last with {trouble}; try again later",
            retry_after,
        )

    def _request(
        self, method: str, path: str, *, limit: int = _MAX_ANSWER, timeout: float | None = None, **request: Any
    ) -> _Answer:
        inactivity = httpx.Timeout(self._timeout, read=timeout or self._timeout)
        headers = {"Accept-Encoding": "identity", **request.pop("headers", {})}
        deadline = time.monotonic() + 10 * self._timeout + (timeout or 0)
        url = self._base_url + path
        with self._client.stream(method, url, headers=headers, timeout=inactivity, **request) as response:
            body = bytearray()
            for piece in response.iter_raw():
                body += piece
                if len(body) > limit:
                    says = f"{method} {path} answers with more than {limit:,} bytes; use another server"
                    raise StorageUnavailable(says)  # not TooLarge, which a verifier would hold against the file
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer trickles in too slowly")
            return _Answer(response.status_code, response.headers, bytes(body))


def _checked_address(base_url: str) -> str:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise Misconfigured(f"{base_url!r} is not an HTTP address; write it like http://127.0.0.1:8000")
    return base_url.rstrip("/")


def _refusal(answer: _Answer, request: str) -> StorageError:
    text = f"{request}: {_message(answer) or f'status {answer.status}'}"
    kinds: dict[int, type[StorageError]] = {404: BlockMissing, 413: TooLarge, 422: BlockCorrupt, 507: StorageFull}
    return kinds.get(answer.status, StorageRefused)(text)


def _message(answer: _Answer) -> str:
    """The server's own words, from ``{"error": {"code": ..., "message": ...}}``."""
    try:
        return str(json.loads(answer.body)["error"]["message"])[:300]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def _retry_after(answer: _Answer) -> int | None:
    text = answer.headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _strings(body: bytes) -> Iterable[str]:
    try:
        listed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StorageUnavailable("the server does not answer with a list of CIDs; is this its address?") from error
    if not isinstance(listed, list):
        raise StorageUnavailable("the server does not answer with a list of CIDs; is this its address?")
    return (str(item) for item in listed)


def _length(source: Source) -> int | None:
    """Bytes still to come, where the source can tell."""
    if isinstance(source, bytes):
        return len(source)
    if isinstance(source, io.IOBase) and source.seekable():
        here = source.tell()
        size = source.seek(0, os.SEEK_END) - here
        source.seek(here)
        return size
    return None


def _watched(pieces: Iterator[bytes], total: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        done += len(piece)
        progress(done, total)
        yield piece
