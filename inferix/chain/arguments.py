# SPDX-License-Identifier: Apache-2.0
"""Arguments of a contract's function from what people type; pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eth_utils.address import is_address, to_checksum_address

from inferix.chain.abi import Interface
from inferix.errors import InvalidInput
from inferix.units import IFX_DECIMALS, USD_DECIMALS, parse_decimal

UNITS = {"ifx": IFX_DECIMALS, "usd": USD_DECIMALS}
Lookup = Callable[[str], str | None]
"""The address that a name stands for, if any."""


def function_of(interface: Interface, name: str, count: int) -> Mapping[str, Any]:
    """The ABI of a function with ``count`` arguments. Raises InvalidInput, which names what there is."""
    functions = [item for item in interface.abi if item.get("type") == "function"]
    named = [item for item in functions if item["name"] == name]
    for item in named:
        if len(item["inputs"]) == count:
            return item
    if named:
        takes = " or ".join(_signature(item) for item in named)
        raise InvalidInput(f"{interface.contract} takes {takes}, not {count} arguments")
    names = ", ".join(sorted({item["name"] for item in functions}))
    raise InvalidInput(f"{interface.contract} has no function {name!r}; it has {names}")


def parse_arguments(item: Mapping[str, Any], words: Sequence[str], lookup: Lookup) -> list[Any]:
    """The values of a function's arguments.

    Integers are plain, or with a unit: ``12.5ifx`` (wei), ``3usd`` (nano-USD). Addresses are 0x hex or a name that
    ``lookup`` knows; bytes are 0x hex; structs and arrays are JSON. Raises InvalidInput, which names the argument.
    """
    values = []
    for part, word in zip(item["inputs"], words, strict=True):
        try:
            values.append(_value(part, word, lookup))
        except InvalidInput as error:
            raise InvalidInput(f"{part['name']} ({part['type']}): {error}") from error
    return values


def is_view(item: Mapping[str, Any]) -> bool:
    """Whether a call changes nothing."""
    return item.get("stateMutability") in ("view", "pure")


def _signature(item: Mapping[str, Any]) -> str:
    return f"{item['name']}({', '.join(part['name'] + ': ' + part['type'] for part in item['inputs'])})"


def _value(part: Mapping[str, Any], word: str, lookup: Lookup) -> Any:
    kind = str(part["type"])
    if kind.endswith("]") or kind == "tuple":
        try:
            parsed = json.loads(word)
        except ValueError as error:
            raise InvalidInput(f"{word[:60]!r} is no JSON") from error
        return _structured(part, parsed, lookup)
    if kind.startswith(("uint", "int")):
        return _integer(kind, word)
    if kind == "address":
        found = word if is_address(word) else lookup(word)
        if found is None:
            raise InvalidInput(f"{word[:60]!r} is no address, and no contract's name")
        return to_checksum_address(found)
    if kind == "bool":
        if word not in ("true", "false"):
            raise InvalidInput(f"{word[:60]!r} is neither true nor false")
        return word == "true"
    return _bytes(kind, word) if kind.startswith("bytes") else word


def _structured(part: Mapping[str, Any], value: Any, lookup: Lookup) -> Any:
    """A struct's or an array's parsed JSON; the values in it are written as on the command line."""
    kind = str(part["type"])
    if kind.endswith("]"):
        if not isinstance(value, list):
            raise InvalidInput("a list is needed: [...]")
        item = {**part, "type": kind[: kind.rindex("[")]}
        return [_structured(item, inner, lookup) for inner in value]
    if kind == "tuple":
        names = [inner["name"] for inner in part["components"]]
        if not isinstance(value, dict) or sorted(value) != sorted(names):
            raise InvalidInput(f"an object with {', '.join(names)} is needed")
        return {inner["name"]: _structured(inner, value[inner["name"]], lookup) for inner in part["components"]}
    if isinstance(value, float):
        raise InvalidInput(f"{value} is no integer; write amounts as text with a unit")
    return _value(part, json.dumps(value) if not isinstance(value, str) else value, lookup)


def _integer(kind: str, word: str) -> int:
    unit = next((unit for unit in UNITS if word.lower().endswith(unit)), None)
    decimals, digits = (UNITS[unit], word[: -len(unit)]) if unit else (0, word)
    value = parse_decimal(digits.strip(), decimals)
    bits = int(kind.removeprefix("u").removeprefix("int") or 256)
    low, high = (0, 2**bits) if kind.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if not low <= value < high:
        raise InvalidInput(f"{word} is out of range")
    return value


def _bytes(kind: str, word: str) -> bytes:
    try:
        value = bytes.fromhex(word.removeprefix("0x"))
    except ValueError as error:
        raise InvalidInput(f"{word[:60]!r} is not hex: write 0x and two digits a byte") from error
    size = int(kind.removeprefix("bytes") or 0)
    if size and len(value) != size:
        raise InvalidInput(f"{size} bytes are needed, not {len(value)}")
    return value
