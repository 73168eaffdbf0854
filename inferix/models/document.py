# SPDX-License-Identifier: Apache-2.0
"""Documents: canonical JSON whose SHA-256 is both what the chain names and the CID it is stored under.

Canonical: UTF-8, keys sorted, no blanks, integers only (no floats, no nulls for absent lists), bytes as ``0x`` hex in
lower case. The same value has one byte string, so it has one digest.
"""

import hashlib
import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from inferix.errors import Corrupt, InvalidInput

MAX_DOCUMENT = 262_144  # one raw block of storage


def _to_bytes(length: int | None) -> Any:
    def check(value: Any) -> bytes:
        if isinstance(value, str):
            if not value.startswith("0x") or value != value.lower():
                raise ValueError("write bytes as 0x and lower-case hex digits")
            value = bytes.fromhex(value[2:])
        if not isinstance(value, bytes):
            raise ValueError("write bytes as 0x and lower-case hex digits")
        if length is not None and len(value) != length:
            raise ValueError(f"must be {length} bytes, not {len(value)}")
        return bytes(value)

    return check


def _to_hex(value: bytes) -> str:
    return "0x" + value.hex()


_AS_HEX = PlainSerializer(_to_hex, return_type=str, when_used="json")
Bytes32 = Annotated[bytes, BeforeValidator(_to_bytes(32)), _AS_HEX]
Signature = Annotated[bytes, BeforeValidator(_to_bytes(65)), _AS_HEX]
HexBytes = Annotated[bytes, BeforeValidator(_to_bytes(None)), _AS_HEX]


class Value(BaseModel):
    """Base of every model: frozen, strict about types, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Document(Value):
    """A value that is stored and named by its digest."""

    def encode(self) -> bytes:
        """The canonical bytes. Raises InvalidInput when they exceed one block."""
        data = canonical(self.model_dump(mode="json"))
        if len(data) > MAX_DOCUMENT:
            raise InvalidInput(f"{type(self).__name__} is {len(data)} bytes; at most {MAX_DOCUMENT} fit: split it")
        return data

    def digest(self) -> bytes:
        """SHA-256 of the canonical bytes, 32 bytes."""
        return hashlib.sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes, digest: bytes | None = None) -> Self:
        """The value of canonical bytes; Corrupt when they are not canonical, malformed, or not those of ``digest``."""
        if len(data) > MAX_DOCUMENT:
            raise Corrupt(f"a {cls.__name__} of {len(data)} bytes: at most {MAX_DOCUMENT} are allowed")
        if digest is not None and hashlib.sha256(data).digest() != digest:
            raise Corrupt(f"this {cls.__name__} is not the one named {digest.hex()}: fetch it elsewhere")
        try:
            value = cls.model_validate_json(data)
        except (ValidationError, RecursionError) as error:
            raise Corrupt(f"malformed {cls.__name__}: {_first(error)}") from error
        if value.encode() != data:
            raise Corrupt(f"a {cls.__name__} that is not in canonical form")
        return value


def canonical(value: Any) -> bytes:
    """Canonical JSON of plain lists, dictionaries, texts, integers and booleans."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(str(part) for part in problem['loc']) or 'document'}: {problem['msg']}"
    return str(error)
