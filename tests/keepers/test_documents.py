# SPDX-License-Identifier: Apache-2.0
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
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
from inferix.models.document import Document
from inferix.models.event import ChainEvent, NamedBy
from inferix.storage import Cid, Codec
from inferix.storage.documents import put_chunked
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.errors import BlockMissing
from inferix.units import Seconds
from keepers.documents import Fetcher, Named, named_documents

MANAGER, STRANGER, CLIENT = NamedBy(3), NamedBy("0xbad", is_backed=False), NamedBy("0xc0de", is_backed=False)


def event(name: str, **args: object) -> ChainEvent:
    return ChainEvent(1, 0, 1, "Contract", name, args)


def order(spec: bytes) -> bytes:
    fields = {"account": 1, "nonce": 1, "manager": 3, "cap": 1, "price": 1, "attempts": 1, "deadline": 9, "post_by": 9}
    return Order(spec=spec, **fields).record(bytes(64) + b"\x1b")


def named(digest: bytes, by: NamedBy = MANAGER) -> list[Named]:
    return [Named(digest, by)]


def test_named_documents__each_event_that_names_documents() -> None:
    a, b = b"a" * 32, b"b" * 32
    orders = event("OrdersPosted", records=order(a) + order(b) + b"cut", poster="0xc0de")
    assert list(named_documents(orders)) == [Named(a, CLIENT), Named(b, CLIENT)]
    batch = event("Proposed", header={"sequence": 1, "data": a, "manager": 3})
    assert list(named_documents(batch)) == [Named(a, MANAGER, BatchData)]
    alone = event("Proposed", header={"sequence": 0, "data": a, "manager": 3})
    assert list(named_documents(alone)) == []
    for name, kind in (("Anchored", None), ("RosterPosted", RosterData), ("AccountsPosted", AccountsData)):
        assert list(named_documents(event(name, data=b, manager=3))) == [Named(b, MANAGER, kind)]
    assert list(named_documents(event("Sealed", data=b))) == []


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
    found = Fetcher(store).fetch([Named(put(store, first.encode()), MANAGER, BatchData)], 5)
    assert set(found) == {first.digest(), digest}


def test_fetch__accounts_and_rosters_of_many_rows__with_their_chunks(store: EmbeddedStore) -> None:
    rows = [AccountLeaf(account=at, spent=0, reserved=0) for at in range(1, ROWS_A_CHUNK + 2)]
    accounts = AccountsData(epoch=1, accounts=rows, nodes=[])
    leaf = RosterLeaf(node=1, ib=0, price=0, device_class=bytes(32), weight=0)
    roster = RosterData(kind=1, leaves=[leaf] * (ROWS_A_CHUNK + 1))
    for document in (accounts, roster):
        found = Fetcher(store).fetch([Named(put_chunked(store, document), MANAGER, type(document))], 5)
        assert set(found) == {part.digest() for part in document.cut()}


def test_fetch__absent_and_oversized__left_out(store: EmbeddedStore) -> None:
    good = AnchorData(manager=3, messages=[])
    large = put(store, bytes(262_145))
    wanted = [put(store, good.encode()), large, b"x" * 32]
    found = Fetcher(store).fetch([Named(digest, MANAGER) for digest in wanted], 5)
    assert set(found) == {good.digest()}


def test_fetch__a_store_that_hangs__not_waited_for(tmp_path: Path) -> None:
    free = threading.Event()

    class Hangs(EmbeddedStore):
        def get_block(self, cid: Cid) -> bytes:
            free.wait(20)
            raise BlockMissing("no")

    fetcher = Fetcher(Hangs(tmp_path / "slow", reserve=0))
    started = time.monotonic()
    assert fetcher.fetch(named(b"x" * 32), 0.2) == {}
    assert fetcher.fetch(named(b"x" * 32), 0.2) == {}, "the same is not asked for twice at a time"
    assert time.monotonic() - started < 3
    free.set()
    fetcher.close()


class Remote(EmbeddedStore):
    """Its network is asked for what it does not hold: it has ``away``, and else answers when told to. ``asked``: for
    what, in order."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, reserve=0)
        self.away: dict[bytes, bytes] = {}
        self.asked: list[bytes] = []
        self.limits: list[int] = []
        self.gives_up = threading.Semaphore(0)

    def get_block(self, cid: Cid) -> bytes:
        if self.has_block(cid):
            return super().get_block(cid)
        self.asked.append(cid.digest)
        if cid.digest not in self.away:
            self.gives_up.acquire(timeout=20)
        if cid.digest not in self.away:
            raise BlockMissing("nobody has it")
        return self.away[cid.digest]

    def get_block_within(self, cid: Cid, seconds: Seconds) -> bytes:
        self.limits.append(seconds)
        return self.get_block(cid)

    def put_away(self, document: Document) -> bytes:
        self.away[document.digest()] = document.encode()
        return document.digest()


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    store = Remote(tmp_path / "remote")
    yield store
    store.gives_up.release(10_000)


@pytest.fixture
def fetcher(remote: Remote) -> Iterator[Fetcher]:
    found = Fetcher(remote)
    yield found
    found.close()


def unknown(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(4, "big")).digest()


def anchor(manager: int) -> AnchorData:
    return AnchorData(manager=manager, messages=[])


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not what() and time.monotonic() < end:
        time.sleep(0.001)
    assert what()


def test_attack_an_order_names_a_batch_of_chunks_that_nobody_has__they_are_not_asked_for(
    remote: Remote, fetcher: Fetcher
) -> None:
    bomb = BatchData(manager=0, sequence=0, leaves=[], chunks=[unknown(at) for at in range(15)])
    for by in (STRANGER, MANAGER):  # as an order's spec, or the document of an anchor
        assert fetcher.fetch(named(remote.put_away(bomb), by), 5) == {bomb.digest(): bomb.encode()}
    roster = Named(bomb.digest(), NamedBy(4), RosterData)
    assert set(fetcher.fetch([roster], 5)) == {bomb.digest()}, "a batch is no roster's first document"
    assert set(remote.asked) == {bomb.digest()}


def test_attack_a_chunk_names_chunks__they_are_not_asked_for(remote: Remote, fetcher: Fetcher) -> None:
    second = BatchData(manager=3, sequence=1, leaves=[], chunks=[unknown(1)])
    first = BatchData(manager=3, sequence=1, leaves=[], chunks=[remote.put_away(second)])
    found = fetcher.fetch([Named(remote.put_away(first), MANAGER, BatchData)], 5)
    assert set(found) == {first.digest(), second.digest()}
    assert unknown(1) not in remote.asked


def test_attack_orders_with_specs_that_nobody_has__hold_up_no_document_behind_a_bond(
    remote: Remote, fetcher: Fetcher
) -> None:
    flood = [Named(unknown(at), STRANGER) for at in range(100)]
    assert fetcher.fetch(flood, 0.1) == {}
    until(lambda: len(remote.asked) == 8)
    digest = remote.put_away(anchor(3))
    assert set(fetcher.fetch(named(digest), 5)) == {digest}
    assert len(remote.asked) == 9
    both = flood[0].digest  # an order's, and now an anchor's
    assert remote.asked.count(both) == 1
    assert fetcher.fetch(named(both), 0.1) == {}
    assert remote.asked.count(both) == 2, "who names it first for gas alone keeps it from nobody"


def test_attack_orders_with_specs_that_nobody_has__hold_up_nothing_that_is_here(
    remote: Remote, fetcher: Fetcher
) -> None:
    fetcher.fetch([Named(unknown(at), STRANGER) for at in range(100)], 0.1)
    own = put(remote, b"a spec that the API placed here")
    assert set(fetcher.fetch(named(own, CLIENT), 5)) == {own}
    assert set(fetcher.fetch(named(own, STRANGER), 5)) == {own}


def test_attack_orders_with_specs_that_nobody_has__others_specs_are_fetched_in_turn(
    remote: Remote, fetcher: Fetcher
) -> None:
    fetcher.fetch([Named(unknown(at), STRANGER) for at in range(100)], 0.1)
    until(lambda: len(remote.asked) == 8)
    digest = remote.put_away(anchor(9))
    assert fetcher.fetch(named(digest, CLIENT), 0.1) == {}
    remote.gives_up.release(2)  # two of the flood's are over: one of its own may go first
    until(lambda: digest in remote.asked)
    assert remote.asked.index(digest) <= 9
    assert set(remote.limits) == {10}, "what no bond stands behind is not looked for as long"


def test_attack_a_flood_of_one_poster__waits_in_a_queue_that_is_bounded(
    remote: Remote, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepers.documents._MAX_WAITING", 10)
    for at in range(50):
        fetcher.fetch(named(unknown(at), STRANGER), 0.01)
    remote.gives_up.release(1_000)
    until(lambda: len(remote.asked) >= 18)
    time.sleep(0.05)
    assert len(remote.asked) == 18, "eight under way and ten that waited"
    digest = remote.put_away(anchor(9))
    assert set(fetcher.fetch(named(digest, STRANGER), 5)) == {digest}, "its queue takes more again"


def test_fetch__what_nobody_has__tried_more_and_more_rarely(
    remote: Remote, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.gives_up.release(1_000)
    now = [1_000.0]
    monkeypatch.setattr("keepers.documents.time.monotonic", lambda: now[0])
    for by, longest in ((MANAGER, 600.0), (STRANGER, 3_600.0)):
        remote.asked.clear()
        pause = 2.0
        for tries in range(1, 15):
            fetcher.fetch(named(unknown(1), by), 5)
            now[0] += pause - 1
            fetcher.fetch(named(unknown(1), by), 5)
            assert len(remote.asked) == tries, "not again before its pause is over"
            now[0] += 1
            pause = min(longest, 2 * pause)
        own = put(remote, by.is_backed.to_bytes())
        assert set(fetcher.fetch(named(own, by), 5)) == {own}


def test_regression_what_comes_after_its_time__is_kept(remote: Remote, fetcher: Fetcher) -> None:
    document = anchor(3)
    assert fetcher.fetch(named(document.digest()), 0.05) == {}
    assert fetcher.late() == {}
    remote.put_away(document)
    remote.gives_up.release()
    arrived: dict[bytes, bytes] = {}
    until(lambda: arrived.update(fetcher.late()) or arrived)
    assert arrived == {document.digest(): document.encode()}
    assert fetcher.late() == {}
