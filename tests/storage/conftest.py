# SPDX-License-Identifier: Apache-2.0
"""Stores of every kind, made anew for a test."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from devnet.kubo import Kubo, find_kubo
from devnet.kubo import kubo as run_kubo
from devnet.processes import NotInstalled
from inferix.errors import InferixError
from inferix.storage import BlobStore, OwnedStore
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.remote import HttpStore
from inferix.storage.service import BlockService, Quota, http_status

GIB = 2**30


@pytest.fixture(scope="session")
def content() -> Callable[..., bytes]:
    """``content(size, seed="inferix")``: the same bytes for the same seed, without a pattern."""

    def generate(size: int, seed: str = "inferix") -> bytes:
        return hashlib.shake_128(seed.encode()).digest(size)

    return generate


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


def answer(service: BlockService, method: str, path: str, body: bytes, caller: str = "client") -> Reply:
    """The block routes, without a framework."""
    try:
        match method, path.strip("/").split("/"):
            case "POST", ["blocks", "missing"]:
                return Reply(200, {}, json.dumps(service.missing(json.loads(body))).encode())
            case "GET", ["blocks", cid]:
                return Reply(200, {"Content-Type": "application/octet-stream"}, service.get(cid))
            case "HEAD", ["blocks", cid]:
                return Reply(200, {"Content-Length": str(service.head(cid))}, b"")
            case "PUT", ["blocks", cid]:
                service.put(cid, body, caller)
                return Reply(204, {}, b"")
            case "POST", ["pins", cid]:
                service.pin(cid)
                return Reply(204, {}, b"")
        return Reply(405, {}, b"")
    except InferixError as error:
        message = {"error": {"code": type(error).__name__, "message": str(error)}}
        retry_after = getattr(error, "retry_after", None)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return Reply(http_status(error), headers, json.dumps(message).encode())


@pytest.fixture(scope="session")
def handler() -> Callable[[BlockService], Callable[[httpx.Request], httpx.Response]]:
    """``handler(service)``: the service at the other end of an httpx.MockTransport, without a socket."""

    def over(service: BlockService) -> Callable[[httpx.Request], httpx.Response]:
        def handle(request: httpx.Request) -> httpx.Response:
            reply = answer(service, request.method, request.url.path, request.read())
            return httpx.Response(reply.status, headers=reply.headers, stream=httpx.ByteStream(reply.body))

        return handle

    return over


@pytest.fixture
def embedded(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path / "store", reserve=0)


@pytest.fixture
def serve() -> Iterator[Callable[[BlockService], str]]:
    """Puts a service on a loopback port and gives its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(service: BlockService) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                reply = answer(service, self.command, self.path, body)
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)

            do_GET = do_HEAD = do_PUT = do_POST = handle_any

            def log_message(self, format: str, *args: object) -> None:
                """The test's own output says enough."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubo]:
    """A real IPFS node without peers."""
    try:
        find_kubo()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    with run_kubo(tmp_path_factory.mktemp("kubo")) as node:
        yield node


@pytest.fixture
def kubo_store(kubo: Kubo) -> Iterator[OwnedStore]:
    from inferix.storage.kubo import KuboStore

    store = KuboStore(kubo.api)
    yield store
    for root in list(store.pins()):
        store.unpin(root)
    store.gc()


KINDS = [
    "embedded",
    "http",
    pytest.param("socket", marks=pytest.mark.integration),
    pytest.param("kubo", marks=pytest.mark.integration),
    pytest.param("socket-kubo", marks=pytest.mark.integration),
]


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest) -> Iterator[BlobStore]:
    """Every kind of store in turn; those that need a socket are integration tests."""
    owned = request.getfixturevalue("kubo_store" if request.param.endswith("kubo") else "embedded")
    if request.param in ("embedded", "kubo"):
        yield owned
        return
    service = BlockService(owned, quota=Quota(GIB), max_file=GIB)
    if request.param == "http":
        wire = httpx.MockTransport(request.getfixturevalue("handler")(service))
        remote = HttpStore("http://store", client=httpx.Client(transport=wire))
    else:
        remote = HttpStore(request.getfixturevalue("serve")(service))
    yield remote
    remote.close()


@pytest.fixture(params=["embedded", pytest.param("kubo_store", marks=pytest.mark.integration)])
def owned_store(request: pytest.FixtureRequest) -> OwnedStore:
    return request.getfixturevalue(request.param)
