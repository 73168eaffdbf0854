# SPDX-License-Identifier: Apache-2.0
"""What an address has anywhere, in one answer."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from eth_utils.address import is_address, to_checksum_address
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from api.context import Context
from api.deps import ContextDep
from inferix.chain.errors import CallReverted
from inferix.errors import InvalidInput
from inferix.models.roles import Role
from inferix.money import OnChain, holdings

router = APIRouter(tags=["money"])


@router.get("/money/{address}")
async def money(address: str, context: ContextDep) -> dict[str, Any]:
    """How much, where, free when, by which call. Wallet balances are read from the chain now."""
    if not is_address(address):
        raise InvalidInput(f"{address[:60]!r} is not an address: 0x and 40 hex digits")
    owner = to_checksum_address(address)
    network = await context.network()
    mine = [node for node in network.nodes.values() if node.owner == owner]
    leaving = [node.id for node in mine if node.unbonding]
    managers = [node.id for node in mine if node.role is Role.MANAGER]
    coins, root = sorted(set(network.coins.values())), network.final_accounts()
    behind = [node for node, delegator in network.delegations if delegator == owner]
    exits = [id for id, found in network.exits.items() if found.delegator == owner]
    now = await run_in_threadpool(_read_chain, context, owner, coins, leaving, managers)
    now = await run_in_threadpool(_read_delegations, context, owner, now, behind, exits)
    final = await context.accounts_data(root) if root else None
    network = await context.network()
    accounts = [
        {"id": account.id, "coin": account.coin, "credit": account.credit, "free": account.free}
        for account in network.accounts.values()
        if account.owner == owner
    ]
    rows = holdings(network, owner, now, final)
    return {
        "address": owner,
        "time": network.time,
        "accounts": accounts,
        "nodes": [node.id for node in network.nodes.values() if node.owner == owner],
        "holdings": [{**asdict(row), "amount": str(row.amount)} for row in rows],
    }


def _read_chain(
    context: Context, owner: str, coins: Sequence[str], leaving: Sequence[int], managers: Sequence[int]
) -> OnChain:
    contracts = context.contracts
    wallet = {"ifx": int(contracts.read("IFX", "balanceOf", owner))}
    fees: dict[tuple[int, str], int] = {}
    for coin in coins:
        contract = context.deployment.at(coin)
        if contract is not None:
            wallet[coin] = int(contracts.read(contract.name, "balanceOf", owner))
        for manager in managers:
            try:
                fees[manager, coin] = int(contracts.read("FeeBurner", "claim_manager", manager, coin))
            except CallReverted:  # nothing to claim now
                continue
    return OnChain(wallet, {node: int(contracts.read("Staking", "free_at", node)) for node in leaving}, fees)


def _read_delegations(
    context: Context, owner: str, now: OnChain, behind: Sequence[int], exits: Sequence[int]
) -> OnChain:
    """``now`` with what its shares behind these nodes and its exits are worth."""
    contracts, delegated = context.contracts, {}
    for node in behind:
        position = contracts.read("Delegation", "position", node, owner)
        delegated[node] = int(position["value"]), int(position["rewards"])
    worth = {id: int(contracts.read("Delegation", "exit", id)["value"]) for id in exits}
    return replace(now, delegated=delegated, exits=worth)
