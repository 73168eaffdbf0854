# SPDX-License-Identifier: Apache-2.0
"""A batch of one leaf, for work that was checked in the lane of a manager that fell silent: what Escape is shown."""

from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from inferix.errors import NotFound, Refused
from inferix.messages import outcome_record
from inferix.models.anchor import BatchLeaf
from inferix.models.document import Bytes32
from inferix.models.roles import BatchStatus, Outcome
from inferix.replay import Network
from inferix.replay.answers import votes_answer
from inferix.replay.receipts import BlockHash
from inferix.replay.settlement import UNPROPOSED_AFTER, commitment_of, outcome_leaf
from inferix.replay.state import AttemptStatus, Batch, TaskState
from inferix.trees import batch_leaf

PATIENCE = 86_400  # on the protocol's clock, from the seal of the receipt's anchor on: its manager's day [s]
BY_VOTES = (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.CLIENT_FAULT)


@dataclass(frozen=True)
class Escape:
    """``arguments``: of ``Escape.propose``; ``opens_at``, ``closes_at``: block time [s] between which it is taken."""

    leaf: BatchLeaf
    arguments: tuple[Any, ...]
    opens_at: int
    closes_at: int


def waiting(network: Network, task: Bytes32) -> Batch | None:
    """The newest batch that stands alone of a task and is not over: not final, or its bond not back."""
    for batch in reversed(network.batches.values()):
        is_over = batch.status is BatchStatus.CANCELLED or (batch.status is BatchStatus.FINAL and not batch.bond)
        if batch.is_alone and not is_over and batch.leaves and batch.leaves[0].task == task:
            return batch
    return None


def draft(network: Network, task: Bytes32, block_hash: BlockHash) -> Escape:
    """The batch of the task's newest attempt that votes decided and that is in no batch.

    NotFound where there is none, or where a document that shows it is not to be had; Refused where it needs no escape.
    ``block_hash``: from the chain.
    """
    state = _task(network, task)
    decided = [
        item
        for item in state.attempts
        if item.status is AttemptStatus.ENDED and item.outcome in BY_VOTES and not item.voided_at
    ]
    if not decided:
        raise NotFound(f"no attempt of task {task.hex()} was decided by votes that stand: nothing is owed for it")
    attempt = next((item for item in reversed(decided) if item.batch is None), None)
    if attempt is None:
        raise Refused(f"task {task.hex()} is in batch {(decided[-1].batch or b'').hex()} already: it is on its way")
    job = network.jobs[state.task.job]
    leaf = outcome_leaf(network, state, attempt)
    anchor = network.lane(attempt.lane).anchors[attempt.receipt_anchor]
    account = network.accounts[leaf.account]
    coin = next(index for index, address in network.coins.items() if address == account.coin)
    batch = _batch(attempt.lane, coin, leaf)
    votes = votes_answer(network, batch, 0, block_hash)
    return Escape(
        leaf=leaf,
        arguments=(attempt.lane, coin, leaf.model_dump(), attempt.draw, attempt.acceptance, votes),
        opens_at=network.ends_at(anchor.sealed_at, PATIENCE),
        closes_at=network.ends_at(job.order.deadline, UNPROPOSED_AFTER),
    )


def _task(network: Network, task: Bytes32) -> TaskState:
    state = network.tasks.get(task)
    if state is None or not state.attempts:
        raise NotFound(f"there is no task {task.hex()}, or nobody has begun it")
    return state


def _batch(manager: int, coin: int, leaf: BatchLeaf) -> Batch:
    header: dict[str, int | bytes] = {
        "manager": manager,
        "sequence": 0,
        "coin": coin,
        "count": 1,
        "charge": leaf.charge,
        "work": leaf.work,
        "root": batch_leaf(leaf).hash,
        "data": bytes(32),
        "records": keccak(outcome_record(leaf.task, leaf.node, leaf.charge, leaf.outcome)),
        "previous": bytes(32),
    }
    return Batch(
        commitment=commitment_of(header), manager=manager, sequence=0, coin=coin, charge=leaf.charge, work=leaf.work,
        root=batch_leaf(leaf).hash, data=bytes(32), header=header, proposed_at=0, leaves=[leaf],
    )  # fmt: skip
