# SPDX-License-Identifier: Apache-2.0
"""Nodes of a file: UnixFS in dag-pb, written byte for byte as Kubo writes them, read strictly.

    PBNode { repeated PBLink Links = 2; bytes Data = 1 }       links first on the wire
    PBLink { bytes Hash = 1; string Name = 2; uint64 Tsize = 3 }
    Data   { Type = 1; bytes Data = 2; uint64 filesize = 3; repeated uint64 blocksizes = 4; ...; mode = 7; mtime = 8 }

Sources: https://ipld.io/specs/codecs/dag-pb/spec/, https://specs.ipfs.tech/unixfs/.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inferix.storage.cid import Cid
from inferix.storage.errors import InvalidCid, MalformedFile

_VARINT, _BYTES = 0, 2
_TYPE_RAW, _TYPE_FILE = 0, 2
_OTHER_TYPES = {1: "a directory", 3: "metadata", 4: "a symbolic link", 5: "a sharded directory"}


@dataclass(frozen=True, slots=True)
class Link:
    """A child of a node: ``size`` bytes of the file, ``total`` bytes of blocks at and beneath it (Tsize)."""

    cid: Cid
    size: int
    total: int


@dataclass(frozen=True, slots=True)
class Node:
    """A file, or a stretch of one: the inline bytes, then the children in order."""

    inline: bytes
    links: tuple[Link, ...]

    @property
    def size(self) -> int:
        """Bytes of the file at and beneath this node."""
        return len(self.inline) + sum(link.size for link in self.links)


def encode_node(links: Sequence[Link]) -> bytes:
    """The dag-pb block of a file node without inline bytes."""
    wire = bytearray()
    for link in links:
        body = b"\x0a" + _sized(bytes(link.cid)) + b"\x12\x00\x18" + _varint(link.total)
        wire += b"\x12" + _sized(body)
    data = bytearray((0x08, _TYPE_FILE, 0x18)) + _varint(sum(link.size for link in links))
    for link in links:
        data += b"\x20" + _varint(link.size)
    return bytes(wire + b"\x0a" + _sized(bytes(data)))


def decode_node(block: bytes) -> Node:
    """Reads a dag-pb block; what is not a consistent part of a file raises MalformedFile.

    Sizes are what the block says of its children: a reader checks them against the children themselves.
    """
    targets: list[tuple[Cid, int]] = []
    data: bytes | None = None
    for number, value in _fields(block):
        if data is not None or not isinstance(value, bytes) or number not in (1, 2):
            raise MalformedFile("a dag-pb block holds something other than links followed by data")
        if number == 2:
            targets.append(_decode_link(value))
        else:
            data = value
    if data is None:
        raise MalformedFile("a dag-pb block without data is not a file; add it again as a file")
    inline, sizes = _decode_data(data)
    if len(sizes) != len(targets):
        raise MalformedFile(f"a node gives {len(sizes)} sizes for {len(targets)} links")
    links = (Link(cid, size, total) for (cid, total), size in zip(targets, sizes, strict=True))
    return Node(inline, tuple(links))


def _decode_link(wire: bytes) -> tuple[Cid, int]:
    cid: Cid | None = None
    total = 0
    last = 0
    for number, value in _fields(wire):
        if number <= last:
            raise MalformedFile("the fields of a link are repeated or out of order")
        last = number
        if number == 1 and isinstance(value, bytes):
            try:
                cid = Cid.from_bytes(value)
            except InvalidCid as error:
                raise MalformedFile(f"a link leads outside this network's blocks: {error}") from error
        elif number == 3 and isinstance(value, int):
            total = value
        elif not (number == 2 and value == b""):
            raise MalformedFile("a link of a file has a name or a field that is not known")
    if cid is None:
        raise MalformedFile("a link without a CID")
    return cid, total


def _decode_data(wire: bytes) -> tuple[bytes, list[int]]:
    """The inline bytes and the sizes of the children, once filesize is found to be their sum."""
    kind: int | None = None
    filesize: int | None = None
    inline = b""
    sizes: list[int] = []
    for number, value in _fields(wire):
        if number == 1 and isinstance(value, int) and kind is None:
            kind = value
        elif number == 2 and isinstance(value, bytes) and not inline:
            inline = value
        elif number == 3 and isinstance(value, int) and filesize is None:
            filesize = value
        elif number == 4 and isinstance(value, int):
            sizes.append(value)
        elif number not in (7, 8):  # mode and mtime say nothing about the bytes
            raise MalformedFile(f"field {number} of a file is not known, repeated or of the wrong type")
    if kind not in (_TYPE_RAW, _TYPE_FILE):
        what = "of no kind" if kind is None else _OTHER_TYPES.get(kind, f"of type {kind}")
        raise MalformedFile(f"the node is {what}, not a file; name the file itself")
    if (filesize or 0) != len(inline) + sum(sizes):
        raise MalformedFile("the file size of a node is not the sum of its parts")
    return inline, sizes


def _varint(value: int) -> bytes:
    wire = bytearray()
    while value > 0x7F:
        wire.append(value & 0x7F | 0x80)
        value >>= 7
    wire.append(value)
    return bytes(wire)


def _sized(wire: bytes) -> bytes:
    return _varint(len(wire)) + wire


def _fields(wire: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message in order: an int for a varint, bytes for a length-delimited field."""
    at = 0
    while at < len(wire):
        key, at = _read_varint(wire, at)
        number, kind = key >> 3, key & 7
        value, at = _read_varint(wire, at)
        if kind == _VARINT:
            yield number, value
        elif kind == _BYTES and value <= len(wire) - at:
            yield number, wire[at : at + value]
            at += value
        else:
            raise MalformedFile("a protobuf field is cut off or of a type that files do not use")


def _read_varint(wire: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(wire):
            break
        byte = wire[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64 or (byte == 0 and shift):
                break
            return value, at
    raise MalformedFile("a protobuf number is cut off, too long or not minimal")
