# SPDX-License-Identifier: Apache-2.0
import hashlib
import hmac
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings as sodium

from inferix.errors import Corrupt, InvalidInput
from inferix.sealing import (
    CHUNK_SIZE,
    HEADER_SIZE,
    OVERHEAD,
    JobKey,
    SealError,
    job_key,
    open_key,
    open_stream,
    seal_key,
    seal_stream,
    sealed_size,
    sealing_keypair,
    sealing_public_key,
    subkey,
)

KEY = JobKey(bytes(range(32)))
SEALED_CHUNK = CHUNK_SIZE + OVERHEAD
SIZES = [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE, 3 * CHUNK_SIZE + 100]
THREE = bytes(range(256)) * (2 * CHUNK_SIZE // 256) + b"the end"


def sealed(data: bytes, key: JobKey = KEY) -> bytes:
    return b"".join(seal_stream(key, [data]))


def opened(data: bytes, key: JobKey = KEY) -> bytes:
    return b"".join(open_stream(key, [data]))


def chunks(data: bytes) -> list[bytes]:
    """The header, then the chunks."""
    body = range(HEADER_SIZE, len(data), SEALED_CHUNK)
    return [data[:HEADER_SIZE], *(data[at : at + SEALED_CHUNK] for at in body)]


def test_job_key__random_32_bytes() -> None:
    assert len({job_key() for _ in range(100)}) == 100
    assert all(len(job_key()) == 32 for _ in range(3))


def test_seal_key__opens_with_the_recipient_s_private_key_alone() -> None:
    private, public = sealing_keypair()
    other, _ = sealing_keypair()
    box = seal_key(KEY, public)
    assert len(box) == 80
    assert KEY not in box
    assert box != seal_key(KEY, public)
    assert open_key(box, private) == KEY
    assert sealing_public_key(private) == public
    with pytest.raises(SealError, match="another node"):
        open_key(box, other)


@given(st.integers(0, 79), st.integers(1, 255))
def test_open_key__any_byte_changed__refused(at: int, flip: int) -> None:
    private, public = sealing_keypair()
    box = bytearray(seal_key(KEY, public))
    box[at] ^= flip
    with pytest.raises(SealError):
        open_key(bytes(box), private)


@pytest.mark.parametrize("size", [0, 31, 79, 81])
def test_open_key__another_length__refused(size: int) -> None:
    private, _ = sealing_keypair()
    with pytest.raises(SealError, match="80 bytes"):
        open_key(bytes(size), private)


def test_seal_key__useless_recipient_or_key__refused() -> None:
    _, public = sealing_keypair()
    with pytest.raises(InvalidInput, match="not a usable X25519 key"):
        seal_key(KEY, bytes(32))
    with pytest.raises(InvalidInput, match="public key has 32 bytes, not 33"):
        seal_key(KEY, public + b"\x00")
    with pytest.raises(InvalidInput, match="job key has 32 bytes, not 31"):
        seal_key(JobKey(KEY[:31]), public)


def test_errors__never_show_the_key() -> None:
    secret = JobKey(b"a secret of another length")
    for call in (lambda: subkey(secret, "x"), lambda: sealed(b"", secret), lambda: open_key(bytes(80), secret)):
        with pytest.raises(InvalidInput) as refusal:
            call()
        assert "secret of" not in str(refusal.value)


def test_subkey__the_bytes_of_its_definition() -> None:
    message = b"inferix.subkey.v1" + b"\x00\x00\x00\x06result" + b"\x00\x00\x00\x03abc" + b"\x00\x00\x00\x00"
    expected = hmac.new(KEY, message, hashlib.sha256).digest()
    assert subkey(KEY, "result", b"abc", b"") == expected
    assert expected.hex() == "e20a8b83ef5fa994187ea4bf3f176b43de9f87ffb6b282a6a5dc8dc5ff6012ca"


@given(st.lists(st.tuples(st.text(min_size=1, max_size=4), st.lists(st.binary(max_size=4), max_size=3)), max_size=6))
def test_subkey__other_purpose_other_key(purposes: list[tuple[str, list[bytes]]]) -> None:
    distinct = {(label, tuple(parts)) for label, parts in purposes}
    assert len({subkey(KEY, label, *parts) for label, parts in distinct}) == len(distinct)
    assert all(subkey(KEY, label, *parts) != KEY for label, parts in distinct)


def test_subkey__boundaries_count_and_a_label_is_needed() -> None:
    assert (
        len({subkey(KEY, "ab", b"c"), subkey(KEY, "a", b"bc"), subkey(KEY, "abc"), subkey(KEY, "ab", b"c", b"")}) == 4
    )
    with pytest.raises(InvalidInput, match="label"):
        subkey(KEY, "")


@pytest.mark.parametrize("size", SIZES)
def test_stream__round_trip_in_the_documented_frames(size: int) -> None:
    data = THREE[:size].ljust(size, b"+")
    parts = list(seal_stream(KEY, [data]))
    assert b"".join(parts) == b"".join(chunks(b"".join(parts)))
    assert [len(part) for part in parts[:-1]] == [HEADER_SIZE] + [SEALED_CHUNK] * (len(parts) - 2)
    assert sum(map(len, parts)) == sealed_size(size)
    assert opened(b"".join(parts)) == data


@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=8))
def test_stream__however_it_is_cut_into_pieces(data: bytes, cuts: list[int]) -> None:
    def pieces(whole: bytes) -> Iterator[bytes]:
        return (whole[a:b] for a, b in itertools.pairwise([0, *sorted(cuts), len(whole)]))

    box = b"".join(seal_stream(KEY, pieces(data)))
    assert len(box) == sealed_size(len(data))
    assert b"".join(open_stream(KEY, pieces(box))) == data


def test_stream__same_file_twice__other_bytes() -> None:
    assert sealed(THREE) != sealed(THREE)


@given(st.integers(0, sealed_size(len(THREE)) - 1), st.integers(1, 255))
def test_open_stream__any_byte_changed__refused(at: int, flip: int) -> None:
    box = bytearray(sealed(THREE))
    box[at] ^= flip
    with pytest.raises(SealError):
        opened(bytes(box))


@given(st.integers(0, sealed_size(len(THREE)) - 1))
def test_open_stream__cut_anywhere__refused_at_its_end(length: int) -> None:
    got = []
    with pytest.raises(SealError):
        got.extend(open_stream(KEY, [sealed(THREE)[:length]]))
    assert b"".join(got) == THREE[: len(got) * CHUNK_SIZE]


@pytest.mark.parametrize(
    "length", [0, HEADER_SIZE - 1, HEADER_SIZE, HEADER_SIZE + SEALED_CHUNK, HEADER_SIZE + 2 * SEALED_CHUNK]
)
def test_open_stream__cut_between_chunks__refused(length: int) -> None:
    with pytest.raises(SealError, match="cut off"):
        opened(sealed(THREE)[:length])


def test_open_stream__chunks_swapped_repeated_dropped_or_added__refused() -> None:
    header, first, second, last = chunks(sealed(THREE))
    wrong_orders = [
        (header, second, first, last),
        (header, first, first, second, last),
        (header, first, last),
        (header, last),
        (header, first, second, last, last),
        (header, first, second, last, b"\x00"),
        (header, first, second, last, bytes(SEALED_CHUNK)),
        (header, header, first, second, last),
    ]
    for order in wrong_orders:
        with pytest.raises(SealError):
            opened(b"".join(order))
    assert opened(b"".join((header, first, second, last))) == THREE


def test_open_stream__chunk_of_another_file_under_the_same_key__refused() -> None:
    header, first, second, last = chunks(sealed(THREE))
    _, other_first, _, other_last = chunks(sealed(THREE))
    for order in ((header, other_first, second, last), (header, first, second, other_last)):
        with pytest.raises(SealError):
            opened(b"".join(order))


def test_open_stream__another_key__refused_before_the_first_byte() -> None:
    with pytest.raises(SealError, match="another key"):
        next(open_stream(subkey(KEY, "another"), [sealed(THREE)]))
    assert issubclass(SealError, Corrupt)


def with_tags(*tagged: tuple[bytes, int]) -> bytes:
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    header = sodium.crypto_secretstream_xchacha20poly1305_init_push(state, KEY)
    return header + b"".join(
        sodium.crypto_secretstream_xchacha20poly1305_push(state, data, None, tag) for data, tag in tagged
    )


def test_open_stream__right_key_but_tags_out_of_place__refused() -> None:
    message = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
    final = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
    push = sodium.crypto_secretstream_xchacha20poly1305_TAG_PUSH
    full = bytes(CHUNK_SIZE)
    assert opened(with_tags((full, message), (b"", final))) == full
    for wrong in (
        with_tags((full, message)),
        with_tags((b"short", message)),
        with_tags((full, final), (b"more", final)),
        with_tags((full, push), (b"more", final)),
        with_tags((b"short", message), (b"more", final)),
    ):
        with pytest.raises(SealError):
            opened(wrong)


def test_streams__one_piece_in_one_piece_out() -> None:
    read = 0

    def source() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(CHUNK_SIZE)

    assert len(list(itertools.islice(open_stream(KEY, seal_stream(KEY, source())), 10))) == 10
    assert read <= 13
