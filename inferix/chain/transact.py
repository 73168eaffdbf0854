# SPDX-License-Identifier: Apache-2.0
"""One transaction of a person's wallet: simulated first, sent, waited for. Keepers use ``Sender`` instead."""

import time

from eth_account import Account

from inferix.chain.client import ChainClient, ChainReceipt
from inferix.chain.deployment import Call
from inferix.chain.errors import CallReverted, FeeTooHigh
from inferix.chain.fees import GWEI, MAX_FEE
from inferix.errors import Unavailable

GAS_MARGIN = 5  # a fifth on top of the estimate
FEE_MARGIN = 3  # times the base fee: it may rise while we wait
POLL_SECONDS = 0.1


def transact(client: ChainClient, key: bytes, call: Call, *, wait_seconds: int = 60) -> ChainReceipt:
    """Sends ``call`` from the key's account and gives its receipt.

    Raises FeeTooHigh rather than pay more than ``MAX_FEE`` per gas, CallReverted with the contract's reason before
    anything is sent, InsufficientFunds-like RpcErrors as the endpoint words them,
    or Unavailable when it is not mined in time (it may still be: look before you repeat).
    """
    wallet = Account.from_key(key)
    gas = client.estimate_gas(call.to, call.data, wallet.address)
    most, base_fee = MAX_FEE.get(), client.base_fee()
    if base_fee >= most:
        raise FeeTooHigh(
            f"a unit of gas costs {base_fee / GWEI:.2f} gwei, your limit is {most / GWEI:.2f}: wait, or raise it by "
            "`inferix --max-fee-gwei`", 60
        )  # fmt: skip
    tip = client.priority_fee()
    max_fee = min(most, FEE_MARGIN * base_fee + tip)
    signed = wallet.sign_transaction(
        {
            "type": 2,
            "chainId": client.chain_id,
            "nonce": client.nonce(wallet.address, "pending"),
            "to": call.to,
            "data": call.data,
            "value": 0,
            "gas": gas + gas // GAS_MARGIN,
            "maxPriorityFeePerGas": min(tip, max_fee),
            "maxFeePerGas": max_fee,
        }
    )
    client.send_raw(bytes(signed.raw_transaction))
    until = time.monotonic() + wait_seconds
    while time.monotonic() < until:
        receipt = client.receipt(bytes(signed.hash))
        if receipt is not None:
            if not receipt.succeeded:
                raise CallReverted(f"{call} was mined and reverted (0x{bytes(signed.hash).hex()})")
            return receipt
        time.sleep(POLL_SECONDS)
    raise Unavailable(f"{call} is sent (0x{bytes(signed.hash).hex()}) but not mined yet: look again in a minute", 60)
