# SPDX-License-Identifier: Apache-2.0
"""A worker whose manager fell silent: what shows its work, its acceptance, and the batch of one leaf."""

from dataclasses import dataclass
from typing import Any

from eth_utils import keccak

from inferix import trees
from inferix.messages import Acceptance, Order
from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import NEEDED, PRICE, Ballot, Batch, Court
from tests.contracts.system import DAY, IFX, USD, Node, acting, advance, now
from tests.contracts.work.network import Header, leaf_values, records_of

WORK = 10**9  # one IBM


@dataclass
class Case:
    """Everything that `Escape.propose` takes; a test changes what it wants wrong."""

    court: Court
    manager: Node
    worker: Node
    order: Order
    ballot: Ballot
    acceptance: bytes
    draw: int = 1
    coin: int = 1

    @property
    def leaf(self) -> BatchLeaf:
        """The leaf."""
        return self.ballot.leaf

    def arguments(self) -> tuple[Any, ...]:
        """As the contract takes them."""
        parts = (self.draw, self.acceptance, self.ballot.values())
        return (self.manager.id, self.coin, leaf_values(self.leaf), *parts)

    def propose(self, who: Any = None) -> Batch:
        """Proposes it as the worker's owner, who has the bond."""
        with acting(who or self.worker.owner):
            commitment = self.court.escape.propose(*self.arguments())
        batch = alone(self.manager, self.leaf, self.coin)
        assert batch.commitment == bytes(commitment)
        return batch

    def change(self, **fields: Any) -> None:
        """Another leaf."""
        self.ballot.leaf = self.leaf.model_copy(update=fields)


def alone(manager: Node, leaf: BatchLeaf, coin: int = 1, previous: bytes = bytes(32)) -> Batch:
    """The batch of one leaf as the contract makes it."""
    tree = trees.Tree([trees.batch_leaf(leaf)])
    header = Header(
        manager=manager.id,
        sequence=0,
        coin=coin,
        count=1,
        charge=leaf.charge,
        work=leaf.work,
        root=tree.root.hash,
        data=bytes(32),
        records=keccak(records_of([leaf])),
        previous=previous,
    )
    return Batch(header, [leaf], tree)


def delivered(
    court: Court,
    name: str = "delivered",
    outcome: int = Outcome.ACCEPTED,
    attempt: int = 0,
    worker: Node | None = None,
    **ordered: Any,
) -> Case:
    """Work that was checked in the lane of `court.keeper` a day ago and is in no batch."""
    worker, manager = worker or court.workers[0], court.keeper
    fields = {"manager": manager.id, "deadline": now() + 2 * DAY, "post_by": now() + 600} | ordered
    order = court.ordered(name, **fields)
    ballot = court.ballot(name, outcome=outcome, attempt=attempt, worker=worker, order=order)
    acceptance = Acceptance(task=ballot.leaf.task, attempt=attempt, node=worker.id, draw=1)
    signature = acceptance.sign(court.domain, bytes(worker.operator.key))
    advance(DAY)
    return Case(court, manager, worker, order, ballot, signature)


def fund(court: Court, who: Any) -> None:
    """IFX for bonds, with the allowance."""
    court.give_ifx(who.address, 10**5 * IFX)
    with acting(who):
        court.ifx.approve(court.escape, 2**256 - 1)


__all__ = ["DAY", "NEEDED", "PRICE", "USD", "Case", "alone", "delivered", "fund"]
