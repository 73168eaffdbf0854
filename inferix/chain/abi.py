# SPDX-License-Identifier: Apache-2.0
"""Calls and logs of contracts by name, from their JSON ABI; pure.

Values in Python: integers, bytes, booleans, texts, checksummed addresses, mappings for structs, tuples for arrays.
Source: https://docs.soliditylang.org/en/latest/abi-spec.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from inferix.errors import Corrupt, InvalidInput

Abi = Sequence[Mapping[str, Any]]


class Interface:
    """What a contract offers, by name. Functions with default arguments are told apart by the number given."""

    def __init__(self, contract: str, abi: Abi) -> None:
        self.contract = contract
        self.abi = list(abi)
        self._functions: dict[tuple[str, int], Mapping[str, Any]] = {}
        self._events: dict[bytes, Mapping[str, Any]] = {}
        for item in abi:
            if item.get("type") == "function":
                self._functions[item["name"], len(item["inputs"])] = item
            elif item.get("type") == "event" and not item.get("anonymous"):
                self._events[keccak(text=signature(item))] = item

    def encode(self, function: str, arguments: Sequence[Any]) -> bytes:
        """Calldata. Structs may be mappings or sequences in order."""
        item = self._function(function, len(arguments))
        kinds = [collapse_if_tuple(dict(part)) for part in item["inputs"]]
        values = [_plain(part, value) for part, value in zip(item["inputs"], arguments, strict=True)]
        try:
            return keccak(text=signature(item))[:4] + abi_encode(kinds, values)
        except EncodingError as error:
            raise InvalidInput(f"{self.contract}.{function} does not take these arguments: {error}") from error

    def decode(self, function: str, count: int, data: bytes) -> Any:
        """What a call with ``count`` arguments returned: one value, or a tuple of several."""
        outputs = self._function(function, count)["outputs"]
        try:
            values = abi_decode([collapse_if_tuple(dict(part)) for part in outputs], data)
        except DecodingError as error:
            raise Corrupt(
                f"{self.contract}.{function} returned {len(data)} bytes that its ABI does not explain: "
                "is this the deployment of this chain?"
            ) from error
        named = tuple(_named(part, value) for part, value in zip(outputs, values, strict=True))
        return named[0] if len(named) == 1 else named

    def decode_call(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Name and arguments of a call, from its calldata. Raises Corrupt when the ABI has no such call."""
        for item in self._functions.values():
            if keccak(text=signature(item))[:4] == data[:4]:
                try:
                    values = abi_decode([_kind(part) for part in item["inputs"]], data[4:])
                except DecodingError as error:
                    raise Corrupt(f"a call {item['name']} that its ABI does not explain") from error
                parts = zip(item["inputs"], values, strict=True)
                return item["name"], {part["name"]: _named(part, value) for part, value in parts}
        raise Corrupt(f"{self.contract} has no function of the selector 0x{data[:4].hex()}")

    def event(self, topics: Sequence[bytes], data: bytes) -> tuple[str, dict[str, Any]] | None:
        """Name and arguments of a log; None when the ABI has no such event. Raises Corrupt."""
        item = self._events.get(topics[0]) if topics else None
        if item is None:
            return None
        indexed = [part for part in item["inputs"] if part["indexed"]]
        others = [part for part in item["inputs"] if not part["indexed"]]
        if len(indexed) != len(topics) - 1:
            raise Corrupt(
                f"a log {item['name']} with {len(topics) - 1} topics, not {len(indexed)}: another deployment?"
            )
        try:
            values = [abi_decode([_kind(part)], topic)[0] for part, topic in zip(indexed, topics[1:], strict=True)]
            values += abi_decode([_kind(part) for part in others], data)
        except DecodingError as error:
            raise Corrupt(f"a log {item['name']} that its ABI does not explain: another deployment?") from error
        found = {part["name"]: _named(part, value) for part, value in zip(indexed + others, values, strict=True)}
        return item["name"], {part["name"]: found[part["name"]] for part in item["inputs"]}

    def _function(self, name: str, count: int) -> Mapping[str, Any]:
        item = self._functions.get((name, count))
        if item is None:
            raise InvalidInput(f"{self.contract} has no function {name} of {count} arguments")
        return item


def signature(item: Mapping[str, Any]) -> str:
    """``name(type,...)``"""
    return f"{item['name']}({','.join(_kind(part) for part in item['inputs'])})"


def _kind(part: Mapping[str, Any]) -> str:
    return collapse_if_tuple(dict(part))


def _item(part: Mapping[str, Any]) -> dict[str, Any]:
    """The type of an array's items."""
    return {**part, "type": part["type"][: part["type"].rindex("[")]}


def _named(part: Mapping[str, Any], value: Any) -> Any:
    kind = part["type"]
    if kind.endswith("]"):
        return tuple(_named(_item(part), item) for item in value)
    if kind == "tuple":
        return {inner["name"]: _named(inner, item) for inner, item in zip(part["components"], value, strict=True)}
    if kind == "address":
        return to_checksum_address(value)
    return value


def _plain(part: Mapping[str, Any], value: Any) -> Any:
    """A value in the order that eth_abi wants."""
    kind = part["type"]
    if kind.endswith("]"):
        return [_plain(_item(part), item) for item in value]
    if kind == "tuple":
        items = [value[inner["name"]] for inner in part["components"]] if isinstance(value, Mapping) else value
        return tuple(_plain(inner, item) for inner, item in zip(part["components"], items, strict=True))
    return value
