# SPDX-License-Identifier: Apache-2.0
"""Keys of jobs, and files that only their holders can read.

A job has one random key of 32 bytes. It travels in a libsodium sealed box to the X25519 key of whoever may read the
job; files are encrypted under keys derived from it, each for one purpose, so that no ciphertext can stand for another.

Subkey: HMAC-SHA256(job key, "inferix.subkey.v1" L(label) L(part 1) L(part 2) ...), where L(x) is the length of x as
four bytes, big-endian, then x; the label is UTF-8.

Sealed file: libsodium secretstream (XChaCha20-Poly1305) without additional data. A header of 24 bytes, then chunks:
each is 65,536 bytes of the file and 17 of tag and MAC, TAG_MESSAGE, but the last one, which may be shorter, with
TAG_FINAL. An empty file is a header and one chunk of 17 bytes.

Source: https://doc.libsodium.org/secret-key_cryptography/secretstream, RFC 2104.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from typing import NewType

from nacl import bindings as sodium
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from inferix.errors import Corrupt, InvalidInput

JobKey = NewType("JobKey", bytes)
"""32 secret bytes; also what `subkey` derives."""

KEY_SIZE = 32
SEALED_KEY_SIZE = 80
CHUNK_SIZE = 65_536
HEADER_SIZE = 24
OVERHEAD = 17
_SUBKEY_DOMAIN = b"inferix.subkey.v1"
_FINAL = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_MESSAGE = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE


class SealError(Corrupt):
    """A sealed key or file was altered, cut off, put together from others, or is not for this key."""


def job_key() -> JobKey:
    """A fresh random key."""
    return JobKey(secrets.token_bytes(KEY_SIZE))


def sealing_keypair() -> tuple[bytes, bytes]:
    """A fresh X25519 pair (private, public), 32 bytes each; the public one is a node's ``sealing_key``."""
    private = PrivateKey.generate()
    return bytes(private), bytes(private.public_key)


def sealing_public_key(private: bytes) -> bytes:
    """The public half of an X25519 private key."""
    return bytes(PrivateKey(_sized(private, "private key")).public_key)


def seal_key(key: JobKey, recipient: bytes) -> bytes:
    """The job key in 80 bytes that only the holder of the recipient's X25519 private key can open."""
    return seal_box(_sized(key, "job key"), recipient)


def open_key(sealed: bytes, private: bytes) -> JobKey:
    """The job key in a sealed box. Raises SealError unless it was sealed to this private key."""
    if len(sealed) != SEALED_KEY_SIZE:
        raise SealError(f"a sealed key has {SEALED_KEY_SIZE} bytes, not {len(sealed)}; ask for it again")
    box = SealedBox(PrivateKey(_sized(private, "private key")))
    try:
        return JobKey(box.decrypt(sealed))
    except CryptoError as error:
        raise SealError("the key was sealed to another node or altered; ask for it again") from error


def seal_box(body: bytes, recipient: bytes) -> bytes:
    """Any bytes, 48 longer, that only the holder of the recipient's X25519 private key can open."""
    try:
        return bytes(SealedBox(PublicKey(_sized(recipient, "recipient's public key"))).encrypt(body))
    except CryptoError as error:
        raise InvalidInput("the recipient's sealing key is not a usable X25519 key; ask for a new one") from error


def open_box(sealed: bytes, private: bytes) -> bytes:
    """What ``seal_box`` sealed. Raises SealError unless it was sealed to this private key."""
    try:
        return bytes(SealedBox(PrivateKey(_sized(private, "private key"))).decrypt(sealed))
    except (CryptoError, ValueError) as error:
        raise SealError("the box was sealed to another node or altered; ask for it again") from error


def subkey(key: JobKey, label: str, *parts: bytes) -> JobKey:
    """A key for one purpose: ``subkey(key, "result", task, attempt.to_bytes(1, "big"))``."""
    if not label:
        raise InvalidInput("a subkey needs a label that names its purpose")
    mac = hmac.new(_sized(key, "job key"), _SUBKEY_DOMAIN, hashlib.sha256)
    for part in (label.encode(), *parts):
        mac.update(len(part).to_bytes(4, "big") + part)
    return JobKey(mac.digest())


def seal_stream(key: JobKey, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Encrypts a file: the header, then one chunk at a time."""
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    yield sodium.crypto_secretstream_xchacha20poly1305_init_push(state, _sized(key, "key"))
    for chunk, last in _chunks(pieces, CHUNK_SIZE):
        tag = _FINAL if last else _MESSAGE
        yield sodium.crypto_secretstream_xchacha20poly1305_push(state, chunk, None, tag)


def open_stream(key: JobKey, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decrypts a file as it arrives; each piece is authentic and in its place when it is handed out.

    The file is whole only when the iterator ends by itself: a cut shows as SealError at the end, so write through
    `inferix.storage.files.write_atomic`, or keep nothing until then. The last piece may be empty.
    """
    _sized(key, "key")
    source = iter(pieces)
    head = bytearray()
    while len(head) < HEADER_SIZE:
        piece = next(source, None)
        if piece is None:
            raise SealError("the sealed file is cut off within its header; fetch it again")
        head += piece
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, bytes(head[:HEADER_SIZE]), key)
    for chunk, last in _chunks(_after(bytes(head[HEADER_SIZE:]), source), CHUNK_SIZE + OVERHEAD):
        yield _pull(state, chunk, last)


def sealed_size(size: int) -> int:
    """Bytes of a sealed file of ``size`` bytes."""
    return HEADER_SIZE + size + OVERHEAD * max(1, -(-size // CHUNK_SIZE))


def _pull(state: sodium.crypto_secretstream_xchacha20poly1305_state, chunk: bytes, last: bool) -> bytes:
    if len(chunk) < OVERHEAD:
        raise SealError("the sealed file is cut off; fetch it again")
    try:
        plain, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(state, chunk)
    except CryptoError as error:
        raise SealError("the sealed file was altered, or sealed with another key") from error
    if last and tag != _FINAL:
        raise SealError("the sealed file is cut off; fetch it again")
    if not last and tag != _MESSAGE:
        raise SealError("the sealed file goes on after its end, or marks its chunks in a way that is not ours")
    return plain


def _chunks(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Pieces of exactly ``size`` bytes with False, then the rest (0 bytes only if there was nothing) with True."""
    held = bytearray()
    for piece in pieces:
        view = memoryview(piece)
        while len(held) + len(view) > size:
            room = size - len(held)
            held += view[:room]
            view = view[room:]
            yield bytes(held), False
            held.clear()
        held += view
    yield bytes(held), True


def _after(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _sized(key: bytes, what: str) -> bytes:
    """The key itself; its length is told, never its bytes."""
    if len(key) != KEY_SIZE:
        raise InvalidInput(f"a {what} has {KEY_SIZE} bytes, not {len(key)}")
    return key
