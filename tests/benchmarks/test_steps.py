# SPDX-License-Identifier: Apache-2.0
"""Transactions belong to a step of the job, or to nobody's; none is lost from the sum."""

from types import SimpleNamespace
from typing import Any

from eth_utils.crypto import keccak

from benchmarks.steps import ORDER, UPKEEP, Sent, Sum, calls, selectors, step_of, sums, transactions
from inferix.chain.abi import Interface
from inferix.chain.client import ChainReceipt
from inferix.chain.deployment import Contract, Deployment

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OTHER = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
ABI = [
    {"type": "function", "name": "post", "inputs": [{"name": "records", "type": "bytes"}]},
    {"type": "function", "name": "cancel", "inputs": []},
    {"type": "function", "name": "cancel", "inputs": [{"name": "nonce", "type": "uint32"}]},
    {"type": "event", "name": "post", "inputs": []},
]
DEPLOYMENT = Deployment(1337, 1, {"Orders": Contract("Orders", ADDRESS, Interface("Orders", ABI))})
POST = keccak(text="post(bytes)")[:4]


class Chain:
    """Three blocks: a post, a failed post beside what is none of ours, nothing."""

    def __init__(self) -> None:
        self.rpc = SimpleNamespace(request=self.request)

    def block_number(self) -> int:
        return 3

    def request(self, method: str, params: list[Any]) -> dict[str, Any]:
        post = {"to": ADDRESS.lower(), "input": "0x" + POST.hex() + "00", "hash": "0x01"}
        strangers = [
            {"to": OTHER, "input": "0x" + POST.hex(), "hash": "0x03"},
            {"to": None, "input": "0x6080", "hash": "0x04"},
            {"to": ADDRESS, "input": "0x", "hash": "0x05"},
        ]
        return {"transactions": {"0x1": [post], "0x2": [{**post, "hash": "0x02"}, *strangers], "0x3": []}[params[0]]}

    def receipt(self, transaction: bytes) -> ChainReceipt:
        return ChainReceipt(
            block=transaction[0], succeeded=transaction == b"\x01", gas_used=40_000 + transaction[0], price=1
        )


def test_calls_are_known_by_contract_and_selector() -> None:
    found = selectors(DEPLOYMENT)
    assert found[ADDRESS, POST] == "Orders.post"
    assert sorted(found.values()) == ["Orders.cancel", "Orders.cancel", "Orders.post"]


def test_every_transaction_to_the_protocol_is_found_the_failed_ones_too() -> None:
    found = transactions(Chain(), DEPLOYMENT, 0)  # type: ignore[arg-type]
    assert found == [Sent("Orders.post", 1, 40_001, True), Sent("Orders.post", 2, 40_002, False)]


def test_what_was_before_is_left_out() -> None:
    assert transactions(Chain(), DEPLOYMENT, 1)[0].block == 2  # type: ignore[arg-type]
    assert transactions(Chain(), DEPLOYMENT, 3) == []  # type: ignore[arg-type]


def test_each_step_has_its_sum_and_what_is_not_of_the_job_stands_apart() -> None:
    rows = [
        Sent("Orders.post", 1, 42_000, True),
        Sent("Batches.anchor", 2, 60_000, True),
        Sent("Batches.anchor", 3, 61_000, False),
        Sent("Rosters.post", 3, 90_000, True),
        Sent("Accounts.claim_many", 9, 300_000, True),
    ]
    found = sums(rows)
    assert list(found) == [*ORDER, UPKEEP]
    assert found["anchors"] == Sum(2, 121_000, 1)
    assert found["claim"] == Sum(1, 300_000, 0)
    assert found["seals"] == Sum(0, 0, 0)
    assert found[UPKEEP] == Sum(1, 90_000, 0)
    assert sum(part.gas for part in found.values()) == sum(row.gas for row in rows)
    assert calls(rows)["Batches.anchor"] == Sum(2, 121_000, 1)


def test_a_call_that_nobody_knows_is_upkeep() -> None:
    assert step_of("Batches.seal") == "seals"
    assert step_of("NodeRegistry.attest_benchmark") == UPKEEP
