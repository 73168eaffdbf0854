# SPDX-License-Identifier: Apache-2.0
"""What a vote is contradicted with."""

from collections.abc import Mapping

from inferix.messages import Vote
from inferix.models.roles import BatchStatus, Outcome
from inferix.replay import Network
from inferix.replay.answers import inclusion
from inferix.replay.settlement import place_of


def final_leaf(network: Network, vote: Vote) -> Mapping[str, object] | None:
    """The leaf of a vote's attempt in a final batch, as the contract takes it; None while there is none, or where the
    vote is not on pixels."""
    state = network.tasks.get(vote.task)
    if vote.outcome not in (Outcome.ACCEPTED, Outcome.REJECTED) or state is None or vote.attempt >= len(state.attempts):
        return None
    batch = network.batches.get(state.attempts[vote.attempt].batch or b"")
    at = place_of(batch, vote.task, vote.attempt) if batch is not None else None
    return inclusion(batch, at) if batch is not None and at is not None and batch.status is BatchStatus.FINAL else None
