# SPDX-License-Identifier: Apache-2.0
"""Data that somebody asked for on chain, as the Availability contract reports it.

An anchor that was not served is cancelled: none of its messages counts, whatever is served afterwards. One whose
document is not to be had counts as it was posted on chain. Both change what came before: whoever replays has to know
them from the start (``Later``), or a message would count or not by when its reader came by.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from inferix.models.event import ChainEvent
from inferix.models.roles import DisputeStatus, RootKind
from inferix.replay.disputes import end, opening
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.state import Anchor, RootDispute, RootName

NOT_SERVED = "its data is not served"
CANCELLED = "its data was asked for and not served"


def withheld(network: Network, cut_off: int) -> Iterator[tuple[int, Anchor]]:
    """(manager, anchor) of before a cut-off that is not served and may be cancelled: what it holds is not known yet.

    It is asked for within a term of block time; the answer to that has its time on the protocol's clock.
    """
    ask, answer = network.parameters["batch_window"], network.parameters["answer_window"]
    for manager, lane in network.lanes.items():
        for anchor in lane.anchors.values():
            is_open = not anchor.sealed_at or network.time <= network.last_second(anchor.sealed_at + ask, answer)
            if anchor.problem == NOT_SERVED and anchor.timestamp <= cut_off and is_open:
                yield manager, anchor


def told(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """An anchor was cancelled, or posted: the state that was made without knowing it is no more."""
    place = network.later.take(event)
    assert place is not None
    anchor = network.lane(place[0]).anchors.get(place[1])
    if anchor is None:
        return
    if place in network.later.cancelled:
        changes = anchor.problem != CANCELLED
    else:
        changes = anchor.problem not in ("", CANCELLED) and network.later.messages(place) is not None
    network.is_stale = network.is_stale or changes


def disputed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Somebody asks for a chunk."""
    name = RootName(RootKind(args["kind"]), args["of"], args["index"], args["root"])
    network.root_disputes[args["id"]] = RootDispute(name=name, chunk=args["chunk"], **opening(event, args))


def _ended(network: Network, event: ChainEvent, args: Mapping[str, Any], *, status: DisputeStatus) -> None:
    end(network.root_disputes[args["id"]], event, status)


EVENTS: Handlers = {
    "RootDisputed": disputed,
    "RootServed": partial(_ended, status=DisputeStatus.ANSWERED),
    "RootDisputeUpheld": partial(_ended, status=DisputeStatus.UPHELD),
    "RootDisputeDropped": partial(_ended, status=DisputeStatus.DROPPED),
    "AnchorCancelled": told,
    "MessagesPosted": told,
}
