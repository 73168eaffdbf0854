# SPDX-License-Identifier: Apache-2.0
"""What the root of an anchor is over: its document or, where that is not it, what was posted on chain in its place.

Who hides a document, answers on chain and shows other bytes afterwards has shown the messages all the same.
"""

from inferix.errors import Corrupt, InferixError, NotFound
from inferix.messages import ANCHORED, Anchored
from inferix.models.anchor import AnchorData, SignedMessage
from inferix.models.event import NamedBy
from inferix.replay.availability import CANCELLED, NOT_SERVED
from inferix.replay.network import Network
from inferix.replay.state import Anchor
from inferix.trees import anchor_root

Read = list[tuple[SignedMessage, Anchored, bytes]]
"""Each message as it stands there, opened, and its digest; in the order of the tree."""


def read(network: Network, manager: int, anchor: Anchor) -> Read:
    """The messages of an anchor.

    :raises NotFound: they are not to be had, or it was cancelled. Corrupt: they are not what the root is over.
    """
    place = (manager, anchor.index)
    if place in network.later.cancelled:
        raise NotFound(CANCELLED)
    body, posted = network.document(anchor.data, NamedBy(manager)), network.later.messages(place)
    try:
        if body is not None:
            return _opened(network, manager, anchor, AnchorData.decode(body, anchor.data))
    except InferixError:
        if posted is None:
            raise
    if posted is None:
        raise NotFound(NOT_SERVED)
    return _opened(network, manager, anchor, AnchorData(manager=manager, messages=posted))


def _opened(network: Network, manager: int, anchor: Anchor, data: AnchorData) -> Read:
    opened = [(item, ANCHORED[item.kind].from_body(item.body)) for item in data.messages]
    found = [(item, message, message.digest(network.domain)) for item, message in opened]
    if data.manager != manager or anchor_root([digest for _, _, digest in found]) != anchor.root:
        raise Corrupt("its root is not that of its messages")
    return found
