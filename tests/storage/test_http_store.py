# SPDX-License-Identifier: Apache-2.0
"""The HTTP store against a real service; only the wire between them is made to fail."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from inferix.errors import Misconfigured
from inferix.storage.cid import Cid, Codec
from inferix.storage.dag import CHUNK_SIZE, MAX_BLOCK
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.errors import (
    BlockCorrupt,
    BlockMissing,
    StorageError,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
    TooLarge,
)
from inferix.storage.remote import HttpStore
from inferix.storage.service import BlockService, Quota

Content = Callable[..., bytes]
Handle = Callable[[httpx.Request], httpx.Response]
FILE = 5 * CHUNK_SIZE + 1
LEAF = Cid.of(Codec.RAW, b"leaf")


@dataclass
class Wire:
    """Passes requests on, or answers with the next planned failure; remembers what was asked."""

    handle: Handle
    failures: list[httpx.Response | Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.method)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        return self.handle(request)

    def store(self, **options: object) -> HttpStore:
        client = httpx.Client(transport=httpx.MockTransport(self))
        return HttpStore("http://store/", client=client, sleep=self.pauses.append, parallel=1, **options)


def reply(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=httpx.ByteStream(body))


@pytest.fixture
def service(embedded: EmbeddedStore) -> BlockService:
    return BlockService(embedded, quota=Quota(10**9), max_file=10**9)


@pytest.fixture
def wire(service: BlockService, handler: Callable[[BlockService], Handle]) -> Wire:
    return Wire(handler(service))


def test_add__cut_off__second_try_sends_only_what_is_missing(wire: Wire, content: Content) -> None:
    data = content(FILE)
    store = wire.store(attempts=1)
    handle, puts = wire.handle, 0

    def dies_at_the_fourth(request: httpx.Request) -> httpx.Response:
        nonlocal puts
        puts += request.method == "PUT"
        if puts == 4:
            raise httpx.WriteError("connection lost")
        return handle(request)

    wire.handle = dies_at_the_fourth
    with pytest.raises(StorageUnavailable, match="connection lost"):
        store.add(data)
    wire.handle, wire.asked = handle, []
    root = store.add(data)
    assert 0 < wire.asked.count("PUT") < 7
    wire.asked.clear()
    assert store.add(data) == root
    assert wire.asked == ["POST"]
    assert b"".join(store.open(root, FILE)) == data


def test_add__equal_chunks__sent_once(wire: Wire) -> None:
    wire.store().add(bytes(FILE - 1))
    assert wire.asked.count("PUT") == 2


@pytest.mark.parametrize(
    "failure",
    [
        reply(500),
        reply(502, b"<html>bad gateway"),
        reply(503),
        reply(504),
        reply(408),
        reply(429),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("silent"),
        httpx.RemoteProtocolError("cut connection"),
    ],
)
def test_call__passing_trouble__waited_out(
    wire: Wire, embedded: EmbeddedStore, failure: httpx.Response | Exception
) -> None:
    embedded.put_block(LEAF, b"leaf")
    wire.failures = [failure]
    assert wire.store().get_block(LEAF) == b"leaf"
    assert len(wire.pauses) == 1
    assert 0.25 <= wire.pauses[0] <= 0.5


def test_call__lasting_trouble__pauses_grow_then_gives_up(wire: Wire) -> None:
    wire.failures = [reply(503, b'{"error": {"code": "Unavailable", "message": "disk check"}}') for _ in range(9)]
    with pytest.raises(StorageUnavailable, match="failed 8 times, last with status 503: disk check"):
        wire.store().has_block(LEAF)
    assert len(wire.pauses) == 7
    assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(wire.pauses))


def test_call__server_names_a_wait__kept_if_short_told_if_long(wire: Wire) -> None:
    wire.failures = [reply(429, Retry_After="7")]
    with pytest.raises(BlockMissing):
        wire.store().get_block(LEAF)
    assert wire.pauses == [7]
    wire.failures = [reply(429, Retry_After="3600")]
    with pytest.raises(StorageUnavailable) as refusal:
        wire.store().get_block(LEAF)
    assert refusal.value.retry_after == 3_600
    assert wire.pauses == [7]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, StorageRefused),
        (400, StorageRefused),
        (401, StorageRefused),
        (403, StorageRefused),
        (404, BlockMissing),
        (413, TooLarge),
        (422, BlockCorrupt),
        (507, StorageFull),
    ],
)
def test_call__refusal__own_error_at_once_with_the_server_s_words(
    wire: Wire, status: int, error: type[StorageError]
) -> None:
    wire.failures = [reply(status, b'{"error": {"code": "X", "message": "sign in first"}}')]
    with pytest.raises(error, match=r"POST /pins/bafk\w+: sign in first"):
        wire.store().pin(LEAF)
    assert wire.pauses == []


@pytest.mark.parametrize("body", [b"", b"leaf!", b"LEAF", b"\x1f\x8b\x08\x00"])
def test_get_block__server_lies__refused(wire: Wire, body: bytes) -> None:
    wire.failures = [reply(200, body)]
    with pytest.raises(BlockCorrupt, match="do not hash"):
        wire.store().get_block(LEAF)


def test_get_block__endless_answer__cut_off(wire: Wire) -> None:
    sent = 0

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            nonlocal sent
            while True:
                sent += 65_536
                yield bytes(65_536)

    wire.failures = [httpx.Response(200, stream=Endless())]
    with pytest.raises(StorageUnavailable, match="use another server"):
        wire.store().get_block(LEAF)
    assert sent <= MAX_BLOCK + 2 * 65_536


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"\xff", b'"bafk"'])
def test_missing__not_a_list__refused(wire: Wire, body: bytes) -> None:
    wire.failures = [reply(200, body)]
    with pytest.raises(StorageUnavailable, match="is this its address"):
        wire.store().missing([LEAF])


def test_missing__server_names_others__ignored(wire: Wire) -> None:
    wire.failures = [reply(200, f'["{Cid.of(Codec.RAW, b"another")}", 7, null]'.encode())]
    assert wire.store().missing([LEAF]) == []


def test_progress__counts_bytes_of_the_file(wire: Wire, content: Content) -> None:
    data = content(70 * CHUNK_SIZE)
    reports: list[tuple[int, int | None]] = []

    def report(done: int, total: int | None) -> None:
        reports.append((done, total))

    store = wire.store()
    root = store.add(io.BytesIO(data), progress=report)
    assert reports == [(64 * CHUNK_SIZE, len(data)), (len(data), len(data))]
    reports.clear()
    store.add(iter([data]), progress=report)
    assert reports[-1] == (len(data), None)
    reports.clear()
    assert sum(map(len, store.open(root, len(data), progress=report))) == len(data)
    assert reports[0] == (CHUNK_SIZE, len(data))
    assert reports[-1] == (len(data), len(data))


def test_fetch__reads_ahead_but_not_far(wire: Wire, embedded: EmbeddedStore) -> None:
    cids = [embedded.add(bytes([n])) for n in range(20)]
    store = HttpStore("http://store", client=httpx.Client(transport=httpx.MockTransport(wire)), parallel=4)
    blocks = store.fetch(cids)
    assert next(blocks) == b"\x00"
    assert b"".join([next(blocks) for _ in range(9)]) == bytes(range(1, 10))
    blocks.close()
    store.close()
    assert 10 <= len(wire.asked) <= 14


def test_authentication__of_the_client_it_was_given(wire: Wire, embedded: EmbeddedStore) -> None:
    tokens: list[str | None] = []

    def handle(request: httpx.Request) -> httpx.Response:
        tokens.append(request.headers.get("Authorization"))
        return wire(request)

    client = httpx.Client(transport=httpx.MockTransport(handle), headers={"Authorization": "Bearer abc"})
    root = HttpStore("http://store", client=client).add(b"mine")
    assert embedded.get_block(root) == b"mine"
    assert set(tokens) == {"Bearer abc"}


@pytest.mark.parametrize("address", ["", "store", "ftp://store", "http://", "http://store:port"])
def test_address__not_http__refused(address: str) -> None:
    with pytest.raises(Misconfigured, match="not an HTTP address"):
        HttpStore(address)
