# SPDX-License-Identifier: Apache-2.0
"""What in a leaf of a batch is not as the rules give it. Pure."""

from inferix.models.anchor import BatchLeaf
from inferix.replay.network import Network
from inferix.replay.settlement import outcome_leaf
from inferix.replay.state import AttemptStatus, Batch


def why_false(network: Network, batch: Batch, leaf: BatchLeaf) -> str:
    """What in a leaf is not as the rules give it; empty when it is right."""
    state = network.tasks.get(leaf.task)
    if state is None:
        return "is of no order"
    attempt = state.attempts[leaf.attempt] if leaf.attempt < len(state.attempts) else None
    if attempt is None or attempt.status is not AttemptStatus.ENDED:
        return "has no outcome"
    if attempt.lane != batch.manager:
        return f"belongs to the lane of manager {attempt.lane}"
    if attempt.batch not in (None, batch.commitment) and _is_later(network, batch, attempt.batch):
        return "is settled already"
    right = outcome_leaf(network, state, attempt)
    wrong = [name for name in BatchLeaf.model_fields if getattr(right, name) != getattr(leaf, name)]
    if wrong:
        return f"has another {', '.join(wrong)}"
    coin = network.accounts[right.account].coin
    return "" if network.coins.get(batch.coin) == coin else "is paid in another coin"


def _is_later(network: Network, batch: Batch, other: bytes | None) -> bool:
    first = network.batches[other or b""]
    # One that stands alone follows whatever the reducer let settle its attempt.
    return first.manager == batch.manager and (batch.is_alone or first.sequence < batch.sequence)
