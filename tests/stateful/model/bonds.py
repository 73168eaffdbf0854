# SPDX-License-Identifier: Apache-2.0
"""Money behind what is said against somebody, for all courts that are not about a whole batch. Amounts in wei."""

from dataclasses import dataclass

from tests.stateful.model.basics import BPS, Ground, need
from tests.stateful.model.stake import JAILED, MANAGER, Node, Stakes

WINNER_BPS = BPS // 2


@dataclass
class Bond:
    """What a challenger put at risk. ``node``: whose stake it is, 0 the challenger's own IFX."""

    court: str
    challenger: str
    node: int
    amount: int


@dataclass
class Bonds:
    """``payers``: who lets the courts take its IFX."""

    ground: Ground
    stakes: Stakes
    payers: set[str]

    def take(self, who: str, court: str, node: int, amount: int) -> Bond:
        """By whoever pays itself, or by a node's owner or operator out of its stake: whole, or not at all."""
        if node:
            party = self.stakes.nodes[node]
            need(who in (party.owner, party.operator), "not the owner or operator")
            need(party.total - party.frozen >= amount, "stake too small for the bond")
            self.stakes.freeze(party, amount)
            return Bond(court, party.owner, node, amount)
        need(who in self.payers, "nobody may take its IFX")
        self.ground.ifx.move(who, self.ground.own[court], amount)
        return Bond(court, who, 0, amount)

    def give_back(self, bond: Bond) -> None:
        """To where it came from."""
        if bond.node:
            self.stakes.unfreeze(self.stakes.nodes[bond.node], bond.amount)
        else:
            self.ground.ifx.move(self.ground.own[bond.court], bond.challenger, bond.amount)

    def forfeit(self, bond: Bond, winner: str) -> None:
        """Half burned, half to the winner."""
        if bond.node:
            party = self.stakes.nodes[bond.node]
            self.stakes.unfreeze(party, bond.amount)
            self.stakes.slash(party, bond.amount, WINNER_BPS, winner)
        else:
            own = self.ground.own[bond.court]
            self.ground.ifx.burn(own, bond.amount - bond.amount // 2)
            self.ground.ifx.move(own, winner, bond.amount // 2)

    def slash(self, node: Node, fine: int, reporter: str) -> int:
        """A dispute bond at its present price, half of it the reporter's, and a fine, none of it; what was taken."""
        bond = self.ground.dispute_bond
        return self.stakes.slash(node, bond + fine, WINNER_BPS * bond // (bond + fine), reporter)

    def share(self, node: Node) -> int:
        """What a lie costs of the required stake."""
        return self.stakes.required(node) * self.ground.parameters["slash_failed_bps"] // BPS

    def punish(self, id: int, reporter: str) -> int:
        """Who put up what is false: fined and jailed; what was taken."""
        node = self.stakes.nodes[id]
        least = 0 if node.role == MANAGER else self.ground.root_bond
        taken = self.slash(node, max(self.share(node), least), reporter)
        self.stakes.judge(node, JAILED)
        return taken
