# SPDX-License-Identifier: Apache-2.0
"""Draws from a roster by a sealed seed: one code for assignment, committees and panels, that anybody can recompute."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.models.anchor import RosterLeaf
from inferix.models.roles import Draw
from inferix.trees import Tree, roster_leaf, split

MAX_DRAWS = 256


class Roster:
    """The weighted list that draws are made from. Leaf index = node id."""

    def __init__(self, leaves: Sequence[RosterLeaf]) -> None:
        self.leaves = {item.node: item for item in sorted(leaves, key=lambda leaf: leaf.node)}
        last = max(self.leaves, default=0)
        self.tree = Tree([roster_leaf(self.leaves[at]) if at in self.leaves else None for at in range(last + 1)])

    @property
    def total(self) -> int:
        """Sum of the weights."""
        return split(self.tree.root.sum)[0]

    def at(self, position: int) -> RosterLeaf:
        """The leaf in whose share a position below ``total`` falls."""
        return self.leaves[self.tree.find(position)]

    @classmethod
    def behind(cls, root: bytes, total: int, leaves: Sequence[RosterLeaf]) -> Self | None:
        """The roster of these leaves and as many empty places after them as the root has; None if it is not theirs."""
        if sum(leaf.weight for leaf in leaves) != total:
            return None
        roster = cls(leaves)
        return roster if roster.tree.grow_to(root) else None


@dataclass(frozen=True, slots=True)
class Drawn:
    """One draw: its number and the leaf it hit."""

    index: int
    leaf: RosterLeaf


def position(seed: bytes, task: bytes, role: Draw, attempt: int, index: int, total: int) -> int:
    """``uint256(keccak256(abi.encode(bytes32, bytes32, uint8, uint8, uint16))) mod total``."""
    kinds = ["bytes32", "bytes32", "uint8", "uint8", "uint16"]
    return int.from_bytes(keccak(abi_encode(kinds, [seed, task, int(role), attempt, index])), "big") % total


def draws(roster: Roster, seed: bytes, task: bytes, role: Draw, attempt: int) -> Iterator[Drawn]:
    """The draws of a task in order, at most MAX_DRAWS; none from an empty roster."""
    if roster.total == 0:
        return
    for index in range(MAX_DRAWS):
        yield Drawn(index, roster.at(position(seed, task, role, attempt, index, roster.total)))


def committee(
    roster: Roster, seed: bytes, task: bytes, role: Draw, attempt: int, seats: int, fits: Callable[[RosterLeaf], bool]
) -> list[RosterLeaf]:
    """The first ``seats`` distinct fitting nodes; fewer when the draws run out."""
    chosen: list[RosterLeaf] = []
    met: set[int] = set()
    for drawn in draws(roster, seed, task, role, attempt):
        if drawn.leaf.node not in met:
            met.add(drawn.leaf.node)
            if fits(drawn.leaf):
                chosen.append(drawn.leaf)
        if len(chosen) == seats or len(met) == len(roster.leaves):
            break  # the draws after this one could only meet somebody again
    return chosen
