# SPDX-License-Identifier: Apache-2.0
"""What a person's transaction pays per gas: the endpoint says what it costs, and the wallet has a limit."""

from types import SimpleNamespace
from typing import Any

import pytest
from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes

from inferix.chain.deployment import Call
from inferix.chain.errors import FeeTooHigh
from inferix.chain.fees import MAX_FEE
from inferix.chain.transact import transact
from tests.replay.chain import key

GWEI = 10**9
CALL = Call("IFX", "approve", "0x" + "11" * 20, b"")


def endpoint(base_fee: int, tip: int, sent: list[dict[str, Any]]) -> Any:
    """One that says so, and mines at once."""

    def send_raw(raw: bytes) -> None:
        sent.append(TypedTransaction.from_bytes(HexBytes(raw)).as_dict())

    return SimpleNamespace(
        chain_id=1337, estimate_gas=lambda *_: 50_000, nonce=lambda *_: 0, base_fee=lambda: base_fee * GWEI,
        priority_fee=lambda: tip * GWEI, send_raw=send_raw, receipt=lambda _: SimpleNamespace(succeeded=True),
    )  # fmt: skip


@pytest.mark.parametrize(("base_fee", "tip", "fee"), [(1, 1, (4, 1)), (1, 10**6, (200, 200)), (199, 1, (200, 1))])
def test_attack_an_endpoint_that_asks_a_fortune_per_gas_gets_no_more_than_the_limit(
    base_fee: int, tip: int, fee: tuple[int, int]
) -> None:
    sent: list[dict[str, Any]] = []
    transact(endpoint(base_fee, tip, sent), key(0), CALL)
    (paid,) = sent
    assert (paid["maxFeePerGas"], paid["maxPriorityFeePerGas"]) == (fee[0] * GWEI, fee[1] * GWEI)


def test_above_the_limit_nothing_is_sent_until_it_is_raised() -> None:
    sent: list[dict[str, Any]] = []
    with pytest.raises(FeeTooHigh, match="--max-fee-gwei"):
        transact(endpoint(200, 1, sent), key(0), CALL)
    assert sent == []
    raised = MAX_FEE.set(300 * GWEI)
    transact(endpoint(200, 1, sent), key(0), CALL)
    MAX_FEE.reset(raised)
    assert sent[0]["maxFeePerGas"] == 300 * GWEI
