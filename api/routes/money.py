# SPDX-License-Identifier: Apache-2.0
"""What an address has anywhere, in one answer."""

import asyncio
from dataclasses import asdict
from typing import Any

from eth_utils.address import is_address, to_checksum_address
from fastapi import APIRouter

from api.context import Context
from api.deps import ContextDep, NetworkDep
from inferix.errors import InvalidInput
from inferix.money import holdings

router = APIRouter(tags=["money"])


def _read_chain(
    context: Context, owner: str, coins: set[str], leaving: list[int]
) -> tuple[dict[str, int], dict[int, int]]:
    contracts = context.contracts
    wallet = {"ifx": int(contracts.read("IFX", "balanceOf", owner))}
    for coin in coins:
        contract = context.deployment.at(coin)
        if contract is not None:
            wallet[coin] = int(contracts.read(contract.name, "balanceOf", owner))
    return wallet, {node: int(contracts.read("Staking", "free_at", node)) for node in leaving}


@router.get("/money/{address}")
async def money(address: str, network: NetworkDep, context: ContextDep) -> dict[str, Any]:
    """How much, where, free when, by which call. Wallet balances are read from the chain now."""
    if not is_address(address):
        raise InvalidInput(f"{address[:60]!r} is not an address: 0x and 40 hex digits")
    owner = to_checksum_address(address)
    leaving = [node.id for node in network.nodes.values() if node.owner == owner and node.unbonding]
    wallet, unbonding = await asyncio.to_thread(_read_chain, context, owner, set(network.coins.values()), leaving)
    network = context.network()
    rows = holdings(network, owner, wallet, unbonding)
    accounts = [
        {"id": account.id, "coin": account.coin, "credit": account.credit, "free": account.free}
        for account in network.accounts.values()
        if account.owner == owner
    ]
    nodes = [node.id for node in network.nodes.values() if node.owner == owner]
    return {
        "address": owner,
        "time": network.time,
        "accounts": accounts,
        "nodes": nodes,
        "holdings": [{**asdict(row), "amount": str(row.amount)} for row in rows],
    }
