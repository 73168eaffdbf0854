# SPDX-License-Identifier: Apache-2.0
"""What a job's transactions cost, by step, from their receipts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from inferix.chain.abi import signature
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Deployment
from inferix.errors import Unavailable

STEPS: Final[Mapping[str, str]] = {
    "Orders.post": "order",
    "Batches.anchor": "anchors",
    "Batches.seal": "seals",
    "Batches.propose": "batches",
    "Batches.finalize": "batches",
    "FeeBurner.collect": "accounts",
    "BurnMintWork.close_epoch": "accounts",
    "Accounts.post": "accounts",
    "Accounts.finalize": "accounts",
    "Accounts.claim": "claim",
    "Accounts.claim_many": "claim",
    "Accounts.claim_chunk": "claim",
    "FeeBurner.claim_manager": "claim",
}
UPKEEP: Final = "not of the job"
ORDER: Final = ("order", "anchors", "seals", "batches", "accounts", "claim")


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction to one of the protocol's contracts, as its receipt says."""

    call: str
    block: int
    gas: int
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Sum:
    """Transactions of one step."""

    transactions: int
    gas: int
    failed: int


def step_of(call: str) -> str:
    """The step that a call belongs to; `UPKEEP` for what the network does with or without a job."""
    return STEPS.get(call, UPKEEP)


def sums(sent: Iterable[Sent]) -> dict[str, Sum]:
    """Gas by step: those of the job in their order, then the upkeep."""
    by_step: dict[str, list[Sent]] = {step: [] for step in (*ORDER, UPKEEP)}
    for each in sent:
        by_step[step_of(each.call)].append(each)
    return {
        step: Sum(len(rows), sum(row.gas for row in rows), sum(not row.succeeded for row in rows))
        for step, rows in by_step.items()
    }


def selectors(deployment: Deployment) -> dict[tuple[str, bytes], str]:
    """``Contract.function`` by address and the first four bytes of calldata."""
    return {
        (contract.address, keccak(text=signature(item))[:4]): f"{name}.{item['name']}"
        for name, contract in deployment.contracts.items()
        for item in contract.interface.abi
        if item.get("type") == "function"
    }


def transactions(client: ChainClient, deployment: Deployment, after: int) -> list[Sent]:
    """Every transaction to a contract of the protocol in the blocks after ``after``."""
    known = selectors(deployment)
    found = []
    for number in range(after + 1, client.block_number() + 1):
        block = client.rpc.request("eth_getBlockByNumber", [hex(number), True])
        found += [_sent(client, item, known) for item in block["transactions"] if _call(item, known)]
    return found


def _call(item: Mapping[str, Any], known: Mapping[tuple[str, bytes], str]) -> str | None:
    if not item.get("to"):
        return None
    return known.get((to_checksum_address(item["to"]), bytes.fromhex(item["input"][2:10])))


def _sent(client: ChainClient, item: Mapping[str, Any], known: Mapping[tuple[str, bytes], str]) -> Sent:
    receipt = client.receipt(bytes.fromhex(item["hash"][2:]))
    if receipt is None:
        raise Unavailable(f"the chain has no receipt of {item['hash']}")
    return Sent(str(_call(item, known)), receipt.block, receipt.gas_used, receipt.succeeded)


def calls(sent: Sequence[Sent]) -> dict[str, Sum]:
    """Gas by call, for the report."""
    names = sorted({each.call for each in sent})
    rows = {name: [each for each in sent if each.call == name] for name in names}
    return {
        name: Sum(len(found), sum(row.gas for row in found), sum(not row.succeeded for row in found))
        for name, found in rows.items()
    }
