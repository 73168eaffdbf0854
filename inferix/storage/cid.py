# SPDX-License-Identifier: Apache-2.0
"""Content identifiers: CIDv1, codec raw or dag-pb, sha2-256, written in lower-case base32.

A CID is 36 bytes: version 0x01, codec, multihash 0x12 0x20 and the 32-byte digest. As text it is ``b`` and 58 base32
characters. Nothing else is accepted, so one block has one name; the codec tells how to read the block, and the digest
is what a contract stores. Source: https://github.com/multiformats/cid, RFC 4648 section 6.
"""

import base64
import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from inferix.storage.errors import BlockCorrupt, InvalidCid

DIGEST_SIZE = 32
CID_SIZE = 36
_TEXT_SIZE = 59
_SHA2_256 = b"\x12\x20"


class Codec(IntEnum):
    """How to read a block: bytes of a file, or a node that links to other blocks."""

    RAW = 0x55
    DAG_PB = 0x70


@dataclass(frozen=True, slots=True, order=True)
class Cid:
    """The name of one block; also of the file whose root that block is."""

    codec: Codec
    digest: bytes

    def __post_init__(self) -> None:
        if len(self.digest) != DIGEST_SIZE:
            raise InvalidCid(f"a CID holds a digest of {DIGEST_SIZE} bytes, not {len(self.digest)}")

    @classmethod
    def of(cls, codec: Codec, block: bytes) -> Self:
        """The CID of a block."""
        return cls(codec, hashlib.sha256(block).digest())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``bafy...`` or ``bafk...``; any other spelling raises InvalidCid."""
        if text.startswith("Qm") and len(text) == 46:
            raise InvalidCid(f"{text} is a CIDv0; convert it with `ipfs cid base32 {text}`")
        if len(text) != _TEXT_SIZE or text[0] != "b" or text != text.lower():
            raise InvalidCid(f"not a CIDv1 in lower-case base32: {text[:80]!r}")
        try:
            raw = base64.b32decode(text[1:].upper() + "======")
        except ValueError as error:
            raise InvalidCid(f"not base32: {text!r}") from error
        cid = cls.from_bytes(raw)
        if str(cid) != text:
            raise InvalidCid(f"{text} has stray bits at its end; its proper spelling is {cid}")
        return cid

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Reads the 36 bytes of a CID; anything else raises InvalidCid."""
        if len(raw) != CID_SIZE or raw[0] != 1 or raw[2:4] != _SHA2_256:
            raise InvalidCid(f"not a CIDv1 with a sha2-256 hash: {raw[:40].hex()}")
        try:
            codec = Codec(raw[1])
        except ValueError:
            raise InvalidCid(f"codec 0x{raw[1]:02x} is neither raw (0x55) nor dag-pb (0x70)") from None
        return cls(codec, raw[4:])

    def verify(self, block: bytes) -> bytes:
        """The block itself, once its hash is found right; else raises BlockCorrupt."""
        if hashlib.sha256(block).digest() != self.digest:
            raise BlockCorrupt(f"{len(block)} bytes do not hash to {self}; fetch the block from another source")
        return block

    def __bytes__(self) -> bytes:
        return bytes((1, self.codec)) + _SHA2_256 + self.digest

    def __str__(self) -> str:
        return "b" + base64.b32encode(bytes(self)).decode("ascii").rstrip("=").lower()
