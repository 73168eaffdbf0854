# SPDX-License-Identifier: Apache-2.0
import threading
import time
from pathlib import Path

import pytest

from inferix.messages import Order
from inferix.models.anchor import (
    ROWS_A_CHUNK,
    AccountLeaf,
    AccountsData,
    AnchorData,
    BatchData,
    RosterData,
    RosterLeaf,
)
from inferix.models.event import ChainEvent
from inferix.storage import Cid, Codec
from inferix.storage.documents import put_chunked
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.errors import BlockMissing
from keepers.documents import Fetcher, named_digests


def event(name: str, **args: object) -> ChainEvent:
    return ChainEvent(1, 0, 1, "Contract", name, args)


def order(spec: bytes) -> bytes:
    fields = {"account": 1, "nonce": 1, "manager": 3, "cap": 1, "price": 1, "attempts": 1, "deadline": 9, "post_by": 9}
    return Order(spec=spec, **fields).record(bytes(64) + b"\x1b")


def test_named_digests__each_event_that_names_documents() -> None:
    a, b = b"a" * 32, b"b" * 32
    assert list(named_digests(event("OrdersPosted", records=order(a) + order(b) + b"cut"))) == [a, b]
    assert list(named_digests(event("Proposed", header={"sequence": 1, "data": a}))) == [a]
    for name in ("Anchored", "RosterPosted", "AccountsPosted"):
        assert list(named_digests(event(name, data=b))) == [b]
    assert list(named_digests(event("Sealed", data=b))) == []


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path / "store", reserve=0)


def put(store: EmbeddedStore, body: bytes) -> bytes:
    cid = Cid.of(Codec.RAW, body)
    store.put_block(cid, body)
    return cid.digest


def test_fetch__a_batch__with_its_chunks(store: EmbeddedStore) -> None:
    chunk = BatchData(manager=3, sequence=2, leaves=[])
    digest = put(store, chunk.encode())
    first = BatchData(manager=3, sequence=1, leaves=[], chunks=[digest])
    assert set(Fetcher(store).fetch([put(store, first.encode())], 5)) == {first.digest(), digest}


def test_fetch__accounts_and_rosters_of_many_rows__with_their_chunks(store: EmbeddedStore) -> None:
    rows = [AccountLeaf(account=at, spent=0, reserved=0) for at in range(1, ROWS_A_CHUNK + 2)]
    accounts = AccountsData(epoch=1, accounts=rows, nodes=[])
    leaf = RosterLeaf(node=1, ib=0, price=0, device_class=bytes(32), weight=0)
    roster = RosterData(kind=1, leaves=[leaf] * (ROWS_A_CHUNK + 1))
    for document in (accounts, roster):
        found = Fetcher(store).fetch([put_chunked(store, document)], 5)
        assert set(found) == {part.digest() for part in document.cut()}


def test_fetch__absent_and_oversized__left_out(store: EmbeddedStore) -> None:
    good = AnchorData(manager=3, messages=[])
    large = put(store, bytes(262_145))
    found = Fetcher(store).fetch([put(store, good.encode()), large, b"x" * 32], 5)
    assert set(found) == {good.digest()}


def test_fetch__a_store_that_hangs__not_waited_for(tmp_path: Path) -> None:
    free = threading.Event()

    class Hangs(EmbeddedStore):
        def get_block(self, cid: Cid) -> bytes:
            free.wait(20)
            raise BlockMissing("no")

    fetcher = Fetcher(Hangs(tmp_path / "slow", reserve=0))
    started = time.monotonic()
    assert fetcher.fetch([b"x" * 32], 0.2) == {}
    assert fetcher.fetch([b"x" * 32], 0.2) == {}, "the same is not asked for twice at a time"
    assert time.monotonic() - started < 3
    free.set()
    fetcher.close()
