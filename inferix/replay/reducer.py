# SPDX-License-Identifier: Apache-2.0
"""The reducer: the state of the network as a pure function of chain events and the documents that they name.

Keepers, the API, ``inferix explain`` and ``inferix audit`` all run this same code, so whoever has the chain and storage
comes to the same state. Time is the block time of the event. Nothing here reads a clock, a chain or a disk.
"""

from inferix.models.event import ChainEvent
from inferix.replay import (
    availability,
    balances,
    batches,
    cases,
    contradictions,
    disputes,
    epochs,
    lanes,
    money,
    nodes,
    objections,
    panels,
    posted,
    rosters,
    stake,
)
from inferix.replay.handlers import joined
from inferix.replay.network import Network

HANDLERS = joined(
    nodes.EVENTS,
    stake.EVENTS,
    money.EVENTS,
    balances.EVENTS,
    lanes.EVENTS,
    posted.EVENTS,
    rosters.EVENTS,
    batches.EVENTS,
    availability.EVENTS,
    disputes.EVENTS,
    epochs.EVENTS,
    cases.EVENTS,
    objections.EVENTS,
    contradictions.EVENTS,
    panels.EVENTS,
)


def apply(network: Network, event: ChainEvent) -> None:
    """Takes the next event, in chain order. Unknown events are none of the reducer's business."""
    network.tick(event.timestamp)
    network.block = event.block
    if event.name in rosters.CHANGES:
        rosters.remember(network, event)
    handler = HANDLERS.get(event.name)
    if handler is not None:
        handler(network, event, event.args)
