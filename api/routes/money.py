# SPDX-License-Identifier: Apache-2.0
"""What an address has anywhere, in one answer."""

from dataclasses import asdict
from typing import Any

from eth_utils.address import is_address, to_checksum_address
from fastapi import APIRouter

from api.deps import ContextDep, NetworkDep
from inferix.errors import InvalidInput
from inferix.money import holdings

router = APIRouter(tags=["money"])


@router.get("/money/{address}")
def money(address: str, network: NetworkDep, context: ContextDep) -> dict[str, Any]:
    """How much, where, free when, by which call. Wallet balances are read from the chain now."""
    if not is_address(address):
        raise InvalidInput(f"{address[:60]!r} is not an address: 0x and 40 hex digits")
    owner = to_checksum_address(address)
    contracts = context.contracts
    wallet = {"ifx": int(contracts.read("IFX", "balanceOf", owner))}
    for name in ("DevUSD",):
        if name in context.deployment.contracts:
            wallet[context.deployment[name].address] = int(contracts.read(name, "balanceOf", owner))
    mine = [node.id for node in network.nodes.values() if node.owner == owner and node.unbonding]
    unbonding = {node: int(contracts.read("Staking", "free_at", node)) for node in mine}
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
