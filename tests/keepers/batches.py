# SPDX-License-Identifier: Apache-2.0
"""Batches, right and false, and disputes about them, on a chain written by hand."""

from inferix.models.anchor import BatchLeaf
from inferix.models.roles import DisputeKind, Outcome
from inferix.replay.disputes import dispute_id
from inferix.replay.settlement import draft_batch, draft_batches
from inferix.replay.state import Batch
from tests.replay.chain import MANAGER, Chain, address

OTHER = 8
"""The manager whose keeper decides about MANAGER's lane."""
WINDOW = 21_600
COIN_INDEX = 0
"""Of the chain's only coin."""


def ended(chain: Chain, *outcomes: Outcome) -> list[BatchLeaf]:
    """The right leaves of one task for each outcome."""
    for outcome in outcomes:
        chain.run(chain.state(chain.order(), 0), outcome)
    return draft_batches(chain.network, MANAGER)[0].leaves


def propose(
    chain: Chain, leaves: list[BatchLeaf], manager: int = MANAGER, serve: bool = True, coin: int = COIN_INDEX
) -> Batch:
    """The next batch of a lane; ``serve``: whether its documents are to be had."""
    live = chain.network.lane(manager).batches
    draft = draft_batch(manager, len(live) + 1, coin, leaves, live[-1] if live else bytes(32))
    for document in draft.documents if serve else ():
        chain.store(document)
    chain.emit("Proposed", commitment=draft.commitment, header=draft.header)
    return chain.network.batches[draft.commitment]


def dispute(chain: Chain, batch: Batch, place: int = 0, kind: DisputeKind = DisputeKind.VOTES, node: int = 0) -> bytes:
    """Somebody disputes a place of a batch; ``node``: out of whose stake."""
    id = dispute_id(batch.commitment, kind, place)
    about = {"commitment": batch.commitment, "kind": int(kind), "place": place}
    until = chain.network.clock(chain.time) + WINDOW
    chain.emit("DisputeOpened", id=id, challenger=address(0), node=node, bond=1, until=until, **about)
    return id
