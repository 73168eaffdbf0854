# SPDX-License-Identifier: Apache-2.0
"""Nodes ask another price, are measured anew, and have things sealed to another key: by whom they let, and whoever tries."""

from typing import Any

from eth_utils import keccak
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.contracts.system import FLOOR, Node
from tests.stateful.stage import PICK, Stage

ACTS = ("price", "price", "price", "ask", "measure", "measure", "measure", "seal")
PRICES = (2 * FLOOR, FLOOR, 2 * FLOOR + 1, 2 * FLOOR, 5 * FLOOR, 2 * FLOOR - 1, 0, FLOOR - 1)
FASTEST = 10**9  # micro-IB
SPEEDS = ((1, 2), (1, 1), (2, 1), (11, 10), (1, 3), (0, 1))  # of the present one


class TermRules(Stage):
    """Owners and operators, managers that measure, and keys that are no more."""

    @rule(act=st.sampled_from(ACTS), pick=PICK, by=PICK, value=PICK)
    def terms(self, act: str, pick: int, by: int, value: int) -> None:
        nodes = self.world.workers if by % 3 else list(self.world.nodes.values())
        node, manager = self._of(nodes, pick), self._of(self.world.managers, value)
        who = self._holder_of(node, by)
        match act:
            case "price":
                self.change_price(node, who, self._of(PRICES, value))
            case "ask":
                self.request_benchmark(node, who, self._of([manager.id, 0, node.id], by))
            case "measure":
                times, by_times = self._of(SPEEDS, value)
                speed = min(self.bench.model.stakes.nodes[node.id].ib * times // by_times, FASTEST)
                if by % 5:
                    self.request_benchmark(node, who, manager.id)
                for measurer in (self._of(self.world.managers, value + (by % 7 == 6)), manager)[: 1 + by % 2]:
                    self.attest(node, measurer.operator, speed)
            case _:
                self.seal_to(node, who, keccak(text=f"key {value}"))

    def _holder_of(self, node: Node, by: int) -> Any:
        """The owner, the operator, one that it had, or somebody else."""
        former = self.bench.former.get(node.id, [self.world.stranger])
        return self._of([node.owner, node.operator, node.owner, node.operator, former[0]], by)

    def change_price(self, node: Node, who: Any, price: int) -> bool:
        """nano-USD per IBM."""
        ask = lambda: self.bench.model.terms.set_price(who.address, node.id, price)  # noqa: E731
        return self.bench.both(who, ask, "registry", "set_price", node.id, price)

    def request_benchmark(self, node: Node, who: Any, manager: int) -> bool:
        """Of a manager, of nobody (0), or of who is none."""
        ask = lambda: self.bench.model.terms.request(who.address, node.id, manager)  # noqa: E731
        return self.bench.both(who, ask, "registry", "request_benchmark", node.id, manager)

    def attest(self, node: Node, who: Any, ib: int) -> bool:
        """micro-IB, and a device class that goes with it."""
        device = keccak(text=f"device of {ib}")
        ask = lambda: self.bench.model.terms.attest(who.address, node.id, ib, device)  # noqa: E731
        return self.bench.both(who, ask, "registry", "attest_benchmark", node.id, ib, device)

    def seal_to(self, node: Node, who: Any, key: bytes) -> bool:
        """Whatever is sealed for the node from here on."""
        ask = lambda: self.bench.model.terms.set_sealing_key(who.address, node.id, key)  # noqa: E731
        return self.bench.both(who, ask, "registry", "set_sealing_key", node.id, key)
