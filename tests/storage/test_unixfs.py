# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferix.storage.cid import Cid, Codec
from inferix.storage.errors import MalformedFile
from inferix.storage.unixfs import Link, Node, decode_node, encode_node

CID = Cid.of(Codec.RAW, b"x")
LINK = b"\x12\x2a" + b"\x0a\x24" + bytes(CID) + b"\x12\x00\x18\x01"
DATA = b"\x0a\x06\x08\x02\x18\x01\x20\x01"
uint64 = st.integers(0, 2**64 - 1)
links = st.builds(Link, st.builds(Cid, st.sampled_from(Codec), st.binary(min_size=32, max_size=32)), uint64, uint64)


def test_encode__one_link__bytes_of_the_specification() -> None:
    assert encode_node([Link(CID, 1, 1)]) == LINK + DATA
    assert decode_node(LINK + DATA) == Node(b"", (Link(CID, 1, 1),))


@given(st.lists(links, max_size=5).filter(lambda some: sum(link.size for link in some) < 2**64))
def test_encode_decode__round_trip(some: list[Link]) -> None:
    assert decode_node(encode_node(some)) == Node(b"", tuple(some))


def test_decode__inline_bytes_of_older_layouts() -> None:
    assert decode_node(b"\x0a\x09\x08\x02\x12\x03abc\x18\x03") == Node(b"abc", ())
    assert decode_node(b"\x0a\x09\x08\x00\x12\x03abc\x18\x03") == Node(b"abc", ())
    assert decode_node(b"\x0a\x02\x08\x02").size == 0


def test_decode__mode_and_time__ignored() -> None:
    assert decode_node(b"\x0a\x0c\x08\x02\x12\x01a\x18\x01\x38\x24\x42\x01\x00").inline == b"a"


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"", "without data"),
        (LINK, "without data"),
        (DATA + LINK, "links followed by data"),
        (LINK + DATA + DATA, "links followed by data"),
        (b"\x1a\x00", "links followed by data"),
        (LINK + LINK + DATA, "1 sizes for 2 links"),
        (DATA, "1 sizes for 0 links"),
        (LINK + b"\x0a\x06\x08\x02\x18\x02\x20\x01", "not the sum"),
        (LINK + b"\x0a\x04\x08\x02\x20\x01", "not the sum"),
        (b"\x0a\x07\x08\x02\x12\x03abc", "not the sum"),
        (b"\x0a\x02\x08\x01", "a directory"),
        (b"\x0a\x02\x08\x04", "a symbolic link"),
        (b"\x0a\x02\x08\x05", "a sharded directory"),
        (b"\x0a\x02\x08\x09", "of type 9"),
        (b"\x0a\x02\x18\x00", "of no kind"),
        (b"\x0a\x04\x08\x02\x08\x02", "field 1"),
        (b"\x0a\x04\x08\x02\x30\x01", "field 6"),
        (b"\x0a\x04\x08\x02\x0a\x00", "field 1"),
        (b"\x0a\x05\x08\x02\x22\x01\x01", "field 4"),  # packed sizes
        (b"\x0a\x7f\x08\x02", "cut off"),
        (b"\x0a", "cut off"),
        (b"\x0d\x01\x00\x00\x00", "cut off or of a type"),  # a fixed32
        (b"\x0a\x82\x00\x08\x02", "not minimal"),
        (b"\x0a\x0c\x08\x02\x18" + b"\xff" * 9 + b"\x02", "too long"),
        (b"\x12\x00" + DATA, "without a CID"),
        (b"\x12\x04\x18\x01\x12\x00" + DATA, "out of order"),
        (b"\x12\x2b\x0a\x24" + bytes(CID) + b"\x12\x01a\x18\x01" + DATA, "has a name"),
        (b"\x12\x24\x0a\x22\x12\x20" + CID.digest + DATA, "outside this network"),  # a CIDv0
    ],
)
def test_decode__not_a_file__refused(block: bytes, reason: str) -> None:
    with pytest.raises(MalformedFile, match=reason):
        decode_node(block)


@given(st.binary(max_size=200), st.integers(0, 60), st.binary(max_size=3))
def test_decode__any_bytes__a_consistent_node_or_malformed(noise: bytes, at: int, patch: bytes) -> None:
    sound = LINK + DATA
    for block in (noise, sound[:at] + patch + sound[at + len(patch) :], sound[:at] + patch + sound[at:]):
        try:
            node = decode_node(block)
        except MalformedFile:
            continue
        assert node.size == len(node.inline) + sum(link.size for link in node.links)
