# SPDX-License-Identifier: Apache-2.0
"""What later events say of earlier anchors and batches.

Whoever replays has to know it from the start, or a message would count or not by when its reader came by.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inferix.models.anchor import BatchLeaf, SignedMessage
from inferix.models.event import ChainEvent
from inferix.models.roles import Outcome

Place = tuple[int, int]
"""The manager and index of an anchor."""
MESSAGE_KINDS = {1: "Acceptance", 2: "Receipt", 3: "Vote", 4: "CanaryOpening", 5: "Probe"}


@dataclass
class Later:
    """What later events say of earlier anchors and batches; ``shown``: by commitment, the leaves of each chunk."""

    cancelled: set[Place] = field(default_factory=set)
    posted: dict[Place, dict[int, tuple[SignedMessage, ...]]] = field(default_factory=dict)
    chunks: dict[Place, int] = field(default_factory=dict)
    shown: dict[bytes, dict[int, tuple[BatchLeaf, ...]]] = field(default_factory=dict)

    def take(self, event: ChainEvent) -> Place | None:
        """Remembers an event, if it is one of these; the anchor that it is about."""
        if event.name == "LeavesShown":
            leaves = tuple(_leaf(values) for values in event.args["leaves"])
            self.shown.setdefault(event.args["commitment"], {})[event.args["chunk"]] = leaves
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

    def leaves(self, commitment: bytes, count: int) -> list[BatchLeaf] | None:
        """All leaves of a batch of so many, if they were shown: those of its root, as the contract has seen."""
        chunks = self.shown.get(commitment, {})
        leaves = [leaf for chunk in sorted(chunks) for leaf in chunks[chunk]]
        return leaves if len(leaves) == count else None


def _leaf(values: Mapping[str, Any]) -> BatchLeaf:
    return BatchLeaf(**{**values, "outcome": Outcome(values["outcome"])})


def _messages(values: Iterable[Mapping[str, Any]]) -> tuple[SignedMessage, ...]:
    return tuple(
        SignedMessage(kind=MESSAGE_KINDS[item["kind"]], body=item["body"], signature=item["signature"])  # type: ignore[arg-type]
        for item in values
        if item["kind"]
    )


def look_ahead(events: Iterable[ChainEvent]) -> Later:
    """What all events say of earlier anchors."""
    later = Later()
    for event in events:
        later.take(event)
    return later
