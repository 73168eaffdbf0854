# SPDX-License-Identifier: Apache-2.0
"""What nodes ask, how fast they were measured, and to which key others seal what is for them."""

from dataclasses import dataclass

from tests.stateful.model.basics import DAY, need
from tests.stateful.model.stake import MANAGER, WORKER, Node, Stakes

ANSWERS_FOR = 48  # days, with the one that has begun


@dataclass
class Terms:
    """Of all nodes; by owners and operators, speeds by managers."""

    stakes: Stakes

    def set_price(self, who: str, id: int, price: int) -> None:
        """A worker's, nano-USD per IBM; the others ask none."""
        node, floor = self._held(who, id), self.stakes.ground.parameters["price_floor"]
        need(price >= floor if node.role == WORKER else price == 0, "under the floor, or not a worker")
        self._change(node, price, node.ib)

    def set_sealing_key(self, who: str, id: int, key: bytes) -> None:
        """Any."""
        self._held(who, id).sealing_key = key

    def request(self, who: str, id: int, manager: int) -> None:
        """To be measured anew, once, by whatever manager; 0: by nobody."""
        self._held(who, id).measured_by = manager

    def attest(self, who: str, id: int, ib: int, device_class: bytes) -> None:
        """A bonded manager's word [micro-IB]: any for who has no speed, else the one that was asked, once."""
        manager = next((node for node in self.stakes.nodes.values() if node.operator == who), None)
        need(manager and manager.role == MANAGER and self.stakes.is_bonded(manager), "not a bonded manager's operator")
        assert manager
        need(id in self.stakes.nodes and ib, "no such node, or no speed")
        node = self.stakes.nodes[id]
        if node.ib:
            need(node.measured_by == manager.id, "not asked")
            node.measured_by = 0
        node.device_class = device_class
        self._change(node, node.price, ib)

    def _held(self, who: str, id: int) -> Node:
        node = self.stakes.nodes.get(id)
        need(node and who in (node.owner, node.operator), "not the owner or operator")
        assert node
        return node

    def _change(self, node: Node, price: int, ib: int) -> None:
        """Where its stake was enough for what it was, it answers on for the most that it was: it may have worked."""
        if node.could_work:
            node.dearest = max(self._minute(node), self.stakes.dearest(node))
            node.dearest_until = self.stakes.ground.clock.now // DAY + ANSWERS_FOR
        node.price, node.ib, node.could_work = price, ib, False
        self.stakes.refresh(node.id)

    def _minute(self, node: Node) -> int:
        return node.ib * max(node.price, self.stakes.ground.parameters["price_default"]) // 10**6
