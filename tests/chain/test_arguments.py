# SPDX-License-Identifier: Apache-2.0
"""Arguments as people type them: exact, or refused with the argument's name."""

import json
from typing import Any

import pytest

from inferix.chain.abi import Interface
from inferix.chain.arguments import function_of, is_view, parse_arguments
from inferix.errors import InvalidInput

ADDRESS = "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"
LEAF = {"name": "node", "type": "uint32"}, {"name": "root", "type": "bytes32"}
ABI = [
    {"type": "function", "name": "stake", "stateMutability": "nonpayable", "outputs": [],
     "inputs": [{"name": "node", "type": "uint32"}, {"name": "amount", "type": "uint256"}]},
    {"type": "function", "name": "stake", "stateMutability": "nonpayable", "outputs": [],
     "inputs": [{"name": "node", "type": "uint32"}]},
    {"type": "function", "name": "owner_of", "stateMutability": "view", "outputs": [],
     "inputs": [{"name": "who", "type": "address"}]},
    {"type": "event", "name": "Staked", "inputs": []},
]  # fmt: skip
TEST = Interface("Test", ABI)


def one(kind: str, word: str, **more: Any) -> Any:
    item = {"inputs": [{"name": "it", "type": kind, **more}]}
    return parse_arguments(item, [word], {"Staking": ADDRESS}.get)[0]


def test_functions_are_told_apart_by_their_arguments() -> None:
    assert len(function_of(TEST, "stake", 2)["inputs"]) == 2
    assert is_view(function_of(TEST, "owner_of", 1))
    assert not is_view(function_of(TEST, "stake", 1))
    with pytest.raises(InvalidInput, match=r"Test takes stake\(node: uint32, amount: uint256\) or .*, not 3 arguments"):
        function_of(TEST, "stake", 3)
    with pytest.raises(InvalidInput, match="no function 'steak'; it has owner_of, stake"):
        function_of(TEST, "steak", 1)


@pytest.mark.parametrize(
    ("kind", "word", "value"),
    [
        ("uint256", "12.5ifx", 12_500_000_000_000_000_000),
        ("uint96", "3usd", 3_000_000_000),
        ("uint96", "3 USD", 3_000_000_000),
        ("uint32", "4294967295", 2**32 - 1),
        ("int8", "-128", -128),
        ("address", ADDRESS.lower(), ADDRESS),
        ("address", "Staking", ADDRESS),
        ("bool", "true", True),
        ("bytes32", "0x" + "ab" * 32, b"\xab" * 32),
        ("bytes", "0x", b""),
        ("string", "0x12", "0x12"),
        ("uint64[]", "[1, 2]", [1, 2]),
        ("uint256[2]", '["1ifx", 0]', [10**18, 0]),
    ],
)
def test_values(kind: str, word: str, value: object) -> None:
    assert one(kind, word) == value


@pytest.mark.parametrize(
    ("kind", "word", "says"),
    [
        ("uint32", "4294967296", "out of range"),
        ("uint8", "-1", "out of range"),
        ("uint256", "1e18", "not a decimal number"),
        ("uint256", "0.0000000001usd", "more than 9 digits"),
        ("uint256", "", "not a decimal number"),
        ("address", "Nobody", "no contract's name"),
        ("bool", "yes", "neither true nor false"),
        ("bytes32", "0x12", "32 bytes are needed, not 1"),
        ("bytes", "0xzz", "no.* hex|is no hex|hex"),
        ("uint64[]", "1", "a list is needed"),
        ("uint64[]", "[1.5]", "no integer"),
        ("uint64[]", "[1", "no JSON"),
    ],
)
def test_what_is_wrong_is_named(kind: str, word: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=rf"it \({kind.replace('[', chr(92) + '[')}\): .*({says})"):
        one(kind, word)


def test_structs_are_objects_with_every_field() -> None:
    leaf = {"node": 3, "root": "0x" + "00" * 32}
    assert one("tuple", json.dumps(leaf), components=LEAF) == {"node": 3, "root": bytes(32)}
    assert one("tuple[]", json.dumps([leaf]), components=LEAF) == [{"node": 3, "root": bytes(32)}]
    with pytest.raises(InvalidInput, match="an object with node, root is needed"):
        one("tuple", '{"node": 3}', components=LEAF)
