# SPDX-License-Identifier: Apache-2.0
"""Data that somebody asked for on chain, as the Availability contract reports it.

An anchor that was not served is cancelled: none of its messages counts, whatever is served afterwards. One whose
document is not to be had counts as it was posted on chain. Both change what came before: whoever replays has to know
them from the start (``Later``), or a message would count or not by when its reader came by.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from inferix.models.anchor import SignedMessage
from inferix.models.event import ChainEvent
from inferix.models.roles import DisputeStatus, RootKind
from inferix.replay.disputes import end, opening
from inferix.replay.handlers import Handlers
from inferix.replay.state import Anchor, RootDispute, RootName

if TYPE_CHECKING:
    from inferix.replay.network import Network

Place = tuple[int, int]
"""The manager and index of an anchor."""
MESSAGE_KINDS = {1: "Acceptance", 2: "Receipt", 3: "Vote", 4: "CanaryOpening", 5: "Probe"}
NOT_SERVED = "its data is not served"
CANCELLED = "its data was asked for and not served"


@dataclass
class Later:
    """What later events say of earlier anchors."""

    cancelled: set[Place] = field(default_factory=set)
    posted: dict[Place, dict[int, tuple[SignedMessage, ...]]] = field(default_factory=dict)
    chunks: dict[Place, int] = field(default_factory=dict)

    def take(self, event: ChainEvent) -> Place | None:
        """Remembers an event, if it is one of these; the anchor that it is about."""
        if event.name not in ("AnchorCancelled", "MessagesPosted"):
            return None
        place = (event.args["manager"], event.args["index"])
        if event.name == "AnchorCancelled":
            self.cancelled.add(place)
        else:
            self.posted.setdefault(place, {})[event.args["chunk"]] = _messages(event.args["messages"])
            self.chunks[place] = event.args["chunks"]
        return place

    def messages(self, place: Place) -> list[SignedMessage] | None:
        """All messages of an anchor, if all its chunks were posted."""
        chunks = self.posted.get(place, {})
        if not chunks or len(chunks) < self.chunks[place]:
            return None
        return [message for chunk in sorted(chunks) for message in chunks[chunk]]


def _messages(values: Iterable[Mapping[str, Any]]) -> tuple[SignedMessage, ...]:
    return tuple(
        SignedMessage(kind=MESSAGE_KINDS[item["kind"]], body=item["body"], signature=item["signature"])  # type: ignore[arg-type]
        for item in values
        if item["kind"]
    )


def withheld(network: "Network", cut_off: int) -> Iterator[tuple[int, Anchor]]:
    """(manager, anchor) of before a cut-off that is not served and may be cancelled: what it holds is not known yet."""
    term = network.parameters["batch_window"] + network.parameters["answer_window"]
    for manager, lane in network.lanes.items():
        for anchor in lane.anchors.values():
            is_open = not anchor.sealed_at or network.time <= anchor.sealed_at + term
            if anchor.problem == NOT_SERVED and anchor.timestamp <= cut_off and is_open:
                yield manager, anchor


def look_ahead(events: Iterable[ChainEvent]) -> Later:
    """What all events say of earlier anchors."""
    later = Later()
    for event in events:
        later.take(event)
    return later


def told(network: "Network", event: ChainEvent, args: Mapping[str, Any]) -> None:
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


def disputed(network: "Network", event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Somebody asks for a chunk."""
    name = RootName(RootKind(args["kind"]), args["of"], args["index"], args["root"])
    network.root_disputes[args["id"]] = RootDispute(name=name, chunk=args["chunk"], **opening(event, args))


def _ended(network: "Network", event: ChainEvent, args: Mapping[str, Any], *, status: DisputeStatus) -> None:
    end(network.root_disputes[args["id"]], event, status)


EVENTS: Handlers = {
    "RootDisputed": disputed,
    "RootServed": partial(_ended, status=DisputeStatus.ANSWERED),
    "RootDisputeUpheld": partial(_ended, status=DisputeStatus.UPHELD),
    "RootDisputeDropped": partial(_ended, status=DisputeStatus.DROPPED),
    "AnchorCancelled": told,
    "MessagesPosted": told,
}
