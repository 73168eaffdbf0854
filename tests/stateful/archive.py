# SPDX-License-Identifier: Apache-2.0
"""Data behind roots, on world and model alike: withheld, asked for, shown or not; rosters that managers post."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eth_utils import keccak

from inferix.draws import Roster
from inferix.messages import Message, Probe, Receipt
from inferix.models.anchor import AnchorData, RosterData, RosterLeaf
from inferix.models.roles import RosterKind
from inferix.replay.accounting import accounts_tree, nodes_tree, roster_leaves
from inferix.replay.later import MESSAGE_KINDS
from inferix.trees import Tree, message_leaf
from tests.contracts.disputes.court import leaf_values_of
from tests.contracts.disputes.shown import KINDS, NO_MESSAGE, Shown, message_values
from tests.contracts.system import block_hash
from tests.contracts.work.network import leaf_values
from tests.stateful.floor import SLOT
from tests.stateful.model.availability import RootDispute
from tests.stateful.model.courts import OPEN
from tests.stateful.model.roots import ACCOUNTS, ANCHOR, NODES, ROSTER, Name

if TYPE_CHECKING:
    from tests.stateful.docket import Docket

ANSWERS = {ANCHOR: "anchor", ROSTER: "roster", ACCOUNTS: "accounts", NODES: "nodes"}


class Archive:
    """``shelf``: what is behind every root that was ever seen here; ``withheld``: of which keepers have nothing."""

    def __init__(self, docket: "Docket") -> None:
        self.docket = docket
        self.bench = docket.bench
        self.shelf: dict[Name, Shown] = {}
        self.withheld: set[Name] = set()

    # -- roots that are put up

    def withhold(self, manager: int, count: int) -> Name | None:
        """An anchor over messages that mean nothing, whose document nobody gets; None where the manager may not."""
        world, bench = self.bench.world, self.bench
        bench.floor.seal(manager)
        signed = [self._message(at) for at in range(count)]
        tree = Tree([message_leaf(message.digest(world.domain)) for message, _ in signed] or [message_leaf(bytes(32))])
        world.wait(SLOT)
        operator = world.nodes[manager].operator
        if not world.send(operator, "batches", "anchor", manager, tree.root.hash, keccak(text="withheld")).done:
            return None
        bench.floor.seal(manager)
        index = world.read("batches", "lane", manager)["anchors"]
        name = self._keep_anchor(manager, index, tree, [message_values(*each) for each in signed])
        self.withheld.add(name)
        return name

    def served_anchors(self) -> list[Name]:
        """Anchors whose messages everybody has."""
        found = []
        for manager, lane in self.bench.world.mirror.lanes.items():
            for anchor in lane.anchors.values():
                body = self.bench.world.documents.get(anchor.data)
                if body is not None and anchor.seed is not None:
                    found.append(self._keep_served(manager, anchor.index, AnchorData.decode(body, anchor.data)))
        return found

    def _keep_served(self, manager: int, index: int, data: AnchorData) -> Name:
        kinds = {name: kind for kind, name in MESSAGE_KINDS.items()}
        values = [(kinds[item.kind], item.body, item.signature) for item in data.messages]
        types = {each.__name__: each for each in KINDS}
        domain = self.bench.world.domain
        digests = [types[item.kind].from_body(item.body).digest(domain) for item in data.messages]
        tree = Tree([message_leaf(digest) for digest in digests or [bytes(32)]])
        return self._keep_anchor(manager, index, tree, values)

    def _keep_anchor(self, manager: int, index: int, tree: Tree, values: list[Any]) -> Name:
        anchor = self.bench.world.mirror.lane(manager).anchors[index]
        known = block_hash(anchor.armed_at + 1)
        return self._keep(Shown(ANCHOR, manager, index, tree, values or [NO_MESSAGE], known))

    def _message(self, at: int) -> tuple[Message, bytes]:
        world = self.bench.world
        node = world.verifiers[at % len(world.verifiers)]
        task = keccak(text=f"nothing {self.bench.steps} {at}")
        message: Message = Receipt(task=task, attempt=0, node=node.id, result=task)
        if at % 2:
            message = Probe(manager=1, anchor=at, node=node.id, seed=task)
        return message, message.sign(world.domain, bytes(node.operator.key))

    def post_roster(self, manager: int, kind: RosterKind, is_right: bool = True, is_served: bool = True) -> bool:
        """A manager's; a false one never comes into force here, or nobody could be drawn: it is replaced before."""
        world, roots = self.bench.world, self.bench.sync().roots
        leaves, waiting = roster_leaves(world.mirror, kind), roots.rosters.get(kind)
        if not leaves or (waiting and not waiting.is_right and not waiting.disputes):
            return False
        if not is_right:
            leaves[0] = leaves[0].model_copy(update={"weight": leaves[0].weight + 1})
        roster, data = Roster(leaves), RosterData(kind=int(kind), leaves=leaves)
        root, digest = roster.tree.root.hash, world.store(data) if is_served else data.digest()
        ask = lambda: roots.post(manager, kind, root, is_right and is_served)  # noqa: E731
        terms = (int(kind), root, roster.total, max(roster.leaves) + 1, digest)
        done = self.bench.both(world.nodes[manager].operator, ask, "rosters", "post", *terms)
        if done:
            name = self._keep_roster(kind, roster)
            self.withheld |= set() if digest in world.documents else {name}
        return done

    def finalize_roster(self, kind: RosterKind) -> bool:
        """Anybody, but for a false one."""
        waiting = self.bench.sync().roots.rosters.get(kind)
        if waiting and not waiting.is_right:
            return False
        ask = lambda: self.bench.model.roots.finalize(kind)  # noqa: E731
        return self.bench.both(self.bench.world.stranger, ask, "rosters", "finalize", int(kind))

    def _keep_roster(self, kind: RosterKind, roster: Roster) -> Name:
        empty = RosterLeaf(node=0, ib=0, price=0, device_class=bytes(32), weight=0)
        places = [leaf_values_of(roster.leaves.get(at, empty)) for at in range(len(roster.tree.levels[0]))]
        return self._keep(Shown(ROSTER, int(kind), self.bench.model.roots.posted[kind], roster.tree, places))

    def waiting(self) -> list[Name]:
        """Rosters and books that wait."""
        books = self.bench.sync().books.pending
        if books is not None:
            data = self.bench.documents[books.epoch]
            for kind, tree, rows in (
                (ACCOUNTS, accounts_tree(data), {leaf.account: leaf_values(leaf) for leaf in data.accounts}),
                (NODES, nodes_tree(data), {leaf.node: leaf_values(leaf) for leaf in data.nodes}),
            ):
                none = (0,) * (3 if kind == ACCOUNTS else 4)
                places = [rows.get(at, none) for at in range(len(tree.levels[0]))]
                self._keep(Shown(kind, 0, books.index, tree, places))
        return self.bench.model.roots.waiting()

    def _keep(self, shown: Shown) -> Name:
        name = Name(*shown.root())
        self.shelf[name] = shown
        return name

    # -- what is asked of them

    def id_of(self, name: Name, chunk: int) -> bytes:
        """Of the one dispute about a chunk of a root."""
        return bytes(self.bench.world.read("availability", "dispute_id", name.values, chunk))

    def ask(self, name: Name, chunk: int = 0, node: int = 0, who: Any = None) -> bool:
        """Asks for a chunk, with a bond."""
        world, shown = self.bench.world, self.shelf[name]
        who = who or (world.nodes[node].operator if node else world.challenger)
        sealed_at = world.mirror.lane(name.of).anchors[name.index].sealed_at if name.kind == ANCHOR else 0
        id = self.id_of(name, chunk)
        ask = lambda: self.bench.model.availability.challenge(who.address, id, name, chunk, node, sealed_at)  # noqa: E731
        arguments = (name.values, chunk, node, shown.block_hash)
        return self.bench.both(who, ask, "availability", "challenge", *arguments)

    def answer(self, name: Name, chunk: int = 0) -> bool:
        """Anybody who has the data, which those of this module do."""
        id, shown = self.id_of(name, chunk), self.shelf[name]
        ask = lambda: self.bench.model.availability.answer(id)  # noqa: E731
        function = f"answer_{ANSWERS[name.kind]}"
        arguments = (name.values, *shown.answer(chunk))
        return self.bench.both(self.bench.world.stranger, ask, "availability", function, *arguments)

    def expire(self, name: Name, chunk: int = 0) -> bool:
        """Anybody."""
        id = self.id_of(name, chunk)
        ask = lambda: self.bench.model.availability.expire(id)  # noqa: E731
        return self.bench.both(self.bench.world.stranger, ask, "availability", "expire", name.values, chunk)

    def open(self) -> Sequence[RootDispute]:
        """Questions that wait."""
        return [item for item in self.bench.model.availability.disputes.values() if item.status == OPEN]

    def serve(self) -> None:
        """Keepers answer what they can."""
        for item in self.open():
            if item.name not in self.withheld:
                self.answer(item.name, item.chunk)

    def turn(self) -> None:
        """What is due."""
        for kind in list(self.bench.model.roots.rosters):
            self.finalize_roster(RosterKind(kind))
        for item in self.open():
            self.expire(item.name, item.chunk)
