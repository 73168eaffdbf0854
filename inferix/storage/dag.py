# SPDX-License-Identifier: Apache-2.0
"""Files as trees of blocks, laid out as ``ipfs add --cid-version=1 --raw-leaves`` does.

Writing cuts a stream into raw leaves of 262,144 bytes and links them, at most 174 to a node, all leaves at one depth;
an input of at most one chunk is a single raw block. Reading takes any UnixFS file within the limits below, from blocks
that nobody vouches for: each is checked against its CID, each child against the size its parent gave. Both hold a few
blocks in memory, whatever the size of the file.

Hostile trees: a cycle would break SHA-256; depth, bytes and number of blocks are bounded before they are spent.

Source: https://github.com/ipfs/boxo/tree/main/ipld/unixfs/importer/balanced.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

from inferix.storage.cid import Cid, Codec
from inferix.storage.errors import MalformedFile, TooLarge
from inferix.storage.unixfs import Link, Node, decode_node, encode_node

CHUNK_SIZE = 262_144
MAX_LINKS = 174
MAX_BLOCK = 2 * 1024 * 1024
MAX_DEPTH = 8  # 174 links a node: seven levels of nodes hold 2^64 bytes
SPARE_BLOCKS = 64  # a file of n bytes may cost 64 + n / 1,024 blocks; more is a bomb of links
BYTES_A_BLOCK = 1_024
SPARE_LINKS = 4_096  # of a stored file: more than all levels of one leaf that repeats, up to 2^64 bytes


@runtime_checkable
class Readable(Protocol):
    """An open binary file, or what reads like one; an empty read is its end."""

    def read(self, size: int, /) -> bytes: ...


Source = bytes | Readable | Iterable[bytes]
Fetch = Callable[[Sequence[Cid]], Iterator[bytes]]
"""Yields the blocks of these CIDs, in order and unchecked; a remote store reads ahead here."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block under its name."""

    cid: Cid
    data: bytes


@dataclass(frozen=True, slots=True)
class FileStat:
    """Bytes of a file, and of all its blocks together as its root claims them."""

    size: int
    stored: int


def blocks_of(source: Source) -> Iterator[Block]:
    """The blocks of a file: children before their parents, the root last."""
    levels: list[list[Link]] = [[]]
    for data in chunks_of(source):
        if len(levels[0]) == MAX_LINKS:
            yield from _fold(levels, 0)
        cid = Cid.of(Codec.RAW, data)
        levels[0].append(Link(cid, len(data), len(data)))
        yield Block(cid, data)
    level = 0
    while level + 1 < len(levels) or len(levels[level]) > 1:
        yield from _fold(levels, level)
        level += 1


def _fold(levels: list[list[Link]], level: int) -> Iterator[Block]:
    """Turns the links of a level into one node, a link of the level above."""
    if level + 1 == len(levels):
        levels.append([])
    if len(levels[level + 1]) == MAX_LINKS:
        yield from _fold(levels, level + 1)
    links = levels[level]
    levels[level] = []
    data = encode_node(links)
    cid = Cid.of(Codec.DAG_PB, data)
    total = len(data) + sum(link.total for link in links)
    levels[level + 1].append(Link(cid, sum(link.size for link in links), total))
    yield Block(cid, data)


def chunks_of(source: Source, size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """The stream in pieces of exactly ``size`` bytes, the last one shorter; one empty piece if there is nothing."""
    held = bytearray()
    empty = True
    for piece in _pieces(source, size):
        view = memoryview(piece)
        while len(held) + len(view) >= size:
            room = size - len(held)
            held += view[:room]
            view = view[room:]
            yield bytes(held)
            held.clear()
            empty = False
        held += view
    if held or empty:
        yield bytes(held)


def _pieces(source: Source, size: int) -> Iterable[bytes]:
    if isinstance(source, bytes):
        return (source,)
    if isinstance(source, Readable):
        return iter(partial(source.read, size), b"")
    return source


def file_stat(root: Cid, block: bytes) -> FileStat:
    """Size of the file with this root block, as the block gives it once its hash is found right."""
    checked_block(root, block)
    if root.codec is Codec.RAW:
        return FileStat(len(block), len(block))
    node = decode_node(block)
    return FileStat(node.size, len(block) + sum(link.total for link in node.links))


def read_file(root: Cid, fetch: Fetch, max_size: int) -> Iterator[bytes]:
    """The bytes of a file, each piece checked before it is handed out.

    The root is read at once: a file larger than ``max_size`` raises TooLarge here. BlockCorrupt, MalformedFile and
    what ``fetch`` raises may come at any piece: only a reader that reaches the end has the file.
    """
    block = next(fetch([root]))
    size = file_stat(root, block).size
    if size > max_size:
        raise TooLarge(f"{root} has {size:,} bytes, the limit is {max_size:,}; raise the limit if you want it")
    return _Reader(fetch, SPARE_BLOCKS + size // BYTES_A_BLOCK).walk(root, block, size, depth=0)


class _Reader:
    def __init__(self, fetch: Fetch, blocks_left: int) -> None:
        self._fetch = fetch
        self._blocks_left = blocks_left

    def walk(self, cid: Cid, block: bytes, size: int, depth: int) -> Iterator[bytes]:
        """The bytes under one block, which its parent says are ``size``."""
        if cid.codec is Codec.RAW:
            if len(block) != size:
                raise MalformedFile(f"{cid} has {len(block)} bytes, its parent promised {size}")
            if block:
                yield block
            return
        node = decode_node(block)
        self._check(cid, node, size, depth)
        if node.inline:
            yield node.inline
        children = self._fetch([link.cid for link in node.links])
        for link, child in zip(node.links, children, strict=True):
            yield from self.walk(link.cid, checked_block(link.cid, child), link.size, depth + 1)

    def _check(self, cid: Cid, node: Node, size: int, depth: int) -> None:
        if node.size != size:
            raise MalformedFile(f"{cid} has {node.size} bytes, its parent promised {size}")
        if node.links and depth >= MAX_DEPTH:
            raise MalformedFile(f"the file is more than {MAX_DEPTH} levels deep")
        if any(link.size == 0 for link in node.links):
            raise MalformedFile(f"{cid} links to nothing: a child of 0 bytes")
        self._blocks_left -= len(node.links)
        if self._blocks_left < 0:
            raise MalformedFile(f"the file has too many blocks for its size: more than one per {BYTES_A_BLOCK} bytes")


def checked_block(cid: Cid, block: bytes) -> bytes:
    """The block, once its size and its hash are found right; raises TooLarge or BlockCorrupt."""
    if len(block) > MAX_BLOCK:
        raise TooLarge(f"{cid} has {len(block):,} bytes; a block has at most {MAX_BLOCK:,}")
    return cid.verify(block)


def stored_size(root: Cid, get_block: Callable[[Cid], bytes], block_size: Callable[[Cid], int], max_stored: int) -> int:
    """Bytes of all blocks of a file, each counted once; ``block_size`` raises BlockMissing for one that is not here.

    Bounded by what is here, not by what blocks claim: a node's children are looked up before anything beneath it is
    read, and links may not be many more than stored bytes account for. Raises TooLarge or MalformedFile.
    """
    stored, links = block_size(root), 0
    seen, pending = {root}, [(root, 0)]
    while pending:
        if stored > max_stored:
            raise TooLarge(f"{root} takes more than {max_stored:,} bytes; store it in several files")
        cid, depth = pending.pop()
        if cid.codec is Codec.RAW:
            continue
        node = decode_node(checked_block(cid, get_block(cid)))
        if node.links and depth >= MAX_DEPTH:
            raise MalformedFile(f"the file is more than {MAX_DEPTH} levels deep")
        for child in {link.cid for link in node.links} - seen:
            stored += block_size(child)
            seen.add(child)
            pending.append((child, depth + 1))
        links += len(node.links)
        if links > SPARE_LINKS + stored // BYTES_A_BLOCK:
            raise MalformedFile(f"the file has too many links for its blocks: more than one per {BYTES_A_BLOCK} bytes")
    return stored


def reachable(roots: Iterable[Cid], get_block: Callable[[Cid], bytes]) -> Iterator[Cid]:
    """Every block of these files once, parents before children; leaves are named, not read."""
    seen: set[Cid] = set()
    for root in roots:
        pending = [root]
        while pending:
            cid = pending.pop()
            if cid in seen:
                continue
            seen.add(cid)
            yield cid
            if cid.codec is Codec.DAG_PB:
                node = decode_node(checked_block(cid, get_block(cid)))
                pending += [link.cid for link in reversed(node.links) if link.cid not in seen]
