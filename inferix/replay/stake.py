# SPDX-License-Identifier: Apache-2.0
"""The reducer's part for stake: what is at work behind each node, what leaves, what others delegated, in wei."""

from collections.abc import Mapping
from typing import Any

from inferix.models.event import ChainEvent
from inferix.replay.state import Exit, Fine, Node, Terms


class StakeEvents:
    """Events of Staking and Delegation. ``delegations``: shares by (node, delegator), also when none is left."""

    nodes: dict[int, Node]
    delegations: dict[tuple[int, str], int]
    exits: dict[int, Exit]
    fines: list[Fine]

    # -- Staking

    def _on_Staked(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.nodes[args["node"]].bonded += args["amount"]

    def _on_Unbonding(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        node = self.nodes[args["node"]]
        node.bonded -= args["amount"]
        node.unbonding += args["amount"]

    def _on_StakeWithdrawn(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.nodes[args["node"]].unbonding -= args["amount"]

    def _on_DelegatedBonded(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        node = self.nodes[args["node"]]
        node.bonded += args["amount"]
        node.delegated += args["amount"]

    def _on_DelegatedUnbonding(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        node = self.nodes[args["node"]]
        node.bonded -= args["amount"]
        node.delegated -= args["amount"]
        node.delegated_unbonding += args["amount"]

    def _on_DelegatedPaid(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.nodes[args["node"]].delegated_unbonding -= args["amount"]

    def _on_Frozen(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.nodes[args["node"]].frozen += args["amount"]

    def _on_Unfrozen(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.nodes[args["node"]].frozen -= args["amount"]

    def _on_Slashed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        slash(self.nodes[args["node"]], args["amount"])
        self.fines.append(Fine(args["node"], args["pooled"]))

    def _on_Qualified(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.nodes[args["node"]].qualified = args["qualified"]

    # -- Delegation

    def _on_LimitSet(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.nodes[args["node"]].limit = args["limit"]

    def _on_ShareNoticed(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        # The contract takes a further notice only while the one before is not in force yet, or once it is.
        node = self.nodes[args["node"]]
        in_force = node.terms.next_share if node.terms.since + 2 <= args["since"] else node.terms.share
        node.terms = Terms(share=in_force, next_share=args["share"], since=args["since"])

    def _on_Delegated(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        place = args["node"], args["delegator"]
        self.delegations[place] = self.delegations.get(place, 0) + args["shares"]

    def _on_Undelegated(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        self.delegations[args["node"], args["delegator"]] -= args["shares"]
        if args["exit"]:
            self.exits[args["exit"]] = Exit(args["node"], args["delegator"], args["free_at"])

    def _on_ExitWithdrawn(self, event: ChainEvent, args: Mapping[str, Any]) -> None:
        del self.exits[args["exit"]]


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
