# SPDX-License-Identifier: Apache-2.0
"""The reducer's part for epochs: what each shared out, the accounts roots that follow, and what nodes claim."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from inferix.errors import InferixError
from inferix.models.anchor import AccountLeaf, AccountsData, NodeLeaf
from inferix.models.event import ChainEvent
from inferix.models.roles import RootKind
from inferix.replay.accounting import clients_tree
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.reputation import record
from inferix.replay.settlement import CHUNK
from inferix.replay.state import AccountsRoot, Epoch


def _closed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    amounts = {name: args[name] for name in ("work", "charge", "burned", "minted", "pooled")}
    amounts |= {name: network.parameters[name] for name in ("matured_bps", "poc_bps", "worker_vesting")}
    fines = tuple(network.fines) if args["pooled"] else ()
    found = record(network, args["epoch"])
    network.epochs.append(Epoch(args["epoch"], closed_at=event.timestamp, fines=fines, record=found, **amounts))
    if args["pooled"]:
        network.fines.clear()


def _accounts_posted(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    root = AccountsRoot(
        epoch=args["epoch"],
        cut_off=network.epoch_end(args["epoch"]),
        posted_at=event.timestamp,
        data=args["data"],
        accounts_root=args["accounts_root"],
        nodes_root=args["nodes_root"],
        index=args["index"],
        manager=args["manager"],
    )
    network.accounts_roots.append(root)


def _accounts_cancelled(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.accounts_roots = [root for root in network.accounts_roots if root.index != args["index"]]


def _accounts_overtaken(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    for root in network.accounts_roots:
        root.is_overtaken |= root.index == args["index"]


def _shown(network: Network, event: ChainEvent, args: Mapping[str, Any], *, kind: RootKind) -> None:
    """Leaves of accounts whose document nobody serves; a false one among them is seen all the same."""
    root = next((root for root in network.accounts_roots if root.index == args["index"]), None)
    if root is None:
        return
    first = args["chunk"] * CHUNK
    found: dict[int, AccountLeaf | NodeLeaf | None] = dict.fromkeys(range(first, first + CHUNK))
    for place, values in enumerate(args["leaves"], first):
        # No account has id 0; of nodes it is the penalty pool.
        if kind is RootKind.NODES and values["node"] == place:
            found[place] = NodeLeaf.model_validate(values)
        elif kind is RootKind.ACCOUNTS and values["account"] == place != 0:
            found[place] = AccountLeaf.model_validate(values)
    root.shown.setdefault(kind, {}).update(found)


def _accounts_final(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    root = network.waiting_accounts()
    assert root is not None, "one waits at a time"
    root.final_at = event.timestamp
    leaves = _of_clients(network, root)
    if leaves is None:
        return  # who made it final has still to answer; nobody else's replay shall end with it
    for leaf in leaves:
        account = network.accounts[leaf.account]
        account.spent, account.reserved = leaf.spent, leaf.reserved
    for account in network.accounts.values():
        account.caps = [(posted, cap) for posted, cap in account.caps if posted > root.cut_off]


def _of_clients(network: Network, root: AccountsRoot) -> list[AccountLeaf] | None:
    """The accounts of a root, from its document or what answers on chain showed; None where neither is the whole."""
    try:
        data = AccountsData.read(root.data, network.document)
    except InferixError:
        data = None
    told = [leaf for leaf in root.shown.get(RootKind.ACCOUNTS, {}).values() if isinstance(leaf, AccountLeaf)]
    for leaves in ([] if data is None else data.accounts, told):
        # An id far away would make a tree of billions of places.
        if {leaf.account for leaf in leaves} <= network.accounts.keys() and clients_tree(leaves).grow_to(
            root.accounts_root
        ):
            return leaves
    return None


def _claimed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.claimed[args["node"]] = network.claimed.get(args["node"], 0) + args["amount"]


EVENTS: Handlers = {
    "EpochClosed": _closed,
    "AccountsPosted": _accounts_posted,
    "AccountsCancelled": _accounts_cancelled,
    "AccountsOvertaken": _accounts_overtaken,
    "AccountsShown": partial(_shown, kind=RootKind.ACCOUNTS),
    "NodesShown": partial(_shown, kind=RootKind.NODES),
    "AccountsFinalized": _accounts_final,
    "Claimed": _claimed,
    "Forfeited": _claimed,  # counts as claimed, as in the contract: it is never paid out
}
