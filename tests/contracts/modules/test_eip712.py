# SPDX-License-Identifier: Apache-2.0
"""Recovery of signers: both encodings, one valid form each, no zero address, one chain."""

import boa
import pytest
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from tests.contracts.system import STAND_INS, Contract, System, deployer, key

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNER = key("signer")
TYPES = {"Cancel": [{"name": "account", "type": "uint32"}, {"name": "nonce", "type": "uint32"}]}
MESSAGE = {"account": 3, "nonce": 9}
STRUCT_HASH = keccak(
    keccak(text="Cancel(uint32 account,uint32 nonce)") + (3).to_bytes(32, "big") + (9).to_bytes(32, "big")
)


@pytest.fixture
def recovery(system: System) -> Contract:
    return deployer("Recovery.vy", STAND_INS).deploy(system.registry)


def domain(system: System) -> dict[str, object]:
    chain_id = boa.env.evm.chain.chain_id
    return {"name": "Inferix", "version": "1", "chainId": chain_id, "verifyingContract": system.registry.address}


def sign(system: System) -> tuple[int, int, int]:
    signed = SIGNER.sign_typed_data(domain(system), TYPES, MESSAGE)
    return signed.r, signed.s, signed.v


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_domain_is_the_one_of_the_documents(system: System, recovery: Contract) -> None:
    expected = encode_typed_data(domain(system), TYPES, MESSAGE).header
    assert system.registry.domain_separator() == expected == recovery.domain_separator()
    assert system.registry.eip712Domain()[1:5] == ("Inferix", "1", boa.env.evm.chain.chain_id, system.registry.address)


def test_both_encodings_recover_the_signer(system: System, recovery: Contract) -> None:
    r, s, v = sign(system)
    packed = word(s | (v - 27) << 255)
    assert recovery.recover(STRUCT_HASH, word(r) + word(s) + bytes([v])) == SIGNER.address
    assert recovery.recover(STRUCT_HASH, word(r) + packed) == SIGNER.address
    assert recovery.recover_packed(STRUCT_HASH, word(r), packed) == SIGNER.address


def test_another_message_has_another_signer(system: System, recovery: Contract) -> None:
    r, s, v = sign(system)
    assert recovery.recover(keccak(STRUCT_HASH), word(r) + word(s) + bytes([v])) != SIGNER.address


def test_high_s_is_refused(system: System, recovery: Contract) -> None:
    r, s, v = sign(system)
    with boa.reverts("eip712: high s"):
        recovery.recover(STRUCT_HASH, word(r) + word(ORDER - s) + bytes([55 - v]))
    with boa.reverts("eip712: high s"):
        recovery.recover_packed(STRUCT_HASH, word(r), word(ORDER // 2 + 1))
    with boa.reverts("eip712: high s"):
        recovery.recover(STRUCT_HASH, word(r) + word(ORDER // 2 + 1) + bytes([v]))


def test_what_recovers_to_nobody_is_refused(system: System, recovery: Contract) -> None:
    r, s, v = sign(system)
    for broken in (word(0) + word(s) + bytes([v]), word(r) + word(0) + bytes([v]), word(r) + word(s) + bytes([v - 27])):
        with boa.reverts("eip712: invalid signature"):
            recovery.recover(STRUCT_HASH, broken)


@pytest.mark.parametrize("length", [0, 63])
def test_other_lengths_are_refused(recovery: Contract, length: int) -> None:
    with boa.reverts("eip712: signature length"):
        recovery.recover(STRUCT_HASH, bytes(length))


def test_chain_split_changes_the_domain(system: System, recovery: Contract) -> None:
    before = recovery.domain_separator()
    context = boa.env.evm.vm.state.execution_context
    original = context._chain_id
    context._chain_id = original + 1
    try:
        expected = encode_typed_data(domain(system) | {"chainId": original + 1}, TYPES, MESSAGE).header
        assert recovery.domain_separator() == expected != before
    finally:
        context._chain_id = original
