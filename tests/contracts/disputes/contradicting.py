# SPDX-License-Identifier: Apache-2.0
"""A verifier's vote, the final leaf of its attempt, and the panel that judges the vote."""

from dataclasses import dataclass
from typing import Any

from eth_utils import keccak

from inferix.messages import Vote, unpack_voters
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Batch, Court
from tests.contracts.disputes.objecting import REASON, Heard
from tests.contracts.system import Node, acting

OPEN, UPHELD, REJECTED, UNDECIDED = 1, 2, 3, 4


@dataclass
class Doubted(Heard):
    """A contradiction, and who has no seat on its panel."""

    @property
    def contract(self) -> Any:
        return self.court.contradictions

    def info(self) -> Any:
        return self.contract.contradiction(self.id)


def settled(court: Court, name: str = "task", outcome: int = Outcome.ACCEPTED) -> Batch:
    """A final batch of one leaf, and its voters."""
    return court.make_final(court.batch([court.ballot(name, outcome).leaf]))


def accused(court: Court, batch: Batch) -> Node:
    """The first voter of a batch's first leaf."""
    return court.nodes[unpack_voters(batch.leaves[0].voters)[0]]


def signed(court: Court, batch: Batch, node: Node, signer: Any = None, **changes: Any) -> tuple[Any, bytes]:
    """A vote about the first leaf, as the contract takes it, and its signature."""
    leaf = batch.leaves[0]
    fields = {"task": leaf.task, "attempt": leaf.attempt, "node": node.id, "result": leaf.result}
    vote = Vote(**(fields | {"outcome": Outcome.ACCEPTED, "measured": keccak(text="measured")} | changes))
    values = tuple(getattr(vote, name) for name in Vote.model_fields)
    return values, vote.sign(court.domain, bytes((signer or node.operator).key))


def contradict(
    court: Court, batch: Batch, vote: tuple[Any, bytes], final: Any = None, node: Node | None = None
) -> Doubted:
    """Contradict a vote; node: whose stake is the bond, by its operator."""
    challenger = node.operator if node else court.challenger
    with acting(challenger):
        id = court.contradictions.contradict(*vote, final or batch.item(0), node.id if node else 0, REASON)
    leaf = batch.leaves[0]
    owners = {
        court.client.address,
        court.registry.owner_of(leaf.node),
        court.registry.owner_of(vote[0][2]),
        node.owner.address if node else challenger.address,
    }
    return Doubted(court, bytes(id), owners, set(unpack_voters(leaf.voters)), batch)
