# SPDX-License-Identifier: Apache-2.0
"""Against a real IPFS node: the same names as its own, and files that it laid out in its other ways."""

import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from devnet.kubo import Kubo, find_kubo
from inferix.errors import Misconfigured
from inferix.storage import OwnedStore, open_owned_store, open_store
from inferix.storage.cid import Cid, Codec
from inferix.storage.dag import CHUNK_SIZE, MAX_LINKS, Readable, blocks_of
from inferix.storage.errors import BlockCorrupt, BlockMissing, MalformedFile, StorageError, StorageUnavailable, TooLarge
from inferix.storage.kubo import KuboStore
from inferix.storage.remote import HttpStore
from inferix.units import Seconds

pytestmark = pytest.mark.integration
Content = Callable[..., bytes]


def ipfs(node: Kubo, *arguments: str, given: bytes | None = None) -> bytes:
    command = [find_kubo(), "--api", node.api, *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def added(node: Kubo, data: bytes, *options: str) -> str:
    return ipfs(node, "add", "-Q", "--cid-version=1", *options, given=data).decode().strip()


@pytest.mark.parametrize(
    "size",
    [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, MAX_LINKS * CHUNK_SIZE, MAX_LINKS * CHUNK_SIZE + 1, 45_000_000],
)
def test_root__is_the_node_s_own(kubo: Kubo, content: Content, size: int) -> None:
    data = content(size)
    *_, root = blocks_of(data)
    assert added(kubo, data, "--raw-leaves", "--only-hash") == str(root.cid)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_root__file_of_four_levels__is_the_node_s_own(kubo: Kubo) -> None:
    size = MAX_LINKS**2 * CHUNK_SIZE + 1  # 7.9 GB

    class Zeros(Readable):
        left = size

        def read(self, size: int, /) -> bytes:
            piece = bytes(min(size, self.left))
            self.left -= len(piece)
            return piece

    (last,) = deque(blocks_of(Zeros()), maxlen=1)
    command = f"head -c {size} /dev/zero | {find_kubo()} --api {kubo.api} add -Q -n --cid-version=1 --raw-leaves"
    assert subprocess.check_output(command, shell=True).decode().strip() == str(last.cid)


def test_add__readable_by_the_node_s_own_programs(kubo: Kubo, kubo_store: OwnedStore, content: Content) -> None:
    data = content(10 * CHUNK_SIZE + 3)
    root = kubo_store.add(data)
    kubo_store.pin(root)
    assert ipfs(kubo, "cat", str(root)) == data
    assert str(root).encode() in ipfs(kubo, "pin", "ls", "--type=recursive")


@pytest.mark.parametrize(
    "options",
    [
        ("--raw-leaves=false",),
        ("--trickle",),
        ("--chunker=size-1048576",),
        ("--chunker=rabin-16384-65536-131072",),
        ("--chunker=buzhash", "--raw-leaves=false"),
        ("--inline=false", "--preserve-mode", "--preserve-mtime"),
    ],
)
def test_open__other_layouts_of_the_node__read(
    kubo: Kubo, kubo_store: OwnedStore, content: Content, options: tuple[str, ...], tmp_path: Path
) -> None:
    data = content(20_000_000)
    (tmp_path / "file").write_bytes(data)
    text = ipfs(kubo, "add", "-Q", "--cid-version=1", *options, str(tmp_path / "file")).decode().strip()
    root = Cid.parse(text)
    assert b"".join(kubo_store.open(root, len(data))) == data
    assert kubo_store.stat(root).size == len(data)


def test_open__directories_of_the_node__refused(kubo: Kubo, kubo_store: OwnedStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in a directory")
    plain = ipfs(kubo, "add", "-Qr", "--cid-version=1", str(tmp_path)).decode().strip()
    with pytest.raises(MalformedFile):
        kubo_store.open(Cid.parse(plain), 10**6)


def test_pins__of_other_kinds__passed_over(kubo: Kubo, kubo_store: OwnedStore) -> None:
    old = ipfs(kubo, "add", "-Q", "--cid-version=0", given=b"old style").decode().strip()
    assert old.startswith("Qm")
    root = kubo_store.add(b"ours")
    kubo_store.pin(root)
    assert list(kubo_store.pins()) == [root]


class Liar(BaseHTTPRequestHandler):
    """An RPC that answers every request with bytes that nobody asked for."""

    answer = b""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(self.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.mark.parametrize(
    ("size", "error"), [(0, BlockCorrupt), (5, BlockCorrupt), (2**21, BlockCorrupt), (2**26, TooLarge)]
)
def test_get_block__node_lies__refused(size: int, error: type[StorageError]) -> None:
    handler = type("Handler", (Liar,), {"answer": bytes(size)})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        store = KuboStore(f"/ip4/127.0.0.1/tcp/{server.server_port}/http")
        with pytest.raises(error):
            store.get_block(Cid.of(Codec.RAW, b"x"))
        server.shutdown()


def test_get_block_within__what_nobody_has__given_up_in_time(kubo: Kubo) -> None:
    store = KuboStore(kubo.api)
    root = store.add(b"here")
    assert store.get_block_within(root, Seconds(1)) == b"here"
    started = time.monotonic()
    with pytest.raises(BlockMissing):
        store.get_block_within(Cid.of(Codec.RAW, b"nobody has this"), Seconds(1))
    assert time.monotonic() - started < 20


def test_open_store__kubo_address(kubo: Kubo) -> None:
    assert isinstance(open_store(f"kubo:{kubo.api}/http"), KuboStore)
    assert isinstance(open_owned_store(f"kubo:{kubo.api}"), KuboStore)
    for address in ("", "127.0.0.1:5001", "/ip4/127.0.0.1/udp/5001", "http://127.0.0.1:5001"):
        with pytest.raises(Misconfigured, match="not like /ip4"):
            open_store(f"kubo:{address}")


def test_other_side_is_silent__unavailable_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        stores = (
            KuboStore(f"/ip4/127.0.0.1/tcp/{port}", timeout=Seconds(1)),
            HttpStore(f"http://127.0.0.1:{port}", timeout=Seconds(1), attempts=1),
        )
        for store in stores:
            started = time.monotonic()
            with pytest.raises(StorageUnavailable):
                store.get_block(Cid.of(Codec.RAW, b"x"))
            assert time.monotonic() - started < 20


def test_node_does_not_answer__unavailable_at_once() -> None:
    store = KuboStore("/ip4/127.0.0.1/tcp/1/http", timeout=Seconds(2))
    started = time.monotonic()
    for call in (store.get_block, store.has_block, store.pin, store.unpin):
        with pytest.raises(StorageUnavailable, match="is it running"):
            call(Cid.of(Codec.RAW, b"x"))
    with pytest.raises(StorageUnavailable):
        list(store.pins())
    assert time.monotonic() - started < 10
