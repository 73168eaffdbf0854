# SPDX-License-Identifier: Apache-2.0
"""Keys of nodes, and what two votes of one cost it. Amounts in wei."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import need
from tests.stateful.model.stake import BANNED, Stakes

REWARD_BPS = 1_000


@dataclass
class Keys:
    """``former``: keys that were a node's; ``proven``: (task, attempt, node) of double votes."""

    stakes: Stakes
    former: set[str] = field(default_factory=set)
    proven: set[tuple[bytes, int, int]] = field(default_factory=set)

    def change(self, who: str, id: int, operator: str) -> None:
        """By the owner, to one that no node ever had; not of a banned node, whose next key would be another's."""
        node = self.stakes.nodes[id]
        need(who == node.owner and node.stored != BANNED, "not the owner, or banned")
        need(operator not in self.former, "was a node's")
        need(operator not in {each.operator for each in self.stakes.nodes.values()}, "is a node's")
        self.former.add(node.operator)
        node.operator = operator

    def equivocate(self, reporter: str, id: int, attempt: tuple[bytes, int], *, is_proof: bool) -> None:
        """All that the node has at stake, once an attempt; who bans it is the caller's to say."""
        need(is_proof and (*attempt, id) not in self.proven, "no proof, or proven before")
        self.proven.add((*attempt, id))
        node = self.stakes.nodes[id]
        self.stakes.slash(node, node.total, REWARD_BPS, reporter)
