# SPDX-License-Identifier: Apache-2.0
"""One transaction of a person's wallet: simulated first, sent, waited for. Keepers use ``Sender`` instead."""

import time

from eth_account import Account

from inferix.chain.client import ChainClient, ChainReceipt
from inferix.chain.deployment import Call
from inferix.chain.errors import CallReverted
from inferix.errors import Unavailable

GAS_MARGIN = 5  # a fifth on top of the estimate
FEE_MARGIN = 3  # times the base fee: it may rise while we wait
POLL_SECONDS = 0.1


def transact(client: ChainClient, key: bytes, call: Call, *, wait_seconds: int = 60) -> ChainReceipt:
    """Sends ``call`` from the key's account and gives its receipt.

    Raises CallReverted with the contract's reason before anything is sent, InsufficientFunds-like RpcErrors as the
    endpoint words them, or Unavailable when it is not mined in time (it may still be: look before you repeat).
    """
    wallet = Account.from_key(key)
    gas = client.estimate_gas(call.to, call.data, wallet.address)
    tip = client.priority_fee()
    signed = wallet.sign_transaction(
        {
            "type": 2,
            "chainId": client.chain_id,
            "nonce": client.nonce(wallet.address, "pending"),
            "to": call.to,
            "data": call.data,
            "value": 0,
            "gas": gas + gas // GAS_MARGIN,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": FEE_MARGIN * client.base_fee() + tip,
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
