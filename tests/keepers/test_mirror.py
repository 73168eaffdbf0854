# SPDX-License-Identifier: Apache-2.0
"""The mirror on a real chain: reorganisations, documents that come late, endpoints that lag, limit and refuse."""

import json
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from sqlmodel import col, select

from devnet.anvil import Anvil
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Deployment
from inferix.chain.errors import WrongChain
from inferix.chain.rpc import Rpc
from inferix.models.anchor import AnchorData
from inferix.storage import Cid, Codec
from inferix.storage.database import Database
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.follower import Follower
from inferix.storage.tables import Block, Event, MirrorState, StoredDocument
from inferix.trees import anchor_root
from keepers.documents import Fetcher
from keepers.mirror import KEPT_BLOCKS, Finality, Mirror

pytestmark = pytest.mark.integration


@pytest.fixture
def make(client: ChainClient, deployment: Deployment, database: Database, store: EmbeddedStore) -> Any:
    """``make()``: a mirror as a program just started has it."""

    def mirror(client: ChainClient = client, confirmations: int | None = 0) -> Mirror:
        found = Mirror(client, deployment, database, Fetcher(store), Finality(client, confirmations))
        found.prepare()
        return found

    return mirror


@pytest.fixture
def anchor(client: ChainClient, deployment: Deployment, accounts: list[LocalAccount]) -> Callable[..., bytes]:
    """``anchor(manager)`` on chain; gives the document that it names."""

    def send(manager: int, size: int = 0) -> bytes:
        document = AnchorData(manager=manager, messages=[])
        call = deployment.call("NodeRegistry", "anchor", manager, anchor_root([]), document.digest())
        data = {"from": accounts[2].address, "to": call.to, "data": "0x" + call.data.hex()}
        sent = client.rpc.request("eth_sendTransaction", [data])
        while client.receipt(bytes.fromhex(sent[2:])) is None:
            pass
        return document.encode()

    return send


def managers(database: Database) -> list[int]:
    with database.reading() as session:
        rows = session.exec(select(Event).order_by(col(Event.block), col(Event.log_index)))
        return [row.args["manager"] for row in rows]


def cursor(database: Database) -> int:
    with database.reading() as session:
        return session.exec(select(Block.number).order_by(col(Block.number).desc())).first() or -1


def follower(database: Database, deployment: Deployment) -> Follower:
    return Follower(database, deployment.domain(), 0)


def test_cycle__twice_and_after_a_restart__each_event_once(
    make: Any, anchor: Any, database: Database, deployment: Deployment, client: ChainClient
) -> None:
    mirror = make()
    anchor(1)
    mirror.cycle()
    mirror.cycle()
    anchor(2)
    make().cycle()
    assert managers(database) == [1, 2]
    assert cursor(database) == client.block_number()
    network = follower(database, deployment).poll()
    assert network.lane(2).anchors[2].index == 2
    assert network.time == client.header("latest").timestamp
    client.rpc.request("anvil_mine", ["0x3"])
    make().cycle()
    network = follower(database, deployment).poll()
    assert (network.block, network.time) == (client.block_number(), client.header("latest").timestamp)


def test_cycle__only_final_blocks(make: Any, anchor: Any, database: Database, client: ChainClient) -> None:
    mirror = make(confirmations=None)
    anchor(1)
    mirror.cycle()
    assert managers(database) == []
    client.rpc.request("anvil_mine", ["0x2"])
    mirror.cycle()
    assert managers(database) == [1]


def test_cycle__a_reorganisation__taken_back_and_followed(
    make: Any, anchor: Any, database: Database, deployment: Deployment, client: ChainClient
) -> None:
    mirror, following = make(), follower(database, deployment)
    anchor(1)
    client.rpc.request("anvil_mine", ["0x3"])
    mirror.cycle()
    common = cursor(database)
    before = client.rpc.request("evm_snapshot")
    anchor(2)
    anchor(3)
    mirror.cycle()
    assert set(following.poll().lanes) == {1, 2, 3}
    client.rpc.request("evm_revert", [before])
    client.rpc.request("evm_increaseTime", [7])  # or the blocks would be the same again
    anchor(4)
    mirror.cycle()
    assert managers(database)[:1] == [1], "a chain that is shorter than the mirror may be an endpoint that lags"
    anchor(5)
    anchor(6)
    for _ in range(2):
        mirror.cycle()
    assert managers(database) == [1, 4, 5, 6]
    assert set(following.poll().lanes) == {1, 4, 5, 6}
    with database.reading() as session:
        state = session.get(MirrorState, 1)
        assert state is not None
        assert state.rollbacks == 1
        rows = session.exec(select(Block).where(col(Block.number) >= common).order_by(col(Block.number))).all()
    assert all(after.parent == before.hash for before, after in pairwise(rows))


def test_cycle__killed_while_it_writes__nothing_of_the_range_is_kept(
    make: Any, anchor: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor(1)
    mirror = make()
    with monkeypatch.context() as patch:

        def die(*args: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("keepers.mirror._keep_documents", die)
        with pytest.raises(KeyboardInterrupt):
            mirror.cycle()
    assert (managers(database), cursor(database)) == ([], -1)
    make().cycle()
    assert managers(database) == [1]


def test_documents__here__stored_with_their_event(
    make: Any, anchor: Any, database: Database, store: EmbeddedStore, deployment: Deployment
) -> None:
    body = AnchorData(manager=1, messages=[]).encode()
    store.put_block(Cid.of(Codec.RAW, body), body)
    anchor(1)
    make().cycle()
    with database.reading() as session:
        assert [row.body for row in session.exec(select(StoredDocument))] == [body]
    assert follower(database, deployment).poll().lane(1).anchors[1].problem == ""


def test_documents__late__do_not_hold_up_the_chain_and_are_replayed_when_they_come(
    make: Any, anchor: Any, database: Database, store: EmbeddedStore, deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    mirror, following = make(), follower(database, deployment)
    body = anchor(1)
    anchor(2)
    mirror.cycle()
    network = following.poll()
    assert set(network.lanes) == {1, 2}
    assert network.lane(1).anchors[1].problem == "its data is not served"
    mirror.cycle_documents(following)
    store.put_block(Cid.of(Codec.RAW, body), body)
    now = [time.monotonic()]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    now[0] += 10_000
    mirror.cycle_documents(following)
    now[0] += 10_000
    assert following.poll().lane(1).anchors[1].problem == ""
    assert following.poll().lane(2).anchors[2].problem == "its data is not served"


def test_regression_a_document_that_comes_after_its_time__is_stored(
    anchor: Any, client: ChainClient, database: Database, store: EmbeddedStore, deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    body, comes, asked = anchor(1), threading.Event(), []

    def slow(cid: Cid) -> bytes:
        asked.append(cid)
        comes.wait(20)
        return body

    monkeypatch.setattr(store, "get_block", slow)
    mirror = Mirror(client, deployment, database, Fetcher(store), Finality(client, 0), document_seconds=0.1)
    mirror.prepare()
    mirror.cycle()
    following = follower(database, deployment)
    mirror.cycle_documents(following)
    assert following.poll().lane(1).anchors[1].problem == "its data is not served"
    comes.set()
    end, stored = time.monotonic() + 5, set[bytes]()
    while not stored and time.monotonic() < end:
        mirror.cycle_documents(following)
        with database.reading() as session:
            stored = {row.body for row in session.exec(select(StoredDocument))}
    assert stored == {body}
    assert len(asked) == 1, "and not asked for again"
    assert follower(database, deployment).poll().lane(1).anchors[1].problem == ""


def test_cycle__an_endpoint_that_lost_logs__asked_by_the_block_s_hash(
    make: Any, anchor: Any, database: Database, chain: Anvil, proxy: Any
) -> None:
    anchor(1)
    nothing = json.dumps({"jsonrpc": "2.0", "id": 0, "result": []}).encode()
    asked: list[str] = []

    def answer(method: str) -> Any:
        asked.append(method)
        return (200, {}, nothing) if method == "eth_getLogs" and asked.count("eth_getLogs") == 1 else None

    proxy.answer = answer
    make(ChainClient(Rpc([proxy.url], chain.chain_id))).cycle()
    assert managers(database) == [1]


def test_cycle__a_range_that_is_too_large__asked_in_smaller_ones(
    make: Any, anchor: Any, database: Database, chain: Anvil, client: ChainClient, proxy: Any
) -> None:
    anchor(1)
    client.rpc.request("anvil_mine", ["0x60"])
    anchor(2)
    refusals = [1, 2, 3]
    error = {"jsonrpc": "2.0", "id": 0, "error": {"code": -32005, "message": "query returned more than 10000 results"}}

    def answer(method: str) -> Any:
        if method == "eth_getLogs" and refusals:
            refusals.pop()
            return 200, {}, json.dumps(error).encode()
        return None

    proxy.answer = answer
    make(ChainClient(Rpc([proxy.url], chain.chain_id))).cycle()
    assert (managers(database), refusals) == ([1, 2], [])


def test_cycle__long_gaps__old_blocks_without_events_are_forgotten(
    make: Any, anchor: Any, database: Database, client: ChainClient
) -> None:
    anchor(1)
    first = client.block_number()
    client.rpc.request("anvil_mine", [hex(KEPT_BLOCKS + 300)])
    anchor(2)
    make().cycle()
    with database.reading() as session:
        numbers = set(session.exec(select(Block.number)))
    assert first in numbers
    assert first + 1 not in numbers
    assert len(numbers) == KEPT_BLOCKS + 1


def test_prepare__a_database_of_another_chain__refused(make: Any, database: Database) -> None:
    make()
    with database.session() as session:
        state = session.get(MirrorState, 1)
        assert state is not None
        state.chain_id = 1
        session.add(state)
    with pytest.raises(WrongChain, match="name another database"):
        make()


def test_cycle__a_chain_started_anew__says_so(make: Any, anchor: Any, database: Database, client: ChainClient) -> None:
    anchor(1)
    make().cycle()
    with database.session() as session:
        for row in session.exec(select(Block)).all():
            row.hash = bytes(32)
            session.add(row)
    client.rpc.request("anvil_mine", ["0x1"])
    with pytest.raises(WrongChain, match="started anew"):
        make().cycle()
