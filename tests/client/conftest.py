# SPDX-License-Identifier: Apache-2.0
"""A client against the API of tests/api; its waits are when the test plays the manager."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from inferix.client import Client
from inferix.messages import Order, Quote
from inferix.models.job import QuoteRequest, RenderSettings
from inferix.storage.documents import document_cid
from inferix.storage.tables import QuoteJob, SignedOrder
from tests.api.conftest import Api, api, chain, context
from tests.replay.chain import DOMAIN, MANAGER, address, key

__all__ = ["api", "chain", "context"]
ENGINE = "tests.client.plain_engine:PlainEngine"
SETTINGS = RenderSettings(first_frame=1, last_frame=2, width=64, height=48, samples=4)
URL = "http://testserver"


@dataclass
class Manager:
    """Answers quotes and posts orders, when it is asked to."""

    api: Api
    refuses: list[dict[str, str]] = field(default_factory=list)
    warns: list[dict[str, str]] = field(default_factory=list)

    def answer_quotes(self) -> None:
        with self.api.database.session() as session:
            for row in session.exec(select(QuoteJob).where(QuoteJob.state == "waiting")):
                expires = self.api.chain.network.time + 600
                digest = QuoteRequest.decode(row.request).digest()
                quote = Quote(
                    manager=MANAGER, request=digest, work=1_000, low_price=8, high_price=16_000_000, expires=expires
                )
                row.state, row.problems = ("refused" if self.refuses else "ready"), [*self.warns, *self.refuses]
                row.work, row.low_price, row.high_price, row.expires = 1_000, 8, 16_000_000, expires
                row.signature = quote.sign(DOMAIN, key(MANAGER))
                session.add(row)

    def post_orders(self) -> list[bytes]:
        """What a keeper does with the orders that wait; their job ids."""
        with self.api.database.session() as session:
            rows = session.exec(select(SignedOrder)).all()
            for row in rows:
                spec = Order.from_record(row.record)[0].spec
                chain = self.api.chain
                chain.documents[spec] = self.api.context.store.get_block(document_cid(spec))
                chain.emit("OrdersPosted", poster=address(MANAGER), records=row.record)
                session.delete(row)
            return [row.job for row in rows]


class Cut(httpx.BaseTransport):
    """Passes requests on until ``broken`` says that this one is cut off."""

    def __init__(self, inner: httpx.Client) -> None:
        self.inner = inner
        self.broken: Callable[[httpx.Request], bool] = lambda request: False
        self.seen: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.broken(request):
            raise httpx.ReadError("cut off", request=request)
        self.seen.append(f"{request.method} {request.url.path}")
        body = request.read()
        answer = self.inner.request(request.method, str(request.url), content=body, headers=dict(request.headers))
        headers = [item for item in answer.headers.multi_items() if item[0] != "content-encoding"]
        return httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(answer.content))


@pytest.fixture
def manager(api: Api) -> Manager:
    return Manager(api)


@pytest.fixture
def wire(api: Api) -> Cut:
    return Cut(api.http)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def client(manager: Manager, wire: Cut, home: Path) -> Iterator[Client]:
    """The wallet of account 1; whenever it waits, the manager answers quotes."""
    with httpx.Client(transport=wire) as http:
        found = Client(URL, key(0), home, http=http, sleep=lambda _: manager.answer_quotes())
        yield found
        found.close()


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "scene.blend"
    path.write_bytes(b"SCENE big")
    return path
