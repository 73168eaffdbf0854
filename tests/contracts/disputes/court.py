# SPDX-License-Identifier: Apache-2.0
"""The whole protocol with its courts, and the people and papers of a dispute: nodes, a roster, seeds, signed votes."""

from dataclasses import dataclass, field
from typing import Any

import boa
from eth_abi.abi import encode as abi_encode
from eth_utils import keccak

from inferix import trees
from inferix.draws import Roster, committee, draws
from inferix.messages import (
    Acceptance,
    Domain,
    Order,
    PanelVote,
    Receipt,
    Vote,
    compact,
    pack_voters,
    unpack_voters,
    votes_hash,
)
from inferix.models.anchor import BatchLeaf, RosterLeaf
from inferix.models.job import task_id
from inferix.models.roles import Draw, Outcome
from inferix.replay.answers import EARLIER, VOTES
from tests.contracts.system import (
    ACTIVE,
    DAY,
    IFX,
    MANAGER,
    USD,
    VERIFIER,
    WORKER,
    Node,
    acting,
    advance,
    block_hash,
    deployer,
    now,
)
from tests.contracts.work.network import Header, Network, flat, leaf_values, mine

NO_ORDER = (0, 0, 0, bytes(32), 0, 0, 0, 0, 0)
VERIFIERS = 2
SEATS, NEEDED = 5, 3
PRICE = 10_000_000  # nano-USD per IBM
ASSEMBLE = 2**32 - 1
BESIDE = 4  # other messages of an anchor that a receipt is in
AT = 2  # its place among them

Place = tuple[bytes, int, list[bytes]]
"""The hash in an anchor's seed, the place of a message, its proof."""


@dataclass
class Ballot:
    """A leaf and what shows that it stands: what a dispute about its votes is answered with."""

    leaf: BatchLeaf
    packed: bytes
    voters: list[Node]
    roster: int
    members: list[Any]
    order: bytes
    index: int
    receipt: bytes
    place: Place
    canary: bytes = bytes(32)
    salt: bytes = bytes(32)
    earlier: list[Any] = field(default_factory=list)

    def values(self) -> tuple[Any, ...]:
        """As Escape takes it."""
        receipt = (self.receipt[:32], self.receipt[32:])
        papers = (self.order, self.index, receipt, self.canary, self.salt, self.place)
        return (self.packed, self.roster, self.members, *papers, self.earlier)

    def values_of_leaf(self) -> tuple[Any, ...]:
        """The leaf as the contracts take it."""
        return leaf_values(self.leaf)

    def encoded(self) -> bytes:
        """As Disputes takes it."""
        return abi_encode([VOTES], [self.values()])


@dataclass
class Batch:
    """A proposed batch and its leaves."""

    header: Header
    leaves: list[BatchLeaf]
    tree: trees.Tree

    def item(self, index: int) -> tuple[Any, ...]:
        """Header, leaf, index and proof: an Inclusion, and the first arguments of most calls."""
        leaf = leaf_values(self.leaves[index])
        return (self.header.values(), leaf, index, flat(self.tree.proof(index)))

    @property
    def commitment(self) -> bytes:
        """What the batch is known by."""
        return self.header.commitment


class Court(Network):
    """A Network with its courts, Committees, Disputes, Availability, Objections, Contradictions, Panels and Strikes; a client, workers, verifiers, a roster and a sealed anchor."""

    def _deploy_work(self) -> None:
        super()._deploy_work()
        nodes = (self.parameters, self.registry)
        self.availability = deployer("work/Availability.vy").deploy(
            *nodes, self.staking, self.ifx, self.batches, self.rosters, self.accounts
        )
        self.committees = deployer("work/Committees.vy").deploy(
            *nodes, self.ifx_dollar, self.batches, self.rosters, self.orders, self.availability
        )
        self.escape = deployer("work/Escape.vy").deploy(
            *nodes, self.staking, self.ifx, self.ifx_dollar, self.batches, self.committees
        )
        self.leases = deployer("work/Leases.vy").deploy(
            *nodes, self.ifx_dollar, self.batches, self.committees, self.foundation
        )
        self.disputes = deployer("work/Disputes.vy").deploy(
            *nodes, self.staking, self.ifx, self.batches, self.orders, self.committees, self.ifx_dollar
        )
        self.panels = deployer("work/Panels.vy").deploy(
            *nodes, self.staking, self.ifx, self.ifx_dollar, self.batches, self.rosters
        )
        self.objections = deployer("work/Objections.vy").deploy(
            *nodes, self.staking, self.ifx, self.ifx_dollar, self.batches, self.rosters, self.accounts
        )
        self.contradictions = deployer("work/Contradictions.vy").deploy(
            *nodes, self.staking, self.ifx, self.ifx_dollar, self.batches, self.rosters
        )
        self.strikes = deployer("work/Strikes.vy").deploy(*nodes, self.staking, self.batches, self.panels)

    def populate(self) -> None:
        """The people of a small network."""
        fields = self.registry.eip712Domain()
        self.domain = Domain(chain_id=fields[3], contract=self.registry.address)
        self.client = self.fresh_key("client")
        self.account = self.top_up(self.client, 10**9)
        self.keeper = self.bonded(MANAGER, times=4)
        self.other_keeper = self.bonded(MANAGER, times=4)
        self.workers = [self.bonded(WORKER, times=2) for _ in range(3)]
        self.verifiers = [self.bonded(VERIFIER, times=2) for _ in range(12)]
        self.nodes = {node.id: node for node in [*self.workers, *self.verifiers]}
        self.challenger = self.fresh_key("challenger")
        self.give_ifx(self.challenger.address, 10**6 * IFX)
        with acting(self.challenger):
            for court in (self.disputes, self.availability, self.objections, self.contradictions):
                self.ifx.approve(court, 2**256 - 1)
        self.roster = self.post_roster({node.id: 100 + node.id for node in self.verifiers})
        self.ends = now() + 30 * DAY  # of all orders
        self.received: dict[tuple[int, bytes, int, int], list[tuple[int, Receipt, Place]]] = {}
        self.anchor_index = self.seal_anchor(self.keeper)

    def post_roster(self, weights: dict[int, int]) -> Roster:
        """A roster of verifiers with these weights, final at once."""
        roster = Roster([roster_leaf(node, weight) for node, weight in sorted(weights.items())])
        with acting(self.governor):
            root, count = roster.tree.root, max(weights) + 1
            self.rosters.post(VERIFIERS, root.hash, roster.total, count, keccak(text="roster"))
        advance(30)
        return roster

    def seal_anchor(self, manager: Node) -> int:
        """One more sealed anchor of a lane."""
        with acting(manager.operator):
            index = int(self.batches.lane(manager.id).anchors) + 1
            self.batches.anchor(manager.id, keccak(text=f"anchor {index}"), bytes(32))
        advance(60)
        self.batches.seal(manager.id)
        return index

    def seed(self, manager: Node, index: int) -> bytes:
        """The seed of a sealed anchor."""
        return bytes(self.batches.seed(manager.id, index))

    def drawn(
        self, task: bytes, attempt: int, worker: Node, manager: Node | None = None, seats: int = 2 * SEATS
    ) -> list[Node]:
        """The committee of an attempt, both draws, in their order."""
        manager = manager or self.keeper
        parties = {self.client.address, worker.owner.address}
        receipts = self.received.get((manager.id, task, attempt, worker.id))
        anchor = receipts[-1][0] if receipts else self.anchor_index
        leaves = committee(
            self.roster,
            self.seed(manager, anchor),
            task,
            Draw.VERIFIER,
            attempt,
            seats,
            lambda leaf: self.nodes[leaf.node].owner.address not in parties,
        )
        return [self.nodes[leaf.node] for leaf in leaves]

    def members(self, nodes: list[Node]) -> list[Any]:
        """Leaves of the roster with their proofs."""
        return [(leaf_values_of(self.roster.leaves[node.id]), flat(self.roster.tree.proof(node.id))) for node in nodes]

    def ordered(self, name: str, **changes: Any) -> Order:
        """The client's order of this name."""
        fields = {
            "account": self.account,
            "nonce": 7,
            "manager": self.keeper.id,
            "spec": keccak(text=f"spec of {name}"),
            "cap": 10**9,
            "price": PRICE,
            "attempts": 3,
            "deadline": self.ends,
            "post_by": self.ends,
        }
        return Order(**(fields | changes))

    def record(self, order: Order, signer: Any = None) -> bytes:
        """An order as it is posted."""
        return order.record(order.sign(self.domain, bytes((signer or self.client).key)))

    def receive(self, receipt: Receipt, manager: Node | None = None, anew: bool = False) -> tuple[int, Place]:
        """The last anchor that has the receipt, and where; sealed now, if there is none, or one more is wanted."""
        manager = manager or self.keeper
        known = self.received.setdefault((manager.id, receipt.task, receipt.attempt, receipt.node), [])
        # What a test has rolled back is in no anchor any more.
        known[:] = [item for item in known if self._is_anchored(manager, *item)]
        found = next(((index, place) for index, other, place in known[::-1] if other == receipt), None)
        if found is None or anew:
            found = self.anchor_over(receipt.digest(self.domain), manager)
            known.append((found[0], receipt, found[1]))
        return found

    def receipt_of(self, leaf: BatchLeaf, **changes: Any) -> Receipt:
        """The receipt that a leaf rests on."""
        fields = {name: getattr(leaf, name) for name in Receipt.model_fields if name != "canary"}
        return Receipt(**(fields | changes))

    def _is_anchored(self, manager: Node, index: int, receipt: Receipt, place: Place) -> bool:
        root = self._tree(receipt.digest(self.domain)).root.hash
        return bool(self.batches.is_anchored(manager.id, index, root, place[0]))

    def anchor_over(self, digest: bytes, manager: Node, beside: int = BESIDE) -> tuple[int, Place]:
        """A sealed anchor with this message and so many others, and where in it this one is."""
        tree = self._tree(digest, beside)
        mine(3)
        with acting(manager.operator):
            self.batches.anchor(manager.id, tree.root.hash, bytes(32))
        number = int(boa.env.evm.patch.block_number) + 1
        mine(3)
        self.batches.seal(manager.id)
        at = min(AT, beside)
        return int(self.batches.lane(manager.id).sealed), (block_hash(number), at, flat(tree.proof(at)))

    @staticmethod
    def _tree(digest: bytes, beside: int = BESIDE) -> trees.Tree:
        others = [keccak(text=f"message {at} beside {digest.hex()}") for at in range(beside)]
        at = min(AT, beside)
        return trees.Tree([trees.message_leaf(each) for each in (*others[:at], digest, *others[at:])])

    def ballot(
        self,
        name: str = "task",
        outcome: int = Outcome.ACCEPTED,
        attempt: int = 0,
        worker: Node | None = None,
        voters: list[Node] | None = None,
        said: int | None = None,
        order: Order | None = None,
        index: int = 0,
        canary: bytes = bytes(32),
        **changes: Any,
    ) -> Ballot:
        """A leaf that `voters` (the first of its committee) voted for, `said` (its outcome) being what they voted."""
        worker, order = worker or self.workers[0], order or self.ordered(name)
        task = task_id(order.digest(self.domain), index)
        result = keccak(text=f"result of {name} {attempt}")
        receipt = Receipt(task=task, attempt=attempt, node=worker.id, result=result, canary=canary)
        anchor, place = self.anchor_index, (bytes(32), 0, [])
        if outcome != Outcome.LATE:
            anchor, place = self.receive(receipt)
        voters = voters if voters is not None else self.drawn(task, attempt, worker)[:NEEDED]
        voters = sorted(voters, key=lambda node: node.id)
        votes = [self.vote(node, task, attempt, result, said or outcome) for node in voters]
        fields: dict[str, Any] = {
            "task": task,
            "attempt": attempt,
            "node": worker.id,
            "account": self.account,
            "work": 10**9 if outcome == Outcome.ACCEPTED else 0,
            "charge": 10**6 if outcome in (Outcome.ACCEPTED, Outcome.CLIENT_FAULT) else 0,
            "outcome": outcome,
            "result": result,
            "votes": votes_hash(votes),
            "voters": pack_voters([node.id for node in voters]),
            "anchor": anchor,
        }
        signature = compact(receipt.sign(self.domain, bytes(worker.operator.key)))
        papers = (self.record(order), index, signature, place)
        leaf = BatchLeaf(**(fields | changes))
        return Ballot(leaf, pack(votes), voters, self.roster_index(), self.members(voters), *papers, canary)

    def vote(self, node: Node, task: bytes, attempt: int, result: bytes, outcome: int) -> tuple[Vote, bytes]:
        """A verifier's vote and its signature."""
        measured = keccak(text=f"measured by {node.id}")
        vote = Vote(task=task, attempt=attempt, node=node.id, result=result, outcome=outcome, measured=measured)
        return vote, vote.sign(self.domain, bytes(node.operator.key))

    def acceptance(self, leaf: BatchLeaf, signer: Node, draw: int = 0, node: Node | None = None) -> tuple[int, bytes]:
        """The draw and the signature by which `signer` accepted a leaf's attempt for itself, or for another node."""
        taken = Acceptance(task=leaf.task, attempt=leaf.attempt, node=(node or signer).id, draw=draw)
        return draw, taken.sign(self.domain, bytes(signer.operator.key))

    def roster_index(self) -> int:
        """Index of the roster in force."""
        return int(self.rosters.newest(VERIFIERS).index)

    def batch(self, leaves: list[BatchLeaf], manager: Node | None = None, **changes: Any) -> Batch:
        """Propose these leaves."""
        header = self.propose(manager or self.keeper, leaves, **changes)
        return Batch(header, leaves, trees.Tree([trees.batch_leaf(leaf) for leaf in leaves]))

    def make_final(self, batch: Batch) -> Batch:
        """Wait for the batch's window, and finalize."""
        advance(self.window("batch_window"))
        self.batches.finalize(batch.header.values())
        return batch

    def challenge(self, batch: Batch, index: int = 0) -> bytes:
        """Dispute the votes of a leaf, with IFX of the challenger."""
        with acting(self.challenger):
            return bytes(self.disputes.challenge_votes(*batch.item(index), 0))

    def bond(self) -> int:
        """What a dispute costs [wei]."""
        return int(self.disputes.bond())

    def set_active(self, node: Node) -> None:
        """The governor lets a node out of jail; what it lost it stakes again."""
        with acting(self.governor):
            self.registry.set_status(node.id, ACTIVE)
        self.stake(node, self.staking.required(node.id))

    def status(self, batch: Batch) -> int:
        """1 proposed, 2 final, 3 cancelled."""
        return int(self.batches.batch(batch.commitment).status)

    def met(self, case: bytes) -> list[Node]:
        """Everybody whom the draws of a sealed panel hit, in the order of the first time."""
        panel = self.panels.panel(case)
        found = draws(self.roster, bytes(panel.seed), case, Draw.PANEL, 0)
        return list({drawn.leaf.node: self.nodes[drawn.leaf.node] for drawn in found}.values())

    def seat(self, case: bytes, nodes: list[Node]) -> None:
        """Show these nodes as the panel's next draws, 16 a call."""
        for at in range(0, len(nodes), 16):
            members = self.members(nodes[at : at + 16])
            self.panels.seat(case, [leaf for leaf, _ in members], [proof for _, proof in members])

    def fill(self, case: bytes) -> list[Node]:
        """Seal and seat the panel of an appeal; returns the seats in the order of the draws."""
        advance(60)
        self.panels.seal(case)
        wanted, seats, shown = self.window("panel"), [], []
        for node in self.met(case):
            if len(seats) == wanted:
                break
            shown.append(node)
            if self.fits_panel(case, node):
                seats.append(node)
        self.seat(case, shown)
        return seats

    def fits_panel(self, case: bytes, node: Node) -> bool:
        """Whether this node may sit in the panel of a case."""
        info = self.panels.case(case)
        voters = unpack_voters(bytes(info.voters))
        parties = {self.client.address, *(self.registry.owner_of(each) for each in (info.node, info.redone_by))}
        active = self.registry.node(node.id).status == ACTIVE
        return active and node.id not in voters and node.owner.address not in parties

    def panel_vote(self, node: Node, case: bytes, upheld: bool) -> tuple[Any, ...]:
        """The arguments of `vote` after the case."""
        vote = PanelVote(dispute=case, node=node.id, upheld=upheld, measured=bytes(32))
        return (node.id, upheld, bytes(32), vote.sign(self.domain, bytes(node.operator.key)))


def roster_leaf(node: int, weight: int) -> RosterLeaf:
    """A verifier's leaf of a roster."""
    return RosterLeaf(node=node, ib=0, price=0, device_class=bytes(32), weight=weight)


def leaf_values_of(leaf: RosterLeaf) -> tuple[Any, ...]:
    """As the contract takes it."""
    return tuple(getattr(leaf, name) for name in RosterLeaf.model_fields)


def earlier(result: bytes, place: Place, canary: bytes = bytes(32)) -> bytes:
    """The receipt over this result in another anchor, as Disputes takes it."""
    return abi_encode([EARLIER], [(result, canary, place)])


def pack(votes: list[tuple[Vote, bytes]]) -> bytes:
    """Votes in the order given, as they are posted: node 4, outcome 1, measured 32, r 32, vs 32 a vote."""
    return b"".join(
        vote.node.to_bytes(4, "big") + bytes([vote.outcome]) + vote.measured + compact(signature)
        for vote, signature in votes
    )


__all__ = [
    "ASSEMBLE",
    "NEEDED",
    "NO_ORDER",
    "PRICE",
    "SEATS",
    "USD",
    "Ballot",
    "Batch",
    "Court",
    "earlier",
    "pack",
    "roster_leaf",
]
