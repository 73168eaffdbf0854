# SPDX-License-Identifier: Apache-2.0
"""What in a leaf of a batch is not as the rules give it. Pure."""

from collections.abc import Collection

from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Outcome
from inferix.replay.availability import NOT_SERVED
from inferix.replay.network import Network
from inferix.replay.settlement import coin_index, outcome_leaf
from inferix.replay.state import AttemptStatus, Batch

SIGNED = ("result", "votes", "voters")
"""What a leaf repeats of receipt and votes: signatures answer for it. All else its manager alone writes."""
UNPAID = (Outcome.LATE, Outcome.VOID)


def why_false(network: Network, batch: Batch, leaf: BatchLeaf) -> str:
    """What in a leaf is not as the rules give it; empty when it is right."""
    why = _why_none(network, batch, leaf)
    if why:
        return why
    wrong = _wrong_fields(network, leaf)
    if wrong:
        return f"has another {', '.join(wrong)}"
    return "" if batch.coin == coin_index(network, leaf) else "is paid in another coin"


def is_managers(network: Network, batch: Batch, leaf: BatchLeaf) -> bool:
    """Whether something in a leaf is false that its manager alone writes. An outcome that the anchored votes give is
    not, however wrong they are, nor which of the signed votes stand."""
    if _why_none(network, batch, leaf):
        return True
    wrong = _wrong_fields(network, leaf)
    return any(name not in SIGNED for name in wrong) if wrong else bool(why_false(network, batch, leaf))


def why_unknown(network: Network, batch: Batch, places: Collection[int]) -> str:
    """Why this state cannot tell whether leaves of a batch are right; empty when it can. What only this reader does not
    have makes nobody a liar.

    What is said of a job is in anchors from its posting to the proposal, of the lane that it began in and the batch's.
    """
    states = [network.tasks.get(batch.leaves[place].task) for place in places]
    for job in (network.jobs[id] for id in {state.task.job for state in states if state is not None}):
        for manager in sorted({batch.manager, job.order.manager} & network.lanes.keys()):
            for anchor in network.lanes[manager].anchors.values():
                if anchor.problem == NOT_SERVED and job.posted_at <= anchor.timestamp <= batch.proposed_at:
                    return f"anchor {manager}/{anchor.index}: {anchor.problem}"
    accounts = {batch.leaves[place].account for place in places if batch.leaves[place].task not in network.tasks}
    if any(job.order.account in accounts and job.order.spec in network.missing for job in network.jobs.values()):
        return "the spec of an order of its client is not to be had"
    return ""


def _why_none(network: Network, batch: Batch, leaf: BatchLeaf) -> str:
    """Why there is no such leaf of the attempt at all, whatever is in it."""
    state = network.tasks.get(leaf.task)
    if state is None:
        return "is of no order"
    attempt = state.attempts[leaf.attempt] if leaf.attempt < len(state.attempts) else None
    if attempt is None or attempt.status is not AttemptStatus.ENDED:
        return "has no outcome"
    if attempt.lane != batch.manager:
        return f"belongs to the lane of manager {attempt.lane}"
    if attempt.batch not in (None, batch.commitment) and _is_settled(network, batch, leaf, attempt.batch):
        return "is settled already"
    return "was voided by a panel before" if 0 < attempt.voided_at <= batch.proposed_at else ""


def _wrong_fields(network: Network, leaf: BatchLeaf) -> list[str]:
    """Of an attempt that has ended."""
    state = network.tasks[leaf.task]
    right = outcome_leaf(network, state, state.attempts[leaf.attempt])
    return [name for name in BatchLeaf.model_fields if getattr(right, name) != getattr(leaf, name)]


def _is_settled(network: Network, batch: Batch, leaf: BatchLeaf, other: bytes | None) -> bool:
    first = network.batches[other or b""]
    if first.manager != batch.manager:
        return False
    if not batch.is_alone:
        return first.sequence < batch.sequence
    # One that stands alone follows whatever the reducer let settle its attempt, but for what needs no votes and pays
    # nobody: beside that the contracts let it stand.
    return any(
        (item.task, item.attempt) == (leaf.task, leaf.attempt) and item.outcome not in UNPAID for item in first.leaves
    )
