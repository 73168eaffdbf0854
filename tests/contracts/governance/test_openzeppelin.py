# SPDX-License-Identifier: Apache-2.0
"""Governor, Timelock and IFX beside the ABIs of OpenZeppelin's contracts, and the EIP-712 domains that they tell."""

import json
from typing import Any

import boa
import pytest
from eth_abi import encode
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from deploy.packages import MODULES
from tests.contracts.governance.council import FOR, MILLION, Council, Proposal
from tests.contracts.system import Contract, key, now

BUILT = MODULES / "@openzeppelin/contracts/build/contracts"
Abi = list[dict[str, Any]]

# What OpenZeppelin's contract has and ours has not, and why
NO_PARAMETERS = "votes have no parameters: some that count for nothing would look as if they said something"
NO_TOKENS = "what it governs holds what is owned: an ERC-721 or ERC-1155 sent here safely is sent back"
ONE_DOMAIN = "name and version never change"
LEFT_OUT = {
    "governor": {
        "VoteCastWithParams(address,uint256,uint8,uint256,string,bytes)": NO_PARAMETERS,
        "castVoteWithReasonAndParams(uint256,uint8,string,bytes)": NO_PARAMETERS,
        "castVoteWithReasonAndParamsBySig(uint256,uint8,address,string,bytes,bytes)": NO_PARAMETERS,
        "getVotesWithParams(address,uint256,bytes)": NO_PARAMETERS,
        "EXTENDED_BALLOT_TYPEHASH()": NO_PARAMETERS,
        "onERC721Received(address,address,uint256,bytes)": NO_TOKENS,
        "onERC1155Received(address,address,uint256,uint256,bytes)": NO_TOKENS,
        "onERC1155BatchReceived(address,address,uint256[],uint256[],bytes)": NO_TOKENS,
        "EIP712DomainChanged()": ONE_DOMAIN,
        "relay(address,uint256,bytes)": "the timelock makes all calls; Governor itself owns nothing and may do nothing",
        "updateTimelock(address)": "another timelock is another Governor",
        "TimelockChange(address,address)": "another timelock is another Governor",
    },
    "timelock": {
        "onERC721Received(address,address,uint256,bytes)": NO_TOKENS,
        "onERC1155Received(address,address,uint256,uint256,bytes)": NO_TOKENS,
        "onERC1155BatchReceived(address,address,uint256[],uint256[],bytes)": NO_TOKENS,
        "RoleAdminChanged(bytes32,bytes32,bytes32)": "who administers a role never changes",
        "getOperationState(bytes32)": "it knows no operation whose grace period is over",
    },
    "ifx": {"EIP712DomainChanged()": ONE_DOMAIN},
}
THEIRS = {
    "governor": (
        "IGovernor",
        "Governor",
        "GovernorCountingSimple",
        "GovernorSettings",
        "GovernorTimelockControl",
        "GovernorVotes",
        "GovernorVotesQuorumFraction",
    ),
    "timelock": ("TimelockController",),
    "ifx": ("IERC20", "IERC20Metadata", "IERC20Permit", "IERC5267", "IERC5805", "IERC6372"),
}


def abi(name: str) -> Abi:
    """As the package has it."""
    found: Abi = json.loads((BUILT / f"{name}.json").read_bytes())["abi"]
    return found


def kind(part: dict[str, Any]) -> str:
    """A parameter's type, structs as tuples."""
    if not part["type"].startswith("tuple"):
        return str(part["type"])
    return f"({','.join(map(kind, part['components']))}){part['type'][5:]}"


def signature(item: dict[str, Any]) -> str:
    """What a selector or topic is the hash of."""
    return f"{item['name']}({','.join(map(kind, item['inputs']))})"


def signatures(items: Abi, *kinds: str) -> dict[str, dict[str, Any]]:
    """Functions and events, or one of these, by signature."""
    return {signature(item): item for item in items if item["type"] in (kinds or ("function", "event"))}


def shape(item: dict[str, Any]) -> tuple[Any, ...]:
    """What a caller or an indexer depends on beside the signature; pure promises more than view."""
    mutability = {"pure": "view"}.get(item.get("stateMutability", ""), item.get("stateMutability"))
    indexed = [part.get("indexed", False) for part in item["inputs"]]
    return item["type"], mutability, indexed, [kind(part) for part in item.get("outputs", [])], item.get("anonymous")


def interface_id(name: str) -> bytes:
    """ERC-165's: selectors of all functions, one upon the other."""
    number = 0
    for each in signatures(abi(name), "function"):
        number ^= int.from_bytes(keccak(text=each)[:4], "big")
    return number.to_bytes(4, "big")


@pytest.mark.parametrize("contract", THEIRS)
def test_functions_and_events_are_openzeppelin_s_but_for_those_left_out(council: Council, contract: str) -> None:
    ours = signatures(getattr(council, contract).abi)
    for name in THEIRS[contract]:
        theirs = signatures(abi(name))
        for each in theirs.keys() & ours.keys():
            assert shape(ours[each]) == shape(theirs[each]), f"{name}.{each}"
        missing = theirs.keys() - ours.keys()
        assert missing <= LEFT_OUT[contract].keys(), name
    everything = [signatures(abi(name)) for name in THEIRS[contract]]
    assert LEFT_OUT[contract].keys() == {each for theirs in everything for each in theirs} - ours.keys()


@pytest.mark.parametrize("contract", THEIRS)
def test_no_name_of_openzeppelin_s_means_something_else_here(council: Council, contract: str) -> None:
    ours = signatures(getattr(council, contract).abi)
    theirs = {each for name in THEIRS[contract] for each in signatures(abi(name))}
    names = {each.split("(")[0] for each in theirs}
    assert {each for each in ours if each.split("(")[0] in names} <= theirs


INTERFACES = ("IERC165", "IERC5267", "IERC6372", "IGovernor", "IAccessControl", "IERC1155Receiver", "IVotes")


@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("contract", ["governor", "timelock"])
def test_a_contract_says_that_it_has_an_interface_if_it_has_all_of_it(
    council: Council, contract: str, interface: str
) -> None:
    ours = getattr(council, contract)
    has_all = signatures(abi(interface), "function").keys() <= signatures(ours.abi, "function").keys()
    assert ours.supportsInterface(interface_id(interface)) is has_all
    assert interface_id("IERC165") == bytes.fromhex("01ffc9a7")
    assert not ours.supportsInterface(b"\xff" * 4)


def test_an_id_is_told_by_both_names(council: Council) -> None:
    proposal = council.setting("slot", 31)
    assert council.governor.getProposalId(*proposal.key) == council.governor.hashProposal(*proposal.key)
    assert council.governor.getProposalId(*proposal.key) == council.propose(proposal)


FIELDS = ("name", "version", "chainId", "verifyingContract", "salt")
KINDS = {
    "Permit": {"owner": "address", "spender": "address", "value": "uint256", "nonce": "uint256", "deadline": "uint256"},
    "Delegation": {"delegatee": "address", "nonce": "uint256", "expiry": "uint256"},
    "Ballot": {"proposalId": "uint256", "support": "uint8", "voter": "address", "nonce": "uint256"},
}


def told_domain(contract: Contract) -> dict[str, Any]:
    """The domain as EIP-5267 has it read: the fields whose bits are set, and no extensions."""
    fields, *values, extensions = contract.eip712Domain()
    assert extensions == []
    return {
        name: value for place, (name, value) in enumerate(zip(FIELDS, values, strict=True)) if fields[0] >> place & 1
    }


def sign(signer: LocalAccount, domain: dict[str, Any], name: str, *values: Any) -> tuple[int, bytes, bytes]:
    """v, r, s."""
    types = {name: [{"name": each, "type": solidity} for each, solidity in KINDS[name].items()]}
    message = encode_typed_data(domain, types, dict(zip(KINDS[name], values, strict=True)))
    signed = signer.sign_message(message)
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def others(domain: dict[str, Any]) -> list[dict[str, Any]]:
    """Domains that differ from this one in a single field."""
    wrong = {
        "name": "Inferix ",
        "version": "2",
        "chainId": domain["chainId"] + 1,
        "verifyingContract": key("x").address,
    }
    return [domain | {name: value} for name, value in wrong.items()]


def test_permits_and_delegations_are_signed_in_the_domain_that_ifx_tells(council: Council) -> None:
    ifx, alice, spender = council.ifx, council.alice, key("spender").address
    domain = told_domain(ifx)
    assert domain.keys() == set(FIELDS) - {"salt"}
    empty = encode_typed_data(domain, {"Permit": []}, {})
    assert ifx.DOMAIN_SEPARATOR() == empty.header
    permit, delegation = (alice.address, spender, 7, 0, now()), (spender, 0, now())
    for other in others(domain):
        with boa.reverts("erc20: invalid signature"):
            ifx.permit(alice.address, spender, 7, now(), *sign(alice, other, "Permit", *permit))
        # It then is the signature of an address that nobody has the key of.
        ifx.delegateBySig(*delegation, *sign(alice, other, "Delegation", *delegation))
        assert ifx.delegates(alice.address) == alice.address
    with boa.env.anchor():
        ifx.permit(alice.address, spender, 7, now(), *sign(alice, domain, "Permit", *permit))
        assert (ifx.allowance(alice.address, spender), ifx.nonces(alice.address)) == (7, 1)
    ifx.delegateBySig(*delegation, *sign(alice, domain, "Delegation", *delegation))
    assert (ifx.delegates(alice.address), ifx.nonces(alice.address)) == (spender, 1)


def test_ballots_are_signed_in_the_domain_that_governor_tells(council: Council) -> None:
    proposal: Proposal = council.setting("slot", 31)
    council.open_vote(proposal)
    governor, bob = council.governor, council.bob
    domain = told_domain(governor)
    assert domain.keys() == set(FIELDS) - {"salt"}

    def signed(where: dict[str, Any]) -> bytes:
        v, r, s = sign(bob, where, "Ballot", proposal.id, FOR, bob.address, 0)
        return r + s + bytes([v])

    for other in others(domain):
        with boa.reverts("Governor: invalid signature"):
            governor.castVoteBySig(proposal.id, FOR, bob.address, signed(other))
    assert governor.castVoteBySig(proposal.id, FOR, bob.address, signed(domain)) == 100 * MILLION
    fields = ",".join(f"{solidity} {name}" for name, solidity in KINDS["Ballot"].items())
    assert governor.BALLOT_TYPEHASH() == keccak(text=f"Ballot({fields})")


@pytest.mark.parametrize("contract", ["ifx", "governor"])
def test_the_domain_that_is_told_follows_a_split_of_the_chain(council: Council, contract: str) -> None:
    context = boa.env.evm.vm.state.execution_context
    original = context._chain_id
    context._chain_id = original + 1
    try:
        assert told_domain(getattr(council, contract))["chainId"] == original + 1
        if contract == "ifx":
            kinds = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
            words = [keccak(text=kinds), keccak(text="Inferix"), keccak(text="1"), original + 1, council.ifx.address]
            separator = keccak(encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], words))
            assert council.ifx.DOMAIN_SEPARATOR() == separator
    finally:
        context._chain_id = original
