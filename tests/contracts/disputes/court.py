# SPDX-License-Identifier: Apache-2.0
"""The whole protocol with its courts, and the people and papers of a dispute: nodes, a roster, seeds, signed votes."""

from dataclasses import dataclass, field
from typing import Any

from eth_utils import keccak

from inferix import trees
from inferix.draws import Roster, committee, draws
from inferix.messages import Acceptance, Domain, PanelVote, Vote, compact, pack_voters, unpack_voters, votes_hash
from inferix.models.anchor import BatchLeaf, RosterLeaf
from inferix.models.job import task_id
from inferix.models.roles import Draw, Outcome
from tests.contracts.system import ACTIVE, IFX, MANAGER, USD, VERIFIER, WORKER, Node, acting, advance, deployer
from tests.contracts.work.network import Header, Network, flat, leaf_values

JOB = keccak(text="a job")
NO_ORDER = (0, 0, 0, bytes(32), 0, 0, 0, 0, 0)
VERIFIERS = 2
SEATS, NEEDED = 5, 3


@dataclass
class Ballot:
    """A leaf and what shows that it stands: what a dispute about its votes is answered with."""

    leaf: BatchLeaf
    packed: bytes
    voters: list[Node]
    roster: int
    members: list[Any]
    job: bytes = bytes(32)
    earlier: list[Any] = field(default_factory=list)

    def values(self) -> tuple[Any, ...]:
        """As Committees takes it."""
        return (self.packed, self.roster, self.members, self.job, self.earlier)


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
    """A Network with its courts, Committees, Disputes, Availability, Objections and Panels; a client, workers, verifiers, a roster and a sealed anchor."""

    def _deploy_work(self) -> None:
        super()._deploy_work()
        nodes = (self.parameters, self.registry)
        self.committees = deployer("work/Committees.vy").deploy(*nodes, self.ifx_dollar, self.batches, self.rosters)
        self.escape = deployer("work/Escape.vy").deploy(
            *nodes, self.staking, self.ifx, self.ifx_dollar, self.batches, self.orders, self.committees
        )
        self.disputes = deployer("work/Disputes.vy").deploy(
            *nodes, self.staking, self.ifx, self.batches, self.orders, self.committees, self.ifx_dollar
        )
        self.availability = deployer("work/Availability.vy").deploy(
            *nodes, self.staking, self.ifx, self.batches, self.rosters, self.accounts
        )
        self.panels = deployer("work/Panels.vy").deploy(
            *nodes, self.staking, self.ifx, self.ifx_dollar, self.batches, self.rosters
        )
        self.objections = deployer("work/Objections.vy").deploy(
            *nodes, self.staking, self.ifx, self.ifx_dollar, self.batches, self.rosters, self.accounts
        )

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
            for court in (self.disputes, self.availability, self.objections):
                self.ifx.approve(court, 2**256 - 1)
        self.roster = self.post_roster({node.id: 100 + node.id for node in self.verifiers})
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
        leaves = committee(
            self.roster,
            self.seed(manager, self.anchor_index),
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

    def ballot(
        self,
        name: str = "task",
        outcome: int = Outcome.ACCEPTED,
        attempt: int = 0,
        worker: Node | None = None,
        voters: list[Node] | None = None,
        said: int | None = None,
        job: bytes = JOB,
        index: int | None = None,
        **changes: Any,
    ) -> Ballot:
        """A leaf that `voters` (the first of its committee) voted for, `said` (its outcome) being what they voted."""
        worker = worker or self.workers[0]
        task = keccak(text=name) if index is None else task_id(job, index)
        voters = voters if voters is not None else self.drawn(task, attempt, worker)[:NEEDED]
        voters = sorted(voters, key=lambda node: node.id)
        result = keccak(text=f"result of {name} {attempt}")
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
            "anchor": self.anchor_index,
        }
        leaf = BatchLeaf(**(fields | changes))
        return Ballot(leaf, pack(votes), voters, self.roster_index(), self.members(voters))

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


def pack(votes: list[tuple[Vote, bytes]]) -> bytes:
    """Votes in the order given, as they are posted: node 4, outcome 1, measured 32, r 32, vs 32 a vote."""
    return b"".join(
        vote.node.to_bytes(4, "big") + bytes([vote.outcome]) + vote.measured + compact(signature)
        for vote, signature in votes
    )


__all__ = ["JOB", "NEEDED", "NO_ORDER", "SEATS", "USD", "Ballot", "Batch", "Court", "pack", "roster_leaf"]
