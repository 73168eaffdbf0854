# SPDX-License-Identifier: Apache-2.0
"""A network in memory behind a node's real HTTP client: it checks every signature and keeps blocks in a real store."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from eth_account import Account

from inferix.errors import InferixError
from inferix.jobkeys import commitment, input_key
from inferix.messages import KINDS, Domain, Message, Request, recover, request_content
from inferix.models.document import Document
from inferix.models.job import JobSpec, QuoteRequest, RenderSettings, Task
from inferix.models.parameters import DEFAULTS, DEV_OVERRIDES
from inferix.models.work import Work
from inferix.sealing import JobKey, job_key, seal_key, seal_stream
from inferix.storage.cid import Cid, Codec
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.service import BlockService, Quota, http_status

DOMAIN = Domain(chain_id=31337, contract="0x" + "11" * 20)
START = 1_700_000_000
SCENE = b"SCENE studio"


@dataclass
class Received:
    """A message that the network has taken."""

    message: Message
    signature: bytes
    salt: bytes


class Network:
    """``nodes``: operator and public facts by id; ``work``: what each may do; ``received``: messages in order;
    ``signers``: managers, whose messages nodes pass on."""

    def __init__(self, folder: Path) -> None:
        self.store = EmbeddedStore(folder / "store", reserve=0)
        self.blocks = BlockService(self.store, quota=Quota(10**10), max_file=10**9)
        self.time = START
        self.nodes: dict[int, dict[str, Any]] = {}
        self.work: dict[int, list[Work]] = {}
        self.received: list[Received] = []
        self.progress: list[dict[str, Any]] = []
        self.down: httpx.Response | None = None
        self.storage_down = False
        self.progress_down = False
        self.refuse: set[str] = set()
        self.requests: list[str] = []
        self.signers: set[str] = set()

    def register(self, node: int, operator: str, role: str = "worker", ib: int = 1_000_000) -> None:
        """Put a node into the registry."""
        self.nodes[node] = {
            "id": node,
            "owner": Account.create().address,
            "operator": operator,
            "role": role,
            "status": "active",
            "ib": ib,
            "unknown_field": 1,
        }

    def of(self, kind: type[Message]) -> list[Received]:
        """The received messages of a kind."""
        return [item for item in self.received if isinstance(item.message, kind)]

    def keep(self, document: Document) -> bytes:
        """Store a document; its digest."""
        self.store.put_block(Cid(Codec.RAW, document.digest()), document.encode())
        return document.digest()

    def transport(self) -> httpx.MockTransport:
        """What a node's client talks to."""

        def answer(request: httpx.Request) -> httpx.Response:
            found = self._handle(request)
            return httpx.Response(found.status_code, headers=found.headers, stream=httpx.ByteStream(found.content))

        return httpx.MockTransport(answer)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.requests.append(f"{request.method} {path}")
        if self.down is not None:
            return self.down
        try:
            if path == "/network":
                return httpx.Response(200, json=self._info())
            if path == "/deployment":
                contracts = {"NodeRegistry": {"address": DOMAIN.contract, "abi": []}}
                return httpx.Response(200, json={"chain_id": DOMAIN.chain_id, "block": 1, "contracts": contracts})
            if path == "/nodes":
                return httpx.Response(200, json=list(self.nodes.values()))
            if path.startswith("/nodes/"):
                found = self.nodes.get(int(path[7:]))
                return httpx.Response(200, json=found) if found else _error(404, "no such node")
            if path.startswith(("/blocks", "/pins")):
                return self._storage(request)
            return self._signed(request)
        except InferixError as error:
            return _error(http_status(error), str(error))

    def _info(self) -> dict[str, Any]:
        domain = {"name": "Inferix", "version": "1", "verifying_contract": DOMAIN.contract}
        return {
            "chain_id": DOMAIN.chain_id,
            "domain": domain,
            "parameters": {**DEFAULTS, **DEV_OVERRIDES},
            "block": 7,
            "time": self.time,
        }

    def _storage(self, request: httpx.Request) -> httpx.Response:
        if self.storage_down:
            return _error(503, "storage is away")
        path = request.url.path
        cid = path.rsplit("/", 1)[1]
        if path == "/blocks/missing":
            return httpx.Response(200, json=self.blocks.missing(json.loads(request.content)))
        if path.startswith("/pins"):
            self.blocks.pin(cid)
            return httpx.Response(204)
        if request.method == "PUT":
            self.blocks.put(cid, request.content, "node")
            return httpx.Response(204)
        return httpx.Response(200, content=self.blocks.get(cid))

    def _signed(self, request: httpx.Request) -> httpx.Response:
        headers = request.headers
        node = int(headers["X-Inferix-Node"])
        time = int(headers["X-Inferix-Time"])
        content = request_content(request.method, request.url.raw_path.decode(), request.content)
        message = Request(node=node, content=content, time=time)
        signer = message.signer(DOMAIN, bytes.fromhex(headers["X-Inferix-Signature"][2:]))
        if abs(time - self.time) > 120 or signer != self.nodes[node]["operator"]:
            return _error(403, "not signed by the node's operator, or long ago")
        if request.url.path == "/node/work":
            items = [item.model_dump(mode="json") for item in self.work.get(node, [])]
            return httpx.Response(200, json={"time": self.time, "work": items})
        body = json.loads(request.content)
        if request.url.path == "/node/progress":
            if self.progress_down:
                raise httpx.ReadTimeout("no answer")
            self.progress.append(body)
            return httpx.Response(204)
        return self._message(body, signer)

    def _message(self, body: dict[str, Any], signer: str) -> httpx.Response:
        if body["kind"] in self.refuse:
            return _error(409, "this would not count")
        message = KINDS[body["kind"]].from_body(bytes.fromhex(body["body"][2:]))
        signature = bytes.fromhex(body["signature"][2:])
        assert recover(message.digest(DOMAIN), signature) in {signer, *self.signers}
        self.received.append(Received(message, signature, bytes.fromhex(body.get("salt", "0x")[2:])))
        return httpx.Response(202, json={"status": "taken"})


def _error(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": "Test", "message": text}})


class Job:
    """A client's job in a network's storage: sealed input, spec, tasks."""

    def __init__(
        self, network: Network, *, scene: bytes = SCENE, frames: int = 4, engine: str = "noise", seconds: int = 600
    ) -> None:
        self.key: JobKey = job_key()
        self.id = bytes([len(network.requests) % 256]) * 31 + bytes([frames])
        sealed = network.store.add(seal_stream(input_key(self.key), [scene]))
        network.store.pin(sealed)
        settings = RenderSettings(first_frame=1, last_frame=frames, width=64, height=48, samples=16)
        request = QuoteRequest(
            manager=1,
            input=str(sealed),
            input_bytes=len(scene),
            key=commitment(self.key),
            engine=engine,
            settings=settings,
        )
        self.spec = JobSpec(
            request=request,
            work=10**9,
            assemble_work=10**8,
            frames_per_task=2,
            attempt_seconds=seconds,
            quote_signature="0x" + "00" * 65,
            quote_expires=START + 1_000,
            low_price=1,
            high_price=2,
        )
        self.digest = network.keep(self.spec)
        self.tasks: list[Task] = self.spec.tasks(self.id)

    def fields(self, sealing_key: bytes, task: int = 0, attempt: int = 0, seconds: int = 600) -> dict[str, Any]:
        """What every work item about a task of this job holds, for a node with this public sealing key."""
        return {
            "task": self.tasks[task],
            "attempt": attempt,
            "spec": self.digest,
            "deadline": START + seconds,
            "sealed_key": seal_key(self.key, sealing_key),
        }
