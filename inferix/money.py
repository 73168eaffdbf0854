# SPDX-License-Identifier: Apache-2.0
"""Everything an address has anywhere in the network: how much, where, free when, by which call."""

from dataclasses import dataclass
from typing import Literal

from inferix.errors import InferixError
from inferix.models.anchor import AccountsData
from inferix.models.roles import Role
from inferix.replay import Network
from inferix.replay.accounting import claimable


@dataclass(frozen=True, slots=True)
class Holding:
    """One amount. ``unit``: ``ifx`` (wei) or ``ifxDollar`` (nano-USD) or a coin's address (its own units).

    ``free_at``: seconds of the block clock; 0 = now; None = it depends, see ``note``. ``call``: what frees it.
    """

    where: str
    amount: int
    unit: str
    state: Literal["free", "reserved", "waiting", "bonded", "unbonding", "frozen", "vesting", "claimable"]
    free_at: int | None
    call: str
    note: str = ""


def holdings(network: Network, address: str, wallet: dict[str, int], unbonding: dict[int, int]) -> list[Holding]:
    """What ``address`` has. ``wallet``: its token balances by unit; ``unbonding``: free_at by node, as Staking says."""
    rows = [Holding("wallet", amount, unit, "free", 0, "transfer") for unit, amount in sorted(wallet.items()) if amount]
    rows += _credit(network, address)
    rows += _stakes(network, address, unbonding)
    rows += _rewards(network, address)
    return rows


def _credit(network: Network, address: str) -> list[Holding]:
    rows = []
    for account in network.accounts.values():
        if account.owner != address:
            continue
        where = f"IfxDollar account {account.id}"
        held = account.reserved + sum(cap for _, cap in account.caps)
        rows += [
            Holding(where, max(0, account.free), "ifxDollar", "free", 0, "IfxDollar.request_withdrawal"),
            Holding(
                where, held, "ifxDollar", "reserved", None, "Accounts.finalize",
                "for orders; what they do not use comes back with the accounts of the epoch they end in",
            ),
            Holding(
                where, account.requested, "ifxDollar", "waiting", None, "IfxDollar.withdraw",
                "after the first accounts whose cut-off is after the request are final",
            ),
        ]  # fmt: skip
    return [row for row in rows if row.amount]


def _stakes(network: Network, address: str, unbonding: dict[int, int]) -> list[Holding]:
    rows = []
    for node in network.nodes.values():
        if node.owner != address:
            continue
        where = f"Staking, node {node.id} ({node.role.name.lower()})"
        free = network.time + network.parameters["unbonding"]
        rows += [
            Holding(where, node.bonded - min(node.frozen, node.bonded), "ifx", "bonded", free, "Staking.unbond"),
            Holding(where, node.unbonding, "ifx", "unbonding", unbonding.get(node.id), "Staking.withdraw"),
            Holding(where, node.frozen, "ifx", "frozen", None, "Panels.appeal", "held by an open case"),
        ]
    return [row for row in rows if row.amount]


def _rewards(network: Network, address: str) -> list[Holding]:
    root = network.final_accounts()
    body = network.document(root.data) if root else None
    if root is None or body is None:
        return []
    try:
        leaves = {leaf.node: leaf for leaf in AccountsData.decode(body, root.data).nodes}
    except InferixError:
        return []
    rows = []
    vesting_time = network.parameters["worker_vesting"]
    time = min(network.time, root.cut_off + network.parameters["claim_horizon"])
    for node in network.nodes.values():
        leaf = leaves.get(node.id)
        if leaf is None or node.owner != address:
            continue
        where = f"Accounts, node {node.id}"
        now = claimable(leaf, time, vesting_time)
        rows.append(Holding(where, now - network.claimed.get(node.id, 0), "ifx", "claimable", 0, "Accounts.claim"))
        if node.role is Role.WORKER:
            end = root.cut_off + vesting_time
            rest = leaf.matured + leaf.vesting - now
            rows.append(Holding(where, rest, "ifx", "vesting", end, "Accounts.claim", "streams until then"))
    return [row for row in rows if row.amount]
