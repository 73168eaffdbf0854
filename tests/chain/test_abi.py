# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from inferix.chain.abi import Interface
from inferix.errors import Corrupt, InvalidInput
from inferix.replay.settlement import HEADER, commitment_of

HEADER_VALUE: dict[str, Any] = {
    "manager": 3,
    "sequence": 1,
    "coin": 0,
    "count": 2,
    "charge": 2**90,
    "work": 7,
    "root": b"\1" * 32,
    "data": b"\2" * 32,
    "records": b"\3" * 32,
    "previous": bytes(32),
}
TYPES = "(" + ",".join(HEADER.values()) + ")"


def test_encode__a_struct__as_mapping_or_in_order__the_same(interface: Callable[[str], Interface]) -> None:
    batches = interface("Batches")
    calldata = batches.encode("finalize", [HEADER_VALUE])
    assert calldata[:4] == keccak(text=f"finalize({TYPES})")[:4]
    assert calldata[4:] == encode([TYPES], [tuple(HEADER_VALUE.values())])
    assert batches.encode("finalize", [tuple(HEADER_VALUE.values())]) == calldata


def test_encode__arrays_of_structs(interface: Callable[[str], Interface]) -> None:
    leaf = {"node": 4, "matured": 1, "vesting": 2, "start": 3}
    calldata = interface("Accounts").encode("claim_many", [[leaf], [[b"\1" * 32, b"\2" * 32]]])
    kinds = ["(uint32,uint96,uint96,uint256)[]", "bytes32[][]"]
    assert calldata[4:] == encode(kinds, [[(4, 1, 2, 3)], [[b"\1" * 32, b"\2" * 32]]])


@pytest.mark.parametrize("arguments", [[], [1, 2], [1, 2, 3, 4]])
def test_encode__wrong_number_of_arguments__refused(
    interface: Callable[[str], Interface], arguments: list[int]
) -> None:
    with pytest.raises(InvalidInput, match="no function anchor"):
        interface("Batches").encode("anchor", arguments)


def test_encode__a_value_out_of_range__refused(interface: Callable[[str], Interface]) -> None:
    with pytest.raises(InvalidInput, match="does not take"):
        interface("Batches").encode("seal", [2**32])


def test_decode__structs_as_mappings_addresses_checksummed(interface: Callable[[str], Interface]) -> None:
    registry = interface("NodeRegistry")
    owner = "0x" + "ab" * 20
    values = (owner, owner, 1, 9, 1, 5, 6, bytes(32), b"\7" * 32)
    data = encode(["(address,address,uint8,uint32,uint8,uint32,uint64,bytes32,bytes32)"], [values])
    node = registry.decode("node", 1, data)
    assert node["owner"] == "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"
    assert (node["licence"], node["sealing_key"]) == (9, b"\7" * 32)


def test_decode__several_values__a_tuple(interface: Callable[[str], Interface]) -> None:
    data = encode(["uint256", "uint256"], [5, 6])
    assert interface("Batches").decode("epoch_totals", 1, data) == (5, 6)


def test_decode__nothing_came_back__says_which_call(interface: Callable[[str], Interface]) -> None:
    with pytest.raises(Corrupt, match="seed returned 0 bytes"):
        interface("Batches").decode("seed", 2, b"")


def test_event__a_struct__by_name(interface: Callable[[str], Interface]) -> None:
    commitment = commitment_of(HEADER_VALUE)
    topics = [keccak(text=f"Proposed(bytes32,{TYPES})"), commitment]
    found = interface("Batches").event(topics, encode([TYPES], [tuple(HEADER_VALUE.values())]))
    assert found == ("Proposed", {"commitment": commitment, "header": HEADER_VALUE})


def test_event__of_another_contract__none(interface: Callable[[str], Interface]) -> None:
    assert interface("Batches").event([keccak(text="Transfer(address,address,uint256)")], b"") is None
    assert interface("Batches").event([], b"") is None


def test_event__cut_off__corrupt(interface: Callable[[str], Interface]) -> None:
    topics = [keccak(text=f"Proposed(bytes32,{TYPES})"), bytes(32)]
    with pytest.raises(Corrupt):
        interface("Batches").event(topics, bytes(40))
    with pytest.raises(Corrupt):
        interface("Batches").event(topics[:1], bytes(320))


def test_decode_call__what_encode_wrote(interface: Callable[[str], Interface]) -> None:
    batches = interface("Batches")
    calldata = batches.encode("propose", [HEADER_VALUE, b"\7" * 24])
    assert batches.decode_call(calldata) == ("propose", {"header": HEADER_VALUE, "records": b"\7" * 24})


@pytest.mark.parametrize("cut", [0, 4, 40])
def test_decode_call__another_contracts_or_a_cut_one__refused(interface: Callable[[str], Interface], cut: int) -> None:
    batches = interface("Batches")
    calldata = batches.encode("propose", [HEADER_VALUE, b""])
    with pytest.raises(Corrupt):
        batches.decode_call(calldata[:cut] if cut else b"\1\2\3\4" + calldata[4:])
