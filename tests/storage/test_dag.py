# SPDX-License-Identifier: Apache-2.0
import io
import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferix.storage import dag
from inferix.storage.cid import Cid, Codec
from inferix.storage.dag import (
    BYTES_A_BLOCK,
    CHUNK_SIZE,
    MAX_BLOCK,
    MAX_DEPTH,
    MAX_LINKS,
    SPARE_BLOCKS,
    Fetch,
    blocks_of,
    chunks_of,
    reachable,
    read_file,
)
from inferix.storage.errors import BlockCorrupt, BlockMissing, MalformedFile, StorageError, TooLarge
from inferix.storage.unixfs import Link, encode_node

# shake_128("inferix") of that many bytes through `ipfs add -Q --cid-version=1 --raw-leaves` of Kubo 0.43.0
KUBO_CIDS = {
    0: "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    1: "bafkreiczdn6msubxqiw6ywsnle5c4luldhah3xjfodswtead2f7rjrcauy",
    262_143: "bafkreigpy3lfqevi4a3yuxbtlgyeqpism2bhct53lzr423ufixgrahqvuu",
    262_144: "bafkreif6ssycfwy5grsi7kpnpge3cxvgolejf2y5c2lf64t4bmkl2525i4",
    262_145: "bafybeibt4ml475zytwhgpao2jsdcwn5dnkfxsqjopnuxfrml4w6ir5w5ym",
    524_288: "bafybeibobacmpf7qa7opogn4fvodru4phknp4oizie2bjcteko7xlhmqra",
    45_000_000: "bafybeigddtmdtn3jleqiue2vfre5pwqrc5ir4lfetye3uogremklyejp44",
    MAX_LINKS * CHUNK_SIZE: "bafybeia6np2dswmuicf5e5clt524c5uviwpogkpnx77k6s4gco7p7k3hna",
    MAX_LINKS * CHUNK_SIZE + 1: "bafybeifm3o4i6c7opldsccccybjqb6iaecm2zvqp3czplwoorh3r4qhjqe",
    2 * MAX_LINKS * CHUNK_SIZE + 5: "bafybeic4gydk2visrkkhoqauugu567vr2m45ztxjqyircbc4n2iirjdje4",
}
SMALL = CHUNK_SIZE * 3 + 5


class Blocks(dict[Cid, bytes]):
    """Blocks that nobody checked, and how often one was asked for."""

    fetched = 0

    def fetch(self, cids: Sequence[Cid]) -> Iterator[bytes]:
        for cid in cids:
            self.fetched += 1
            if cid not in self:
                raise BlockMissing(str(cid))
            yield self[cid]

    def leaf(self, data: bytes) -> Link:
        cid = Cid.of(Codec.RAW, data)
        self[cid] = data
        return Link(cid, len(data), len(data))

    def node(self, links: Sequence[Link]) -> Link:
        data = encode_node(links)
        cid = Cid.of(Codec.DAG_PB, data)
        self[cid] = data
        return Link(cid, sum(link.size for link in links), len(data) + sum(link.total for link in links))


@pytest.mark.parametrize("size", KUBO_CIDS)
def test_blocks_of__root_is_kubo_s(size: int, content: Callable[..., bytes]) -> None:
    *_, root = blocks_of(io.BytesIO(content(size)))
    assert str(root.cid) == KUBO_CIDS[size]


@pytest.mark.parametrize("leaves", range(1, 10))
def test_blocks_of__every_level_holds_at_most_its_links(leaves: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dag, "MAX_LINKS", 2)
    pieces = [bytes([n]) * CHUNK_SIZE for n in range(leaves)]
    expected = Blocks()
    level = [expected.leaf(piece) for piece in pieces]
    while len(level) > 1:
        level = [expected.node(level[at : at + 2]) for at in range(0, len(level), 2)]
    blocks = Blocks((block.cid, block.data) for block in blocks_of(pieces))
    assert list(blocks)[-1] == level[0].cid
    assert blocks.keys() == expected.keys()


def test_blocks_of__other_content__other_root(content: Callable[..., bytes]) -> None:
    *_, root = blocks_of(content(262_145, "another seed"))
    assert str(root.cid) != KUBO_CIDS[262_145]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6), st.integers(1, 20))
def test_chunks_of__same_pieces_however_it_arrives(data: bytes, cuts: list[int], size: int) -> None:
    expected = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    edges = [0, *sorted(cuts), len(data)]
    assert list(chunks_of((data[a:b] for a, b in itertools.pairwise(edges)), size)) == expected
    assert list(chunks_of(data, size)) == expected
    assert list(chunks_of(io.BytesIO(data), size)) == expected


@given(st.integers(0, SMALL), st.integers(0, 255))
def test_read__round_trip(size: int, fill: int) -> None:
    data = bytes([fill]) * size
    blocks = Blocks((block.cid, block.data) for block in blocks_of(data))
    *_, root = blocks_of(data)
    assert b"".join(read_file(root.cid, blocks.fetch, size)) == data
    if size:
        with pytest.raises(TooLarge):
            read_file(root.cid, blocks.fetch, size - 1)


@given(st.data())
def test_read__any_byte_of_any_block_changed__refused(data: st.DataObject) -> None:
    source = bytes(range(256)) * (SMALL // 256)
    blocks = Blocks((block.cid, block.data) for block in blocks_of(source))
    root = list(blocks)[-1]
    victim = data.draw(st.sampled_from(list(blocks)))
    at = data.draw(st.integers(0, len(blocks[victim]) - 1))
    changed = bytearray(blocks[victim])
    changed[at] ^= data.draw(st.integers(1, 255))
    blocks[victim] = bytes(changed)
    with pytest.raises(BlockCorrupt, match="do not hash"):
        list(read_file(root, blocks.fetch, len(source)))


def test_read__block_cut_missing_or_oversize__refused() -> None:
    source = bytes(SMALL)
    blocks = Blocks((block.cid, block.data) for block in blocks_of(source))
    leaf, *_, root = blocks
    for wrong, error in ((blocks[leaf][:-1], BlockCorrupt), (bytes(MAX_BLOCK + 1), TooLarge)):
        with pytest.raises(error):
            list(read_file(root, Blocks({**blocks, leaf: wrong}).fetch, len(source)))
    del blocks[leaf]
    with pytest.raises(BlockMissing):
        list(read_file(root, blocks.fetch, len(source)))


@pytest.mark.parametrize("promise", [1, 9, 11, 1_000])
def test_read__child_of_another_size_than_promised__refused(promise: int) -> None:
    blocks = Blocks()
    leaf = blocks.leaf(b"0123456789")
    inner = blocks.node([leaf])
    for child in (leaf, inner):
        sound = blocks.node([child, child])
        assert b"".join(read_file(sound.cid, blocks.fetch, 20)) == b"01234567890123456789"
        liar = blocks.node([Link(child.cid, promise, 0), child])
        with pytest.raises(MalformedFile, match="its parent promised"):
            list(read_file(liar.cid, blocks.fetch, 10_000))


def test_read__deepest_tree_accepted_deeper_refused() -> None:
    blocks = Blocks()
    link = blocks.leaf(b"bottom")
    for _ in range(MAX_DEPTH):
        link = blocks.node([link])
    assert list(read_file(link.cid, blocks.fetch, 6)) == [b"bottom"]
    deeper = blocks.node([link])
    with pytest.raises(MalformedFile, match="levels deep"):
        list(read_file(deeper.cid, blocks.fetch, 6))


def test_read__links_to_nothing__refused_before_following_them() -> None:
    blocks = Blocks()
    bomb = blocks.leaf(b"")
    for _ in range(5):
        bomb = blocks.node([bomb] * 1_000)
    with pytest.raises(MalformedFile, match="links to nothing"):
        list(read_file(bomb.cid, blocks.fetch, 10**9))
    assert blocks.fetched == 1


def test_read__bomb_of_tiny_leaves__refused_within_its_budget() -> None:
    blocks = Blocks()
    bomb = blocks.leaf(b"x")
    for _ in range(4):
        bomb = blocks.node([bomb] * 100)
    assert bomb.size == 100**4
    with pytest.raises(MalformedFile, match="too many blocks"):
        list(read_file(bomb.cid, blocks.fetch, 10**9))
    assert blocks.fetched <= SPARE_BLOCKS + bomb.size // BYTES_A_BLOCK
    with pytest.raises(TooLarge):
        read_file(bomb.cid, blocks.fetch, 100**4 - 1)


@st.composite
def hostile_trees(draw: st.DrawFn) -> tuple[Blocks, Cid]:
    blocks = Blocks()
    links = [blocks.leaf(draw(st.binary(max_size=40)))]
    for _ in range(draw(st.integers(1, 12))):
        if draw(st.booleans()):
            links.append(blocks.leaf(draw(st.binary(max_size=40))))
            continue
        children = draw(st.lists(st.sampled_from(links), max_size=8))
        lies = draw(st.lists(st.none() | st.integers(0, 2**40), min_size=len(children), max_size=len(children)))
        links.append(
            blocks.node([c if lie is None else Link(c.cid, lie, 0) for c, lie in zip(children, lies, strict=True)])
        )
    return blocks, links[-1].cid


@given(hostile_trees(), st.integers(0, 5_000))
def test_read__hostile_tree__bounded_and_only_storage_errors(tree: tuple[Blocks, Cid], max_size: int) -> None:
    blocks, root = tree
    got = 0
    try:
        for piece in read_file(root, blocks.fetch, max_size):
            got += len(piece)
    except StorageError:
        pass
    assert got <= max_size
    assert blocks.fetched <= 1 + SPARE_BLOCKS + max_size // BYTES_A_BLOCK


def test_reachable__each_block_once_also_what_files_share() -> None:
    data = bytes(3 * CHUNK_SIZE)  # three equal leaves
    blocks = Blocks((block.cid, block.data) for block in blocks_of(data))
    leaf, root = blocks
    assert list(reachable([root, leaf, root], blocks.__getitem__)) == [root, leaf]
    blocks[root] += b"\x00"
    with pytest.raises(BlockCorrupt):
        list(reachable([root], blocks.__getitem__))


def test_fetch__a_failing_source__its_error_passes() -> None:
    def broken(cids: Sequence[Cid]) -> Iterator[bytes]:
        raise BlockMissing("gone")

    fetch: Fetch = broken
    with pytest.raises(BlockMissing, match="gone"):
        read_file(Cid.of(Codec.RAW, b""), fetch, 1)
