# SPDX-License-Identifier: Apache-2.0
"""Buying credit: the stablecoin goes into IfxDollar, which opens the wallet's account on its first top-up."""

import time
from collections.abc import Callable

from eth_account import Account

from inferix.chain.deployment import Contracts
from inferix.chain.transact import transact
from inferix.client.session import ask
from inferix.errors import InvalidInput, Refused, Unavailable
from inferix.units import NANO_PER_USD, NanoUsd, ceil_div, format_usd

POLL_SECONDS = 0.5


def top_up(
    contracts: Contracts, key: bytes, amount: int, *, faucet: bool = False, coin: str = "DevUSD"
) -> tuple[int, int]:
    """Puts ``amount`` nano-USD of a coin into the wallet's account; the account's id and its credit then (nano-USD).

    ``faucet`` mints the coins first, on dev networks. Raises InvalidInput when that is too little to open an account,
    Refused when the wallet holds too little.
    """
    client, deployment = contracts.client, contracts.deployment
    owner = Account.from_key(key).address
    address = deployment[coin].address
    scale = int(contracts.read("IfxDollar", "coin", address)["scale"])
    units = ceil_div(amount * scale, NANO_PER_USD)  # scale: units of the coin in a USD
    least = int(contracts.read("IfxDollar", "OPENING_CREDIT"))
    if amount < least and not contracts.read("IfxDollar", "account_of", owner, address):
        raise InvalidInput(
            f"an account opens with {format_usd(NanoUsd(least))}: top up at least as much the first time"
        )
    if faucet:
        transact(client, key, deployment.call("Faucet", "drip", owner))
    held = int(contracts.read(coin, "balanceOf", owner))
    if held < units:
        raise Refused(f"the wallet holds {held} units of {coin}, {units} are needed: buy some, or use --faucet")
    if int(contracts.read(coin, "allowance", owner, deployment["IfxDollar"].address)) < units:
        transact(client, key, deployment.call(coin, "approve", deployment["IfxDollar"].address, units))
    transact(client, key, deployment.call("IfxDollar", "top_up", address, units, owner))
    account = int(contracts.read("IfxDollar", "account_of", owner, address))
    return account, int(contracts.read("IfxDollar", "account", account)["credit"])


def wait_for_credit(
    api: str, account: int, credit: int, owner: str, said: Callable[[float], None], *, seconds: float = 1_800.0
) -> None:
    """Waits until the network counts on ``credit`` nano-USD of an account: once the top-up's block is final.

    ``said(seconds so far)`` is called all the time. Raises Unavailable when that takes longer than ``seconds``.
    """
    started = time.monotonic()
    while (waited := time.monotonic() - started) < seconds:
        rows = ask(api, f"/money/{owner}")["accounts"]
        if any(row["id"] == account and row["credit"] >= credit for row in rows):
            return
        said(waited)
        time.sleep(POLL_SECONDS)
    raise Unavailable(f"account {account} is topped up, but its block is not final yet: order a little later", 60)
