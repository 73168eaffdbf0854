# SPDX-License-Identifier: Apache-2.0
"""The API over a database file, a store in a folder, and a chain that a test writes by hand."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from httpx import Response
from siwe import ISO8601Datetime, SiweMessage
from starlette.testclient import TestClient

from api.app import create_app
from api.context import Context
from api.settings import ApiSettings
from inferix.chain.abi import Interface
from inferix.chain.deployment import Contract, Contracts, Deployment
from inferix.messages import Message, Quote, Request, request_content
from inferix.models.job import JobSpec
from inferix.storage.database import Database
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.service import BlockService, Quota
from tests.replay.chain import COIN, DOMAIN, MANAGER, Chain, address, key

HOST = "testserver"
SEALED = "0x" + "5e" * 80
QUOTA = 2**20


@dataclass
class Ledger:
    """What the contracts answer to a read; a test writes it."""

    answers: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def read(self, *asked: Any) -> int:
        return self.answers.get(asked, 0)


@dataclass
class Api:
    """The running API and everything behind it."""

    http: TestClient
    chain: Chain
    context: Context
    ledger: Ledger

    @property
    def database(self) -> Database:
        return self.context.database

    def sign_in(self, who: int = 0, **changes: Any) -> Response:
        """Signs a wallet in; ``changes``: fields of the message."""
        asked = self.http.get("/auth/nonce").json()
        message = login_message(who, asked, **changes)
        return self.http.post("/auth/login", json={"message": message, "signature": personal_sign(who, message)})

    def bearer(self, who: int = 0) -> dict[str, str]:
        """The header of a signed-in wallet; the cookie is put away."""
        token = self.sign_in(who).json()["token"]
        self.http.cookies.clear()
        return {"Authorization": f"Bearer {token}"}

    def node(self, node: int, method: str, path: str, body: Any = None, **changes: Any) -> Response:
        """A node's signed request. ``changes``: ``time``, ``signer``, ``signed_path``, ``sent_body``."""
        content = b"" if body is None else json.dumps(body).encode()
        time = changes.get("time", self.chain.network.time)
        digest = request_content(method, changes.get("signed_path", path), content)
        signature = Request(node=node, content=digest, time=time).sign(DOMAIN, key(changes.get("signer", node)))
        headers = {
            "X-Inferix-Node": str(node),
            "X-Inferix-Time": str(time),
            "X-Inferix-Signature": "0x" + signature.hex(),
            "Content-Type": "application/json",
        }
        return self.http.request(method, path, content=changes.get("sent_body", content), headers=headers)

    def work(self, node: int) -> list[dict[str, Any]]:
        """A node's duties, but for the seed to answer that everybody has."""
        return [duty for duty in self.duties(node) if duty["kind"] != "probe"]

    def duties(self, node: int) -> list[dict[str, Any]]:
        answer = self.node(node, "GET", "/node/work")
        assert answer.status_code == 200, answer.text
        return cast(list[dict[str, Any]], answer.json()["work"])

    def send(self, signed: tuple[Message, bytes], salt: bytes | None = None, node: int | None = None) -> Response:
        """Posts a node's signed message; ``node``: who carries it."""
        message, signature = signed
        body = {"kind": message.kind, "body": "0x" + message.body().hex(), "signature": "0x" + signature.hex()}
        if salt is not None:
            body["salt"] = "0x" + salt.hex()
        return self.node(node or message.node, "POST", "/node/messages", body)  # type: ignore[attr-defined]

    def quoted(self, frames: int = 2, *, expires: int | None = None, signer: int = MANAGER, **changes: Any) -> JobSpec:
        """A spec with the manager's signed quote."""
        spec = self.chain.spec(frames, **changes)
        expires = self.chain.network.time + 600 if expires is None else expires
        quote = Quote(
            manager=spec.request.manager,
            request=spec.request.digest(),
            work=spec.work,
            low_price=spec.low_price,
            high_price=spec.high_price,
            expires=expires,
        )
        signature = "0x" + quote.sign(DOMAIN, key(signer)).hex()
        return spec.model_copy(update={"quote_signature": signature, "quote_expires": expires})


def login_message(who: int, asked: dict[str, Any], **changes: Any) -> str:
    """The EIP-4361 text for a nonce answer."""
    fields = {
        "domain": asked["domain"],
        "address": address(who),
        "statement": "Sign in to Inferix.",
        "uri": f"http://{asked['domain']}",
        "version": "1",
        "chain_id": asked["chain_id"],
        "nonce": asked["nonce"],
        "issued_at": ISO8601Datetime.from_datetime(datetime.now(UTC)),
    }
    return str(SiweMessage(**{**fields, **changes}).prepare_message())


def personal_sign(who: int, text: str) -> str:
    return "0x" + bytes(Account.sign_message(encode_defunct(text=text), key(who)).signature).hex()


def code(answer: Response) -> tuple[int, str]:
    """Status and message of an error."""
    return answer.status_code, answer.json()["error"]["message"]


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


@pytest.fixture
def context(chain: Chain, tmp_path: Path) -> Iterator[Context]:
    database = Database(f"sqlite:///{tmp_path}/api.db")
    database.migrate()
    store = EmbeddedStore(tmp_path / "store", reserve=0)
    contracts = {
        "NodeRegistry": Contract("NodeRegistry", DOMAIN.contract, Interface("NodeRegistry", [])),
        "DevUSD": Contract("DevUSD", COIN, Interface("DevUSD", [])),
    }
    yield Context(
        ApiSettings(domain=HOST, chain_id=DOMAIN.chain_id, web=tmp_path / "none", poll_seconds=0, quota_bytes=QUOTA),
        Deployment(DOMAIN.chain_id, 1, contracts),
        cast(Contracts, Ledger()),
        database,
        store,
        BlockService(store, quota=Quota(QUOTA), max_file=16 * QUOTA),
        lambda: chain.network,
    )
    database.close()


@pytest.fixture
def api(chain: Chain, context: Context) -> Iterator[Api]:
    with TestClient(create_app(context), base_url=f"http://{HOST}", raise_server_exceptions=False) as http:
        yield Api(http, chain, context, cast(Ledger, context.contracts))
