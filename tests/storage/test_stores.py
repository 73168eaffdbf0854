# SPDX-License-Identifier: Apache-2.0
"""One suite for every store: same names, same refusals."""

from collections.abc import Callable

import pytest

from inferix.storage import BlobStore, Cid, Codec, OwnedStore, copy
from inferix.storage.dag import CHUNK_SIZE, MAX_BLOCK, blocks_of
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.errors import BlockCorrupt, BlockMissing, MalformedFile, StorageError, TooLarge

Content = Callable[..., bytes]
# https://specs.ipfs.tech/unixfs/: type 1, no links
EMPTY_DIRECTORY = b"\x0a\x02\x08\x01"


@pytest.mark.parametrize("size", [0, 1, CHUNK_SIZE, CHUNK_SIZE + 1, 5 * CHUNK_SIZE + 17])
def test_add_then_open__same_bytes_and_size(store: BlobStore, size: int, content: Content) -> None:
    data = content(size)
    *_, root = blocks_of(data)
    assert store.add(data) == root.cid
    assert b"".join(store.open(root.cid, size)) == data
    assert store.stat(root.cid).size == size
    assert store.stat(root.cid).stored == sum(len(block.data) for block in blocks_of(data))


def test_open__over_the_limit__refused_before_the_first_byte(store: BlobStore, content: Content) -> None:
    root = store.add(content(CHUNK_SIZE + 1))
    with pytest.raises(TooLarge, match="the limit is"):
        store.open(root, CHUNK_SIZE)


def test_open__unknown_root__missing(store: BlobStore) -> None:
    with pytest.raises(BlockMissing):
        store.open(Cid.of(Codec.RAW, b"nobody stored this"), 100)


def test_open__a_leaf_is_missing__ends_in_error_after_what_is_sound(store: BlobStore, content: Content) -> None:
    data = content(2 * CHUNK_SIZE, "leaf missing")
    first, _, root = blocks_of(data)
    store.put_block(first.cid, first.data)
    store.put_block(root.cid, root.data)
    pieces = store.open(root.cid, len(data))
    assert next(pieces) == first.data
    with pytest.raises(BlockMissing):
        next(pieces)


def test_open__a_directory__refused(store: BlobStore) -> None:
    cid = Cid.of(Codec.DAG_PB, EMPTY_DIRECTORY)
    store.put_block(cid, EMPTY_DIRECTORY)
    with pytest.raises(MalformedFile, match="directory"):
        store.open(cid, 100)


def test_block__kept_and_given_back(store: BlobStore, content: Content) -> None:
    data = content(1_000, "one block")
    cid = Cid.of(Codec.RAW, data)
    assert not store.has_block(cid)
    store.put_block(cid, data)
    store.put_block(cid, data)
    assert store.has_block(cid)
    assert store.get_block(cid) == data


def test_put_block__other_bytes__refused_and_not_kept(store: BlobStore) -> None:
    cid = Cid.of(Codec.RAW, b"right")
    with pytest.raises(BlockCorrupt):
        store.put_block(cid, b"wrong")
    assert not store.has_block(cid)


def test_put_block__largest_kept_larger_refused(store: BlobStore, content: Content) -> None:
    largest, larger = content(MAX_BLOCK), content(MAX_BLOCK + 1)
    store.put_block(Cid.of(Codec.RAW, largest), largest)
    assert store.get_block(Cid.of(Codec.RAW, largest)) == largest
    with pytest.raises(TooLarge):
        store.put_block(Cid.of(Codec.RAW, larger), larger)


def test_missing__in_order_with_repeats(store: BlobStore) -> None:
    cids = [Cid.of(Codec.RAW, bytes([n])) for n in range(130)]
    store.put_block(cids[1], b"\x01")
    assert store.missing([cids[2], cids[1], cids[0], cids[2]]) == [cids[2], cids[0], cids[2]]
    assert store.missing(cids) == [cids[0], *cids[2:]]
    assert store.missing([]) == []


def test_pin__complete_file_accepted_incomplete_refused(store: BlobStore, content: Content) -> None:
    root = store.add(content(3 * CHUNK_SIZE, "complete"))
    store.pin(root)
    store.pin(root)
    *leaves, top = blocks_of(content(3 * CHUNK_SIZE, "incomplete"))
    for block in (*leaves[1:], top):
        store.put_block(block.cid, block.data)
    with pytest.raises(BlockMissing):
        store.pin(top.cid)
    store.put_block(leaves[0].cid, leaves[0].data)
    store.pin(top.cid)


def test_copy__continues_where_it_stopped(
    store: BlobStore, tmp_path_factory: pytest.TempPathFactory, content: Content
) -> None:
    data = content(4 * CHUNK_SIZE, "copy")
    origin = EmbeddedStore(tmp_path_factory.mktemp("origin"), reserve=0)
    root = origin.add(data)
    first, *_ = blocks_of(data)
    store.put_block(first.cid, first.data)
    assert copy(root, origin, store, len(data)) == len(data)
    assert b"".join(store.open(root, len(data))) == data
    with pytest.raises(TooLarge):
        copy(root, origin, store, len(data) - 1)


def test_gc__keeps_pinned_files_and_removes_others(owned_store: OwnedStore, content: Content) -> None:
    if isinstance(owned_store, EmbeddedStore):
        owned_store._grace = 0
    kept = owned_store.add(content(3 * CHUNK_SIZE, "kept"))
    litter = owned_store.add(content(3 * CHUNK_SIZE, "litter"))
    owned_store.pin(kept)
    assert list(owned_store.pins()) == [kept]
    assert owned_store.gc() >= 4
    assert sum(1 for _ in owned_store.open(kept, 10**6)) == 3
    with pytest.raises(StorageError):
        owned_store.open(litter, 10**6)
    owned_store.unpin(kept)
    owned_store.unpin(kept)
    assert list(owned_store.pins()) == []
    assert owned_store.gc() >= 4
    assert not owned_store.has_block(kept)


def test_block_size__bytes_or_none(owned_store: OwnedStore) -> None:
    root = owned_store.add(b"seven b")
    assert owned_store.block_size(root) == 7
    assert owned_store.block_size(Cid.of(Codec.RAW, b"absent")) is None
