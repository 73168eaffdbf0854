# SPDX-License-Identifier: Apache-2.0
"""Arguments of events as JSON and back; pure.

Integers over 53 bits are decimal text, bytes ``0x`` lower-case hex, addresses checksummed text, structs objects, arrays
lists. What could be mistaken for another kind is wrapped: ``{"$text": ...}`` for texts that are no address,
``{"$bytes": ...}`` for 20 bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from eth_utils.address import is_checksum_address

from inferix.errors import Corrupt, InvalidInput

_SAFE_INTEGER = 2**53
_ADDRESS_BYTES = 20


def args_to_json(args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as plain JSON."""
    return {name: _to_json(value) for name, value in args.items()}


def args_from_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as they were; Corrupt when this is not what ``args_to_json`` wrote."""
    return {name: _from_json(value) for name, value in data.items()}


def _to_json(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _SAFE_INTEGER else str(value)
    if isinstance(value, bytes):
        text = "0x" + value.hex()
        return {"$bytes": text} if len(value) == _ADDRESS_BYTES else text
    if isinstance(value, str):
        return value if is_checksum_address(value) else {"$text": value}
    if isinstance(value, Mapping):
        return {name: _to_json(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [_to_json(item) for item in value]
    raise InvalidInput(f"an event's argument of type {type(value).__name__} has no place in JSON")


def _from_json(value: Any) -> Any:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return tuple(_from_json(item) for item in value)
    if isinstance(value, dict):
        if value.keys() == {"$text"}:
            return value["$text"]
        if value.keys() == {"$bytes"}:
            return bytes.fromhex(value["$bytes"][2:])
        return {name: _from_json(item) for name, item in value.items()}
    raise Corrupt(f"an event's argument in the database is of type {type(value).__name__}: mirror the chain anew")


def _text(value: str) -> int | bytes | str:
    if is_checksum_address(value):
        return value
    try:
        return bytes.fromhex(value[2:]) if value.startswith("0x") else int(value)
    except ValueError as error:
        raise Corrupt(f"a malformed argument of an event in the database, {value[:40]!r}: mirror anew") from error
