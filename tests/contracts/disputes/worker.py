# SPDX-License-Identifier: Apache-2.0
"""A worker whose manager fell silent: its order, acceptance, receipt in an anchor, votes, and the batch of one leaf."""

from dataclasses import dataclass
from typing import Any

import boa
from eth_abi.abi import encode as abi_encode
from eth_utils import keccak

from inferix import trees
from inferix.messages import Acceptance, Order, Receipt, compact
from inferix.models.anchor import BatchLeaf
from inferix.models.job import task_id
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import NEEDED, Ballot, Batch, Court, pack
from tests.contracts.system import DAY, IFX, USD, Node, acting, advance, now
from tests.contracts.work.network import Header, block_hash, flat, leaf_values, mine, records_of

PRICE = 10_000_000  # nano-USD per IBM
WORK = 10**9  # one IBM
MESSAGES = 5  # of the anchor, the receipt in the middle
PLACE = 2


@dataclass
class Case:
    """Everything that `Escape.propose` takes; a test changes what it wants wrong."""

    court: Court
    manager: Node
    worker: Node
    order: Order
    ballot: Ballot
    delivery: list[Any]  # draw, acceptance, receipt, block hash, index, proof
    index: int = 0
    coin: int = 1

    @property
    def leaf(self) -> BatchLeaf:
        """The leaf."""
        return self.ballot.leaf

    def record(self) -> bytes:
        """The order as it was posted."""
        return self.order.record(self.order.sign(self.court.domain, bytes(self.court.client.key)))

    def arguments(self) -> tuple[Any, ...]:
        """As the contract takes them."""
        parts = (tuple(self.delivery), self.ballot.values())
        return (self.manager.id, self.coin, leaf_values(self.leaf), self.record(), self.index, *parts)

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


def anchored(court: Court, manager: Node, digest: bytes) -> tuple[int, bytes, list[bytes]]:
    """A sealed anchor whose message PLACE is this: its index, the hash in its seed, the message's proof."""
    others = [keccak(text=f"message {at} beside {digest.hex()}") for at in range(MESSAGES)]
    digests = [*others[:PLACE], digest, *others[PLACE + 1 :]]
    tree = trees.Tree([message(each) for each in digests])
    mine(3)
    with acting(manager.operator):
        court.batches.anchor(manager.id, tree.root.hash, bytes(32))
    at = int(boa.env.evm.patch.block_number) + 1
    mine(3)
    court.batches.seal(manager.id)
    return int(court.batches.lane(manager.id).sealed), block_hash(at), flat(tree.proof(PLACE))


def message(digest: bytes) -> trees.Sum:
    """A message's leaf of an anchor's tree."""
    typehash = keccak(text="AnchoredMessage(bytes32 digest)")
    return trees.Sum(keccak(keccak(abi_encode(["bytes32", "bytes32"], [typehash, digest]))), 0)


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
    terms = {
        "account": court.account,
        "nonce": 7,
        "manager": manager.id,
        "spec": keccak(text=f"spec of {name}"),
        "cap": 10**9,
        "price": PRICE,
        "attempts": 3,
        "deadline": now() + 2 * DAY,
        "post_by": now() + 600,
    }
    order = Order(**(terms | ordered))
    job = order.digest(court.domain)
    task = task_id(job, 0)
    result = keccak(text=f"result of {name} {attempt}")
    receipt = Receipt(task=task, attempt=attempt, node=worker.id, result=result)
    acceptance = Acceptance(task=task, attempt=attempt, node=worker.id, draw=1)
    court.anchor_index, hash_, proof = anchored(court, manager, receipt.digest(court.domain))
    signing = court.domain, bytes(worker.operator.key)
    voted = court.ballot(name, outcome=outcome, attempt=attempt, worker=worker, job=job, index=0)
    votes = [court.vote(node, task, attempt, result, outcome) for node in voted.voters]
    packed = pack(votes)
    leaf = voted.leaf.model_copy(update={"result": result, "votes": keccak(packed)})
    ballot = Ballot(leaf, packed, voted.voters, voted.roster, voted.members)
    delivery = [1, acceptance.sign(*signing), receipt.sign(*signing), hash_, PLACE, proof]
    advance(DAY)
    return Case(court, manager, worker, order, ballot, delivery)


def fund(court: Court, who: Any) -> None:
    """IFX for bonds, with the allowance."""
    court.give_ifx(who.address, 10**5 * IFX)
    with acting(who):
        court.ifx.approve(court.escape, 2**256 - 1)


__all__ = ["DAY", "NEEDED", "USD", "Case", "alone", "compact", "delivered", "fund"]
