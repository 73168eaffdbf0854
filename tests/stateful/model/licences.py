# SPDX-License-Identifier: Apache-2.0
"""Licences to run a node: who has which, what was paid for it, when it may move, which nodes stand on it, and bans."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import DAY, Ground, need
from tests.stateful.model.stake import BANNED, WORKER, Node, Stakes

NOBODY = "0x" + 40 * "0"
LOCK = 365 * DAY
BEFORE_FIRST = {1: 0, 2: 100_000, 3: 125_000}
PLACES = 10


def role_of(id: int) -> int:
    """The id tells it."""
    return max(role for role, first in BEFORE_FIRST.items() if id > first)


@dataclass
class Licence:
    """``cents``: USD cents that were paid, 0 where it was given away; ``seller``: who offered it to the buyback."""

    id: int
    role: int
    owner: str
    cents: int = 0
    free_at: int = 0
    approved: str = NOBODY
    seller: str = NOBODY
    nodes: list[int] = field(default_factory=list)


@dataclass
class Licences:
    """All that there are; ``node_on``: each node's licence, burned or not; ``for_all``: by owner and
    another, whether it may take all of the owner's."""

    ground: Ground
    stakes: Stakes
    items: dict[int, Licence]
    minted: dict[int, int]
    node_on: dict[int, int]
    burned: int = 0
    banned: set[str] = field(default_factory=set)
    banned_ids: set[int] = field(default_factory=set)
    for_all: dict[tuple[str, str], bool] = field(default_factory=dict)

    def at(self, id: int) -> Licence:
        """Refused where there is none."""
        need(id in self.items, "no such licence")
        return self.items[id]

    def count(self, owner: str) -> int:
        """How many somebody has."""
        return sum(licence.owner == owner for licence in self.items.values())

    def mint(self, to: str, role: int, count: int, cents: int, *, locked: bool) -> int:
        """Id of the first."""
        first = BEFORE_FIRST[role] + self.minted[role] + 1
        self.minted[role] += count
        free_at = self.ground.clock.now + (LOCK if locked else 0)
        for id in range(first, first + count):
            self.items[id] = Licence(id, role, to, cents, free_at)
        return first

    def approve(self, who: str, id: int, to: str) -> None:
        """Lets another take it, once; by the owner, or who may take all of its."""
        owner = self.at(id).owner
        need(who == owner or self.for_all.get((owner, who)), "not the owner or operator")
        self.items[id].approved = to

    def approve_all(self, who: str, to: str, *, allowed: bool) -> None:
        """Whatever it has, now and later; other approvals stay."""
        self.for_all[who, to] = allowed

    def in_use(self, licence: Licence) -> bool:
        """A node of it may work, or has stake of its owner left."""
        return any(self._holds_place(id) for id in licence.nodes)

    def move(self, who: str, id: int, to: str, *, takes: bool = True) -> None:
        """By the owner or whoever it let; the buyback alone before the year is over; ``takes``: whether the receiver does."""
        self._check_movable(who, id)
        need(takes, "a contract that expects no licences")
        self.put(id, to)

    def put(self, id: int, to: str) -> None:
        """Whatever an approval said is over."""
        licence = self.items[id]
        licence.owner, licence.approved = to, NOBODY

    def burn(self, who: str, id: int) -> None:
        """For good."""
        self._check_movable(who, id)
        del self.items[id]
        self.burned += 1

    def _check_movable(self, who: str, id: int) -> None:
        licence = self.at(id)
        may = who in (licence.owner, licence.approved) or self.for_all.get((licence.owner, who))
        need(may, "not the owner or approved")
        if who != self.ground.own["buyback"]:
            need(self.ground.clock.now >= licence.free_at, "locked")
            need(not self.in_use(licence), "in use")

    # -- nodes

    def register(self, who: str, id: int, operator: str, price: int) -> Node:
        """A node on a free place of a licence, without stake."""
        licence = self.at(id)
        need(who == licence.owner, "not the licence's owner")
        need(who not in self.banned and id not in self.banned_ids, "banned")
        floor = self.ground.parameters["price_floor"]
        need(price >= floor if licence.role == WORKER else price == 0, "price")
        node = Node(len(self.stakes.nodes) + 1, licence.role, who, operator, price=price)
        self._take_place(licence, node.id)
        self.stakes.nodes[node.id] = node
        self.node_on[node.id] = id
        return node

    def _take_place(self, licence: Licence, node: int) -> None:
        if len(licence.nodes) < (PLACES if licence.role == WORKER else 1):
            licence.nodes.append(node)
            return
        free = next((at for at, id in enumerate(licence.nodes) if not self._holds_place(id)), None)
        need(free is not None, "no place left on the licence")
        assert free is not None
        licence.nodes[free] = node

    def _holds_place(self, id: int) -> bool:
        node = self.stakes.nodes[id]
        return not node.retired or node.own + node.unbonding > 0

    def set_status(self, node: Node, status: int) -> None:
        """The governor's. A ban binds the owner, and the licence while it is that owner's, or offered by it."""
        if BANNED in (node.stored, status):
            self._mark(node, status == BANNED)
        node.stored = status

    def apply_ban(self, node: Node) -> None:
        """Another node of an owner that is banned."""
        need(node.stored != BANNED and node.owner in self.banned, "banned already, or not banned")
        node.stored = BANNED

    def _mark(self, node: Node, is_banned: bool) -> None:
        id = self.node_on[node.id]
        licence = self.items.get(id)
        if not is_banned:
            self.banned.discard(node.owner)
            self.banned_ids.discard(id)
            return
        self.banned.add(node.owner)
        if licence and node.owner in (licence.owner, self._seller(licence)):
            self.banned_ids.add(id)

    def _seller(self, licence: Licence) -> str:
        return licence.seller if licence.owner == self.ground.own["buyback"] else licence.owner
