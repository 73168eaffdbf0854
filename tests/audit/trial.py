# SPDX-License-Identifier: Apache-2.0
"""A contradicted vote, its panel and what that publishes, as events that the contracts would write."""

from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.draws import draws
from inferix.messages import Vote, unpack_voters
from inferix.models.result import Measurement, Result, TileResult
from inferix.models.roles import Draw, NodeStatus, Outcome, Role, RosterKind
from inferix.proofs.rendering import TILE_SIZE, load_calibration, tile_plan
from inferix.replay.contradictions import seed_of
from inferix.replay.state import Contradiction
from tests.audit.conftest import audit
from tests.replay.chain import KERNEL, Chain, address, block_hash, signed
from tests.replay.objecting import contradict

UPHELD, REJECTED, UNDECIDED = 2, 3, 4
MORE = (8, 9, 10, 11)  # verifiers without a seat in committees: those are drawn from the first roster
BUILD, SIZE = "1.0", 64
SAME: dict[str, Any] = {"share_ppm": 0, "equal": True}
OTHER: dict[str, Any] = {"share_ppm": 1_000_000, "equal": False}
SHARE, BOND = 10**19, 10**18


class Trial:
    """A frame, or the film, whose first vote is contradicted, and its panel."""

    def __init__(self, chain: Chain, said: Outcome = Outcome.ACCEPTED, task: int = 0) -> None:
        self.chain = chain
        job = chain.order()
        for earlier in range(task):
            chain.run(chain.state(job, earlier))
        self.state = chain.state(job, task)
        self.serve(said)
        chain.settle()
        for node in MORE:
            register(chain, node)
        chain.post_rosters(2)
        chain.emit("ParameterSet", name=keccak(text="panel"), value=3)
        self.found = self.open()

    def serve(self, said: Outcome) -> None:
        """The attempt, with the documents of its worker and of the voters."""
        chain, state = self.chain, self.state
        chain.anchor()
        chain.anchor(chain.acceptance(state))
        attempt = state.attempts[-1]
        fields = {"engine": "blender", "build": BUILD, "device_class": "cpu", "kernel": KERNEL}
        result = Result(kind=state.task.kind, task=state.task.id, attempt=0, node=attempt.node, **fields)  # type: ignore[arg-type]
        chain.anchor(chain.receipt(state, chain.store(result)))
        tiles = SAME if said is Outcome.ACCEPTED else OTHER
        votes = [vote for vote, _ in chain.votes(state, said)]
        assert all(isinstance(vote, Vote) for vote in votes)
        measured = {vote.node: self.measure(vote.node, vote.node, **tiles) for vote in votes}  # type: ignore[attr-defined]
        chain.anchor(*(signed(vote.model_copy(update={"measured": measured[vote.node]})) for vote in votes))  # type: ignore[attr-defined]

    def measure(self, node: int, verifier: int, **changes: Any) -> bytes:
        """The digest of what a node publishes of the verifier's tiles; ``changes``: of each tile, or of the document."""
        task, seed = self.state.task, seed_of(self.chain.network, self.state.attempts[0])
        rule = load_calibration().rule("cpu", "cpu", same_kernel=True)
        assert seed is not None
        plan = tile_plan(seed, task.id, 0, verifier, 1, SIZE, SIZE, rule.clean_needed)
        of_tile = {"informative": True} | SAME | {name: changes.pop(name) for name in SAME if name in changes}
        places = [{"frame": 1, "x": tile.x, "y": tile.y, "width": TILE_SIZE, "height": TILE_SIZE} for tile in plan]
        fields: dict[str, Any] = {
            "build": BUILD,
            "device_class": "cpu",
            "kernel": KERNEL,
            "rule": rule.name,
            "method": "tiles",
            "tiles": [TileResult(**place, **of_tile) for place in places],
            "reason": "as measured",
        }
        return self.chain.store(Measurement(task=task.id, attempt=0, node=node, **{**fields, **changes}))

    def open(self) -> Contradiction:
        vote = min(self.state.attempts[0].votes.items())[1][0]
        found = contradict(self.chain, vote, node=MORE[3], share=SHARE)
        self.chain.emit("Frozen", node=MORE[3], amount=50)
        self.chain.wait()
        self.chain.wait()
        return found

    # -- the panel

    def seal(self) -> list[int]:
        """Who the draws hit, in order."""
        chain, found = self.chain, self.found
        seed = keccak(abi_encode(["bytes32", "bytes32"], [found.id, block_hash(found.asked_block + 1)]))
        chain.emit("PanelSealed", case=found.id, seed=seed)
        roster = chain.network.rosters[RosterKind.VERIFIERS][-1].roster
        assert roster is not None
        return list(dict.fromkeys(drawn.leaf.node for drawn in draws(roster, seed, found.id, Draw.PANEL, 0)))

    def voters(self) -> list[int]:
        (batch,) = self.chain.network.batches.values()
        (leaf,) = [leaf for leaf in batch.leaves if leaf.task == self.state.task.id]
        return unpack_voters(leaf.voters)

    def seat(self, count: int = 3) -> list[int]:
        """As the contract does."""
        fits = [node for node in self.seal() if node not in self.voters()][:count]
        for node in fits:
            self.chain.emit("PanelSeated", case=self.found.id, node=node)
        self.chain.emit("PanelCompleted", case=self.found.id, seats=len(fits))
        return fits

    def vote(self, node: int, upheld: bool, measured: bytes) -> None:
        self.chain.emit("PanelVoted", case=self.found.id, node=node, upheld=upheld, measured=measured)

    def hear(self, upheld: bool, **changes: Any) -> None:
        """All seats vote the same, with measurements of what ``changes`` say."""
        for node in self.seat():
            self.vote(node, upheld, self.measure(node, self.found.vote.node, **changes))

    def close(self, status: int, taken: int = SHARE + BOND, bond: int = 50) -> None:
        """As the contract does. ``taken``: of the verifier, if upheld; ``bond``: of the challenger, if not."""
        verifier, reward = self.found.vote.node, BOND // 2
        if status == UPHELD:
            self.slash(verifier, taken, taken // 2 - reward)
            self.chain.emit("StatusChanged", node=verifier, status=int(NodeStatus.JAILED))
            self.chain.emit("VerifierPunished", id=self.found.id, verifier=verifier, amount=taken)
        self.chain.emit("ContradictionClosed", id=self.found.id, status=status)
        if status != UPHELD and bond:
            self.slash(self.found.node, bond, 0)

    def slash(self, node: int, amount: int, pooled: int) -> None:
        self.chain.emit("Slashed", node=node, amount=amount, burned=amount - amount // 2, pooled=pooled)

    def says(self) -> list[str]:
        """What is false, without the name of the contradiction."""
        prefix = f"verdicts: the contradiction of node {self.found.vote.node}'s vote on task"
        problems = audit(self.chain).problems
        assert all(problem.startswith(prefix) for problem in problems), problems
        return [problem.split(": ", 2)[2] for problem in problems]


def register(chain: Chain, node: int) -> None:
    """One more verifier, with stake."""
    fields = {"owner": address(100 + node), "operator": address(node), "role": int(Role.VERIFIER), "price": 0}
    chain.emit("NodeRegistered", node=node, licence=node, sealing_key=keccak(text=f"sealing {node}"), **fields)
    chain.emit("Staked", node=node, payer=fields["owner"], amount=10**20)
    chain.emit("Qualified", node=node, qualified=True)
