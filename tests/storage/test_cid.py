# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferix.errors import InvalidInput
from inferix.storage.cid import Cid, Codec
from inferix.storage.errors import BlockCorrupt, InvalidCid

# `printf hello | ipfs add -Q --cid-version=1`, and the sha256sum of hello
HELLO = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
HELLO_DIGEST = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_parse__known_cid__codec_digest_and_text() -> None:
    cid = Cid.parse(HELLO)
    assert cid == Cid.of(Codec.RAW, b"hello") == Cid(Codec.RAW, bytes.fromhex(HELLO_DIGEST))
    assert str(cid) == HELLO
    assert bytes(cid).hex() == "01551220" + HELLO_DIGEST


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a CIDv1"),
        ("QmWfVY9y3xjsixTgbd9AorQxH7VtMpzfx2HaWtsoUYecaX", "CIDv0"),
        (HELLO.upper(), "not a CIDv1"),
        (HELLO[:-1], "not a CIDv1"),
        (HELLO + "a", "not a CIDv1"),
        ("z" + HELLO[1:], "not a CIDv1"),
        (HELLO[:-1] + "1", "not base32"),
        (HELLO[:-1] + "é", "not base32"),
        (HELLO[:-1] + "r", "stray bits"),
        # codec dag-cbor 0x71; hash sha2-512 cut to 32 bytes; version 2
        ("bafyreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq", "codec 0x71"),
        ("bafkregbm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq", "sha2-256"),
        ("bajkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq", "not a CIDv1"),
    ],
)
def test_parse__anything_else__refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidCid, match=reason) as refusal:
        Cid.parse(text)
    assert isinstance(refusal.value, InvalidInput)


@given(st.sampled_from(Codec), st.binary(min_size=32, max_size=32))
def test_text_and_bytes__round_trip(codec: Codec, digest: bytes) -> None:
    cid = Cid(codec, digest)
    assert Cid.parse(str(cid)) == cid
    assert Cid.from_bytes(bytes(cid)) == cid


@given(st.text(max_size=70) | st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=58, max_size=58).map("b".__add__))
def test_parse__accepts_only_its_own_spelling(text: str) -> None:
    try:
        cid = Cid.parse(text)
    except InvalidCid:
        return
    assert str(cid) == text


@given(st.binary(max_size=40))
def test_from_bytes__accepts_only_its_own_bytes(raw: bytes) -> None:
    try:
        cid = Cid.from_bytes(raw)
    except InvalidCid:
        return
    assert bytes(cid) == raw


def test_digest_of_another_length__refused() -> None:
    with pytest.raises(InvalidCid, match="32 bytes, not 31"):
        Cid(Codec.RAW, bytes(31))


def test_verify__right_block_given_back_wrong_one_refused() -> None:
    cid = Cid.parse(HELLO)
    assert cid.verify(b"hello") == b"hello"
    with pytest.raises(BlockCorrupt, match="do not hash"):
        cid.verify(b"hellp")
