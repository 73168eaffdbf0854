# SPDX-License-Identifier: Apache-2.0
"""Everything an address has anywhere in the network: how much, where, free when, by which call."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from inferix.models.anchor import AccountsData, NodeLeaf
from inferix.models.roles import NodeStatus, ObjectionStatus, Role
from inferix.replay import Network
from inferix.replay.accounting import BPS, claimable
from inferix.replay.settlement import unpaid_leases
from inferix.replay.state import Account, Node

State = Literal["free", "reserved", "waiting", "bonded", "unbonding", "frozen", "vesting", "claimable"]


@dataclass(frozen=True, slots=True)
class Holding:
    """One amount. ``unit``: ``ifx`` (wei) or ``ifxDollar`` (nano-USD) or a coin's address (its own units).

    ``free_at``: seconds of the block clock; 0 = now; None = it depends, see ``note``. ``call``: what frees it.
    """

    where: str
    amount: int
    unit: str
    state: State
    free_at: int | None
    call: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class OnChain:
    """What only the contracts know now. ``wallet``: token balances by unit; ``unbonding``: free_at by node, as Staking
    says; ``fees``: what FeeBurner.claim_manager would pay, by manager and coin, in the coin's units; ``delegated``:
    worth of the shares and rewards, by node, and ``exits``: worth by id, as Delegation says [wei]."""

    wallet: Mapping[str, int] = field(default_factory=dict)
    unbonding: Mapping[int, int] = field(default_factory=dict)
    fees: Mapping[tuple[int, str], int] = field(default_factory=dict)
    delegated: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    exits: Mapping[int, int] = field(default_factory=dict)


def holdings(network: Network, address: str, now: OnChain, final: AccountsData | None) -> list[Holding]:
    """What ``address`` (checksummed) has, without zeros. ``final``: the leaves of the newest final accounts."""
    leaves = {leaf.node: leaf for leaf in final.nodes} if final else {}
    rows = [Holding("wallet", amount, unit, "free", 0, "transfer") for unit, amount in sorted(now.wallet.items())]
    for account in network.accounts.values():
        if account.owner == address:
            rows += _credit(account)
            rows += _claim_bond(network, account)
    for node in network.nodes.values():
        if node.owner == address:
            rows += _stake(network, node, now.unbonding.get(node.id))
            if final and node.id in leaves:
                rows += _rewards(network, node, leaves[node.id], network.epoch_end(final.epoch))
            rows += _fees(node, now)
    rows += _delegated(network, address, now)
    rows += _escape_bonds(network, address)
    rows += _objection_bonds(network, address)
    rows += _leases(network, address)
    return [row for row in rows if row.amount]


def _credit(account: Account) -> list[Holding]:
    """Its parts add up to the credit less what was spent."""
    where = f"IfxDollar account {account.id}"
    held = account.reserved + sum(cap for _, cap in account.caps)
    for_orders = "for orders; what they do not use comes back with the accounts of the epoch they end in"
    after_root = "after the first accounts whose cut-off is after the request are final"
    return [
        Holding(where, max(0, account.free), "ifxDollar", "free", 0, "IfxDollar.request_withdrawal"),
        Holding(where, held, "ifxDollar", "reserved", None, "Accounts.finalize", for_orders),
        Holding(where, account.requested, "ifxDollar", "waiting", None, "IfxDollar.withdraw", after_root),
    ]


def _claim_bond(network: Network, account: Account) -> Iterator[Holding]:
    """Behind a claim to the balance."""
    claim = network.balance_claims.get(account.id)
    if claim is not None:
        where, unless = f"BalanceClaims, account {account.id}", "unless the claim leaves out a charge"
        free_at = network.ends_at(claim.claimed_at, claim.window)
        yield Holding(where, claim.bond, account.coin, "bonded", free_at, "BalanceClaims.settle", unless)


def _escape_bonds(network: Network, address: str) -> Iterator[Holding]:
    """Behind batches that stand alone."""
    for batch in network.batches.values():
        if batch.bond and batch.proposer == address:
            free_at = network.ends_at(batch.proposed_at, network.parameters["batch_window"])
            where, unless = f"Escape, batch {batch.commitment.hex()}", "unless the batch falls"
            yield Holding(where, batch.bond, "ifx", "bonded", free_at, "Escape.release", unless)


def _objection_bonds(network: Network, address: str) -> Iterator[Holding]:
    """Behind its objections and contradictions; where a node's stake is the bond, it is frozen there."""
    for objection in network.objections.values():
        if objection.status is ObjectionStatus.OPEN and not objection.node and objection.challenger == address:
            where, unless = f"Objections, {objection.id.hex()}", "back unless the panel rejects it"
            yield Holding(where, objection.bond, "ifx", "bonded", None, "Objections.resolve", unless)
    for found in network.contradictions.values():
        if found.status is ObjectionStatus.OPEN and not found.node and found.challenger == address:
            where, unless = f"Contradictions, {found.id.hex()}", "back where the panel upholds it"
            yield Holding(where, found.bond, "ifx", "bonded", None, "Contradictions.resolve", unless)


def _stake(network: Network, node: Node, free_at: int | None) -> list[Holding]:
    """Its parts add up to all that the owner staked; what is frozen of it, its share of the node's, is taken from the
    bonded stake first."""
    where = f"Staking, node {node.id} ({node.role.name.lower()})"
    own = node.bonded - node.delegated
    frozen = -(-node.frozen * (own + node.unbonding) // max(1, node.staked))
    from_bonded = min(frozen, own)
    leaving = max(0, node.unbonding - (frozen - from_bonded))
    soonest = network.time + network.parameters["unbonding"]
    return [
        Holding(where, own - from_bonded, "ifx", "bonded", soonest, "Staking.unbond", "if unbonded now"),
        Holding(where, leaving, "ifx", "unbonding", free_at, "Staking.withdraw"),
        Holding(where, frozen, "ifx", "frozen", None, "Panels.appeal", "held by an open case"),
    ]


def _delegated(network: Network, address: str, now: OnChain) -> Iterator[Holding]:
    """What it has behind others' nodes, what it earned there, and what is on its way out."""
    soonest = network.time + network.parameters["unbonding"]
    for node, (value, rewards) in sorted(now.delegated.items()):
        where = f"Delegation, node {node}"
        yield Holding(where, value, "ifx", "bonded", soonest, "Delegation.undelegate", "if undelegated now")
        yield Holding(where, rewards, "ifx", "claimable", 0, "Delegation.claim")
    for id, found in sorted(network.exits.items()):
        if found.delegator == address:
            note = "not while anything of the node is frozen" if network.nodes[found.node].frozen else ""
            where, worth = f"Delegation, node {found.node}, exit {id}", now.exits.get(id, 0)
            yield Holding(where, worth, "ifx", "unbonding", found.free_at, "Delegation.withdraw", note)


def _rewards(network: Network, node: Node, leaf: NodeLeaf, cut_off: int) -> list[Holding]:
    """Its parts add up to what the newest final accounts give the node, less what was claimed."""
    where, vesting_time = f"Accounts, node {node.id}", network.parameters["worker_vesting"]
    time = min(network.time, cut_off + network.parameters["claim_horizon"])
    earned, claimed = claimable(leaf, time, vesting_time), network.claimed.get(node.id, 0)
    rest = leaf.matured + leaf.vesting - max(earned, claimed)
    due = max(0, earned - claimed)
    if node.status is NodeStatus.FROZEN:
        held = "not paid while the node is frozen"
        return [Holding(where, due + rest, "ifx", "frozen", None, "Accounts.claim", held)]
    if node.status is NodeStatus.BANNED:
        rest = 0  # forfeited
    end = cut_off + vesting_time
    return [
        Holding(where, due, "ifx", "claimable", 0, "Accounts.claim"),
        Holding(where, rest, "ifx", "vesting", end, "Accounts.claim", "streams until then"),
    ]


def _leases(network: Network, address: str) -> Iterator[Holding]:
    """What its machines earned in leases."""
    rest = BPS - network.parameters["lease_fee_bps"]
    for _, _, leaf in unpaid_leases(network):
        node = network.nodes.get(leaf.node)
        if node is not None and node.owner == address:
            where = f"IfxDollar, lease {leaf.task.hex()} of node {node.id}"
            note = f"in the coin of account {leaf.account}"
            yield Holding(where, -(-leaf.charge * rest // BPS), "ifxDollar", "claimable", 0, "Leases.pay", note)


def _fees(node: Node, now: OnChain) -> Iterator[Holding]:
    if node.role is Role.MANAGER:
        where = f"FeeBurner, node {node.id} (manager)"
        for (manager, coin), amount in sorted(now.fees.items()):
            if manager == node.id:
                yield Holding(where, amount, coin, "claimable", 0, "FeeBurner.claim_manager")
