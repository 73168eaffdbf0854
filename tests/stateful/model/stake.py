# SPDX-License-Identifier: Apache-2.0
"""Nodes and what they put at risk: the registry's statuses, Staking, the penalty pool. Amounts in wei."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import BPS, DAY, WEI, Ground, need, up

WORKER, VERIFIER, MANAGER = 1, 2, 3
ACTIVE, FROZEN, JAILED, BANNED, RETIRED = 1, 2, 3, 4, 5
KEEP_BPS = 8_000


@dataclass
class Node:
    """A node; ``retired`` hides behind a freeze, a jail or a ban; ``dearest``: nano-USD for a minute of its work that its
    stake answers for until a day, whatever it asks now; ``measured_by``: which manager it asked; ``could_work``:
    qualified at some time on its present terms."""

    id: int
    role: int
    owner: str
    operator: str
    ib: int = 0
    price: int = 0
    dearest: int = 0
    dearest_until: int = 0
    measured_by: int = 0
    device_class: bytes = bytes(32)
    sealing_key: bytes = bytes(32)
    stored: int = ACTIVE
    retired: bool = False
    bonded: int = 0
    delegated: int = 0
    unbonding: int = 0
    delegated_unbonding: int = 0
    free_at: int = 0
    frozen: int = 0
    holds: int = 0
    qualified: bool = False
    could_work: bool = False

    @property
    def own(self) -> int:
        """What the owner has at work."""
        return self.bonded - self.delegated

    @property
    def total(self) -> int:
        """All that a slash can reach."""
        return self.bonded + self.unbonding + self.delegated_unbonding

    @property
    def status(self) -> int:
        """As the registry says it."""
        return RETIRED if self.stored == ACTIVE and self.retired else self.stored


@dataclass(eq=False)
class Fine:
    """What a slash brought into the penalty pool; of cases: their tasks and who sat on their panels."""

    amount: int
    tasks: set[bytes] = field(default_factory=set)
    seats: list[int] = field(default_factory=list)


@dataclass
class Stakes:
    """All nodes; ``fines``: since the pool was last handed over."""

    ground: Ground
    nodes: dict[int, Node] = field(default_factory=dict)
    fines: list[Fine] = field(default_factory=list)

    @property
    def _address(self) -> str:
        return self.ground.own["staking"]

    def required(self, node: Node) -> int:
        """What a node needs now, rounded up."""
        parameters = self.ground.parameters
        if node.role == WORKER:
            price, minutes = max(node.price, parameters["price_default"]), 2 * (parameters["epoch_length"] // 60)
            usd = max(minutes * node.ib * price // 10**6, minutes * self.dearest(node))
        else:
            usd = parameters["verifier_bond" if node.role == VERIFIER else "manager_bond"]
        return up(usd * WEI, self.ground.price)

    def dearest(self, node: Node) -> int:
        """nano-USD for a minute of its work that it asked before it asked less, or was slower; 0 once that is over."""
        return node.dearest if self.ground.clock.now // DAY < node.dearest_until else 0

    def is_bonded(self, node: Node) -> bool:
        """Active, qualified, and still worth 80 % of what is required."""
        return node.qualified and node.status == ACTIVE and self._keeps(node)

    def stake(self, payer: str, id: int, amount: int) -> None:
        """Anybody for a node."""
        node = self.nodes.get(id)
        need(node, "no such node")
        assert node
        need(node.status not in (BANNED, RETIRED), "banned or retired")
        need(amount, "nothing to stake")
        self.ground.ifx.move(payer, self._address, amount)
        node.bonded += amount
        self.qualify(node)

    def unbond(self, who: str, id: int, amount: int) -> None:
        """Out of work; a further call waits anew."""
        node = self.nodes[id]
        need(who == node.owner, "not the owner")
        need(amount and amount <= node.own, "nothing, or more than bonded")
        node.bonded -= amount
        node.unbonding += amount
        node.free_at = self.ground.clock.now + self.ground.parameters["unbonding"]
        self.disqualify(node)

    def withdraw(self, who: str, id: int) -> int:
        """What has finished unbonding, less what is frozen."""
        node = self.nodes[id]
        need(who == node.owner, "not the owner")
        need(not node.holds, "a case or a batch is open")
        need(node.unbonding and self.ground.clock.now >= node.free_at, "nothing to take yet")
        backed = node.delegated + node.delegated_unbonding
        amount = min(node.unbonding, node.total - node.frozen)
        need(amount and not (backed and node.frozen), "frozen")
        node.unbonding -= amount
        node.free_at = node.free_at if node.unbonding else 0
        self.ground.ifx.move(self._address, who, amount)
        return amount

    def refresh(self, id: int) -> None:
        """Weighs a node's stake by what is required now."""
        node = self.nodes[id]
        self._weigh(node, self._keeps(node) if node.qualified else self._is_enough(node))

    def qualify(self, node: Node) -> None:
        """After stake was put to work."""
        self._weigh(node, node.qualified or self._is_enough(node))

    def freeze(self, node: Node, amount: int) -> int:
        """Up to this amount of what is not frozen, whoever's."""
        taken = min(amount, node.total - node.frozen)
        node.frozen += taken
        return taken

    def unfreeze(self, node: Node, amount: int) -> None:
        """At most what is frozen."""
        node.frozen -= min(amount, node.frozen)

    def slash(self, node: Node, amount: int, reporter_bps: int, reporter: str) -> int:
        """All four parts in proportion: half burned, the rest pooled less the reporter's part, of the owner's loss."""
        taken = min(amount, node.total)
        if not taken:
            return 0
        of_owner = self._take(node, taken)
        reward = min(taken * reporter_bps // BPS, of_owner // 2)
        pooled = taken // 2 - reward
        self.ground.ifx.burn(self._address, taken - pooled - reward)
        self.ground.ifx.move(self._address, self.ground.own["penalty_pool"], pooled)
        self.ground.ifx.move(self._address, reporter, reward)
        self.fines.append(Fine(pooled))
        self.disqualify(node)
        return taken

    def _take(self, node: Node, taken: int) -> int:
        """Rounded down but for the owner's part at work, which bears the rest as far as it goes; what the owner lost."""
        names = ("own", "unbonding", "delegated", "delegated_unbonding")
        before, total = [getattr(node, name) for name in names], node.total
        after = [part - taken * part // total for part in before]
        after[0] = before[0]
        while sum(after) > total - taken:
            at = next(at for at, part in enumerate(after) if part)
            after[at] -= min(after[at], sum(after) - total + taken)
        own, node.unbonding, node.delegated, node.delegated_unbonding = after
        node.bonded = own + node.delegated
        node.frozen = min(node.frozen, total - taken)
        return sum(before[:2]) - sum(after[:2])

    def judge(self, node: Node, status: int) -> None:
        """A court's status: a jail or a ban is left as it is by a milder one."""
        if not (node.stored > FROZEN and status < node.stored):
            node.stored = status

    def retire(self, who: str, id: int) -> None:
        """For good."""
        node = self.nodes[id]
        need(who == node.owner and not node.retired, "not the owner, or retired already")
        node.retired = True

    def _weigh(self, node: Node, qualified: bool) -> None:
        node.qualified = qualified
        node.could_work = node.could_work or qualified

    def _is_enough(self, node: Node) -> bool:
        required = self.required(node)
        return required != 0 and node.bonded >= required + node.frozen

    def _keeps(self, node: Node) -> bool:
        free = max(0, node.bonded - node.frozen)
        return free > 0 and free * BPS >= self.required(node) * KEEP_BPS

    def disqualify(self, node: Node) -> None:
        """After stake was taken out of work."""
        node.qualified = node.qualified and self._is_enough(node)
