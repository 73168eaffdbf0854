# SPDX-License-Identifier: Apache-2.0
"""The reducer's part for stake: what is at work behind each node, what leaves, what others delegated, in wei."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from inferix.models.event import ChainEvent
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.state import Exit, Fine, Node, Terms


def _staked(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.nodes[args["node"]].bonded += args["amount"]


def _unbonding(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    node = network.nodes[args["node"]]
    node.bonded -= args["amount"]
    node.unbonding += args["amount"]


def _stake_withdrawn(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.nodes[args["node"]].unbonding -= args["amount"]


def _delegated_bonded(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    node = network.nodes[args["node"]]
    node.bonded += args["amount"]
    node.delegated += args["amount"]


def _delegated_unbonding(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    node = network.nodes[args["node"]]
    node.bonded -= args["amount"]
    node.delegated -= args["amount"]
    node.delegated_unbonding += args["amount"]


def _delegated_paid(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.nodes[args["node"]].delegated_unbonding -= args["amount"]


def _frozen(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.nodes[args["node"]].frozen += args["amount"]


def _unfrozen(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.nodes[args["node"]].frozen -= args["amount"]


def _slashed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    slash(network.nodes[args["node"]], args["amount"])
    network.fines.append(Fine(args["node"], args["pooled"], transaction=event.transaction))


def _qualified(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.nodes[args["node"]].qualified = args["qualified"]


def _limit_set(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.nodes[args["node"]].limit = args["limit"]


def _share_noticed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    # The contract takes a further notice only while the one before is not in force yet, or once it is.
    node = network.nodes[args["node"]]
    in_force = node.terms.next_share if node.terms.since + 2 <= args["since"] else node.terms.share
    node.terms = Terms(share=in_force, next_share=args["share"], since=args["since"])


def _delegated(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    place = args["node"], args["delegator"]
    network.delegations[place] = network.delegations.get(place, 0) + args["shares"]


def _undelegated(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.delegations[args["node"], args["delegator"]] -= args["shares"]
    if args["exit"]:
        network.exits[args["exit"]] = Exit(args["node"], args["delegator"], args["free_at"])


def _exit_withdrawn(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    del network.exits[args["exit"]]


def bar(network: Network, event: ChainEvent, node: int, judges: Iterable[int]) -> None:
    """Keeps from who judged a node what it was slashed just before, in the same transaction as ``event``.

    Of a node without stake nothing is taken and no slash is logged: an earlier fine stays as it is.
    """
    fine = network.fines[-1] if network.fines else None
    if fine is not None and (fine.node, fine.transaction) == (node, event.transaction):
        network.fines[-1] = replace(fine, barred=frozenset(judges))


def slash(node: Node, taken: int) -> None:
    """Takes from a node's stake as Staking does: each part bears its share rounded down, the owner's the rest."""
    total = node.staked
    own = node.bonded - node.delegated
    parts = [own, node.unbonding, node.delegated, node.delegated_unbonding]
    lost = [0, *(taken * part // total for part in parts[1:])]
    rest = taken - sum(lost)
    for at, part in enumerate(parts):
        more = min(rest, part - lost[at])
        lost[at] += more
        rest -= more
    node.bonded -= lost[0] + lost[2]
    node.unbonding -= lost[1]
    node.delegated -= lost[2]
    node.delegated_unbonding -= lost[3]
    node.frozen = min(node.frozen, total - taken)


EVENTS: Handlers = {
    "Staked": _staked,
    "Unbonding": _unbonding,
    "StakeWithdrawn": _stake_withdrawn,
    "DelegatedBonded": _delegated_bonded,
    "DelegatedUnbonding": _delegated_unbonding,
    "DelegatedPaid": _delegated_paid,
    "Frozen": _frozen,
    "Unfrozen": _unfrozen,
    "Slashed": _slashed,
    "Qualified": _qualified,
    "LimitSet": _limit_set,
    "ShareNoticed": _share_noticed,
    "Delegated": _delegated,
    "Undelegated": _undelegated,
    "ExitWithdrawn": _exit_withdrawn,
}
