# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import pytest

from inferix import errors
from inferix.storage.cid import Cid, Codec
from inferix.storage.dag import CHUNK_SIZE, MAX_DEPTH, MAX_LINKS, blocks_of
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.errors import (
    BlockCorrupt,
    BlockMissing,
    InvalidCid,
    MalformedFile,
    QuotaExceeded,
    StorageFull,
    StorageUnavailable,
    TooLarge,
)
from inferix.storage.service import MAX_ASKED, BlockService, Quota, http_status
from inferix.storage.unixfs import Link, encode_node
from inferix.units import Seconds

Content = Callable[..., bytes]


def name(data: bytes) -> str:
    return str(Cid.of(Codec.RAW, data))


def service_on(
    store: EmbeddedStore, *, quota: int = 10**9, max_file: int = 10**9, max_block: int = 2**21
) -> BlockService:
    return BlockService(store, quota=Quota(quota), max_file=max_file, max_block=max_block)


def test_put__kept__get_head_and_missing_agree(embedded: EmbeddedStore) -> None:
    service = service_on(embedded)
    assert service.missing([name(b"one"), name(b"two")]) == [name(b"one"), name(b"two")]
    service.put(name(b"one"), b"one", "caller")
    assert service.get(name(b"one")) == b"one"
    assert service.head(name(b"one")) == 3
    assert service.missing([name(b"one"), name(b"two")]) == [name(b"two")]
    for call in (service.get, service.head, service.pin):
        with pytest.raises(BlockMissing):
            call(name(b"two"))


def test_put__wrong_bytes_too_many_or_no_cid__refused(embedded: EmbeddedStore) -> None:
    service = service_on(embedded, max_block=10)
    with pytest.raises(BlockCorrupt):
        service.put(name(b"one"), b"two", "caller")
    with pytest.raises(TooLarge, match="at most 10 bytes"):
        service.put(name(bytes(11)), bytes(11), "caller")
    with pytest.raises(InvalidCid):
        service.put("../../etc/passwd", b"", "caller")
    assert service.missing([name(b"one"), name(bytes(11))]) == [name(b"one"), name(bytes(11))]


def test_missing__many_asked__refused(embedded: EmbeddedStore) -> None:
    service = service_on(embedded)
    assert len(service.missing([name(b"x")] * MAX_ASKED)) == MAX_ASKED
    with pytest.raises(TooLarge):
        service.missing([name(b"x")] * (MAX_ASKED + 1))
    with pytest.raises(InvalidCid):
        service.missing([name(b"x"), "no cid"])


def test_put__quota_is_each_caller_s_and_known_blocks_are_free(embedded: EmbeddedStore) -> None:
    service = service_on(embedded, quota=10)
    with pytest.raises(BlockCorrupt):
        service.put(name(b"refused"), b"is not charged", "first")
    service.put(name(b"12345678"), b"12345678", "first")
    service.put(name(b"12345678"), b"12345678", "first")
    with pytest.raises(QuotaExceeded):
        service.put(name(b"abc"), b"abc", "first")
    assert service.missing([name(b"abc")]) == [name(b"abc")]
    service.put(name(b"ab"), b"ab", "first")
    service.put(name(b"abc"), b"abc", "second")


def test_quota__opens_again_after_its_window() -> None:
    now = 100.0
    quota = Quota(10, Seconds(60), clock=lambda: now)
    quota.charge("caller", 10)
    now = 130.0
    quota.charge("other", 10)
    with pytest.raises(QuotaExceeded) as refusal:
        quota.charge("caller", 1)
    assert refusal.value.retry_after == 31
    now = 160.0
    quota.charge("caller", 10)
    with pytest.raises(QuotaExceeded):
        quota.charge("other", 1)
    now = 1_000.0
    quota.charge("other", 10)
    assert list(quota._used) == ["other"]


def test_pin__counts_all_blocks_of_the_file(embedded: EmbeddedStore, content: Content) -> None:
    data = content(2 * CHUNK_SIZE)
    root = embedded.add(data)
    stored = sum(len(block.data) for block in blocks_of(data))
    with pytest.raises(TooLarge):
        service_on(embedded, max_file=stored - 1).pin(str(root))
    assert list(embedded.pins()) == []
    service_on(embedded, max_file=stored).pin(str(root))
    assert list(embedded.pins()) == [root]


def test_pin__root_that_belittles_its_leaves__still_counted(embedded: EmbeddedStore) -> None:
    leaf = embedded.add(bytes(1_000))
    data = encode_node([Link(leaf, 1, 1)])
    root = Cid.of(Codec.DAG_PB, data)
    embedded.put_block(root, data)
    with pytest.raises(TooLarge):
        service_on(embedded, max_file=1_000).pin(str(root))


def test_attack_a_chain_of_nodes_full_of_links_is_refused_at_the_first(embedded: EmbeddedStore) -> None:
    """Blocks of 2 MiB that link to 48,000 others each: what they name has to be here, and to be worth its links."""
    read: list[Cid] = []

    class Counted(EmbeddedStore):
        def get_block(self, cid: Cid) -> bytes:
            read.append(cid)
            return super().get_block(cid)

    store = Counted(embedded._root, reserve=0)

    def kept(links: list[Link]) -> Link:
        data = encode_node(links)
        store.put_block(Cid.of(Codec.DAG_PB, data), data)
        return Link(Cid.of(Codec.DAG_PB, data), sum(link.size for link in links), len(data))

    nowhere = [Link(Cid.of(Codec.RAW, b"%d" % number), 1, 1) for number in range(2_000)]
    leaf = Link(store.add(bytes(1_024)), 1_024, 1_024)
    for links, kind in ((nowhere, BlockMissing), ([leaf] * 10_000, MalformedFile)):
        top = kept(links)
        for _ in range(5):
            top = kept([top, *links])
        with pytest.raises(kind):
            service_on(store).pin(str(top.cid))
        assert read == [top.cid]
        read.clear()
    service_on(store).pin(str(kept([leaf] * 3_000).cid))


def test_attack_a_file_deeper_than_a_reader_goes_is_not_pinned(embedded: EmbeddedStore) -> None:
    top = Link(embedded.add(b"leaf"), 4, 4)
    for _ in range(MAX_DEPTH):
        data = encode_node([top])
        top = Link(Cid.of(Codec.DAG_PB, data), 4, 4)
        embedded.put_block(top.cid, data)
    service_on(embedded).pin(str(top.cid))
    data = encode_node([top])
    deeper = Cid.of(Codec.DAG_PB, data)
    embedded.put_block(deeper, data)
    with pytest.raises(MalformedFile, match="levels deep"):
        service_on(embedded).pin(str(deeper))


def test_pin__a_large_file_whose_leaves_are_all_the_same__no_attack(embedded: EmbeddedStore) -> None:
    top = Link(embedded.add(bytes(CHUNK_SIZE)), CHUNK_SIZE, CHUNK_SIZE)
    while top.size < 2**40:
        data = encode_node([top] * MAX_LINKS)
        top = Link(Cid.of(Codec.DAG_PB, data), top.size * MAX_LINKS, len(data))
        embedded.put_block(top.cid, data)
    service_on(embedded).pin(str(top.cid))


def test_pin__not_a_file__refused(embedded: EmbeddedStore) -> None:
    noise = Cid.of(Codec.DAG_PB, b"noise")
    embedded.put_block(noise, b"noise")
    with pytest.raises(MalformedFile):
        service_on(embedded).pin(str(noise))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidCid("x"), 422),
        (BlockMissing("x"), 404),
        (BlockCorrupt("x"), 422),
        (TooLarge("x"), 413),
        (QuotaExceeded("x", 60), 429),
        (StorageFull("x"), 507),
        (StorageUnavailable("x"), 503),
        (errors.Refused("x"), 403),
        (errors.Conflict("x"), 409),
        (errors.Misconfigured("x"), 500),
    ],
)
def test_http_status__by_kind(error: errors.InferixError, status: int) -> None:
    assert http_status(error) == status
