# SPDX-License-Identifier: Apache-2.0
"""Documents of more rows than fit into one block."""

import hashlib
from pathlib import Path

import pytest

from inferix.errors import Corrupt, InvalidInput
from inferix.models.anchor import (
    MAX_CHUNKS,
    ROWS_A_CHUNK,
    AccountLeaf,
    AccountsData,
    Chunked,
    NodeLeaf,
    RosterData,
    RosterLeaf,
)
from inferix.models.document import MAX_DOCUMENT
from inferix.storage import Cid, Codec
from inferix.storage.documents import put_chunked
from inferix.storage.embedded import EmbeddedStore

LARGE = 2**96 - 1


def accounts(count: int, nodes: int = 0) -> AccountsData:
    return AccountsData(
        epoch=7,
        accounts=[AccountLeaf(account=at, spent=at, reserved=0) for at in range(1, count + 1)],
        nodes=[NodeLeaf(node=at, matured=at, vesting=0, start=0) for at in range(nodes)],
        apparent=11,
    )


def kept(*documents: Chunked) -> dict[bytes, bytes]:
    return {document.digest(): document.encode() for document in documents}


def test_rows_that_fit_are_one_document() -> None:
    data = accounts(ROWS_A_CHUNK)
    assert data.cut() == [data]
    assert AccountsData.read(data.digest(), kept(data).get) == data


def test_more_rows_are_chunks_that_the_first_names() -> None:
    data = accounts(2 * ROWS_A_CHUNK + 1, nodes=5)
    first, *chunks = data.cut()
    assert [len(chunk.accounts) for chunk in chunks] == [ROWS_A_CHUNK, ROWS_A_CHUNK, 1, 0]
    assert (first.accounts, first.nodes, first.chunks) == ([], [], [chunk.digest() for chunk in chunks])
    assert AccountsData.read(first.digest(), kept(first, *chunks).get) == data


def test_the_widest_rows_fit_into_their_blocks() -> None:
    node = NodeLeaf(node=2**32 - 1, matured=LARGE, vesting=LARGE, start=2**256 - 1)
    account = AccountLeaf(account=2**32 - 1, spent=LARGE, reserved=LARGE)
    count = ROWS_A_CHUNK + 1
    data = AccountsData(epoch=2**32 - 1, accounts=[account] * count, nodes=[node] * count, apparent=LARGE)
    leaf = RosterLeaf(node=2**32 - 1, ib=2**32 - 1, price=2**64 - 1, device_class=b"\xff" * 32, weight=LARGE)
    roster = RosterData(kind=2, leaves=[leaf] * count)
    for part in (*data.cut(), *roster.cut()):
        assert len(part.encode()) <= MAX_DOCUMENT  # encode refuses more by itself
    many = AccountsData(epoch=2**32 - 1, accounts=[], nodes=[], chunks=[bytes(32)] * MAX_CHUNKS, apparent=LARGE)
    assert len(many.encode()) <= MAX_DOCUMENT


def test_more_chunks_than_the_first_names_are_refused() -> None:
    data = RosterData(kind=1, leaves=[])
    leaf = RosterLeaf(node=1, ib=0, price=0, device_class=bytes(32), weight=0)
    with pytest.raises(InvalidInput, match="1025 chunks of rows"):
        data.model_copy(update={"leaves": [leaf] * (MAX_CHUNKS * ROWS_A_CHUNK + 1)}).cut()


def test_while_a_part_is_away_nothing_is_read_and_all_are_asked_for() -> None:
    first, *chunks = accounts(3 * ROWS_A_CHUNK).cut()
    documents = kept(first, chunks[1])
    asked = []

    def fetch(digest: bytes) -> bytes | None:
        asked.append(digest)
        return documents.get(digest)

    assert AccountsData.read(first.digest(), fetch) is None
    assert asked == [first.digest(), *first.chunks]
    assert AccountsData.is_away(first.digest(), fetch)
    assert AccountsData.is_away(bytes(32), fetch)


def test_a_chunk_of_another_document_is_refused() -> None:
    first, *chunks = accounts(ROWS_A_CHUNK + 1).cut()
    for stranger in (
        chunks[1].model_copy(update={"epoch": 8}),
        chunks[1].model_copy(update={"chunks": [bytes(32)]}),
        RosterData(kind=1, leaves=[]),
    ):
        mixed = first.model_copy(update={"chunks": [chunks[0].digest(), stranger.digest()]})
        documents = kept(mixed, chunks[0], stranger)
        with pytest.raises(Corrupt, match="another's|malformed"):
            AccountsData.read(mixed.digest(), documents.get)
        assert not AccountsData.is_away(mixed.digest(), documents.get)  # it is there, and is nothing


def test_rows_beside_chunks_are_refused() -> None:
    first, *chunks = accounts(ROWS_A_CHUNK + 1).cut()
    double = first.model_copy(update={"accounts": chunks[0].accounts[:1]})
    with pytest.raises(Corrupt, match="rows beside its chunks"):
        AccountsData.read(double.digest(), kept(double, *chunks).get)


def test_all_parts_are_stored_under_their_digests(tmp_path: Path) -> None:
    store, data = EmbeddedStore(tmp_path, reserve=0), accounts(ROWS_A_CHUNK + 1)
    digest = put_chunked(store, data)

    def fetch(name: bytes) -> bytes:
        body = store.get_block(Cid(Codec.RAW, name))
        assert hashlib.sha256(body).digest() == name
        return body

    assert AccountsData.read(digest, fetch) == data


def test_attack_a_document_of_more_rows_than_one_has_is_refused() -> None:
    """A block holds seven times as many of the smallest."""
    long = accounts(ROWS_A_CHUNK + 1)
    with pytest.raises(Corrupt, match="more than 1024 rows"):
        AccountsData.read(long.digest(), kept(long).get)
    first, *chunks = accounts(ROWS_A_CHUNK + 1).cut()
    double = first.model_copy(update={"chunks": [chunks[1].digest(), long.digest()]})
    with pytest.raises(Corrupt, match="more than 1024 rows"):
        AccountsData.read(double.digest(), kept(double, long, chunks[1]).get)


def test_attack_a_chunk_that_is_named_again_and_again_is_read_by_nobody() -> None:
    first, *chunks = accounts(ROWS_A_CHUNK + 1).cut()
    again = first.model_copy(update={"chunks": [chunks[0].digest()] * MAX_CHUNKS})
    asked = []

    def fetch(digest: bytes) -> bytes | None:
        asked.append(digest)
        return kept(again, chunks[0]).get(digest)

    with pytest.raises(Corrupt, match="names a chunk twice"):
        AccountsData.read(again.digest(), fetch)
    assert asked == [again.digest()]
