# SPDX-License-Identifier: Apache-2.0
"""Where in an anchor a worker's receipt is, as Committees takes it. Pure, but for the hash of a block."""

from collections.abc import Callable
from typing import Any

from inferix.errors import InferixError, NotFound
from inferix.messages import ANCHORED, Receipt
from inferix.models.anchor import AnchorData, BatchLeaf, SignedMessage
from inferix.replay.network import Network
from inferix.replay.state import Anchor
from inferix.trees import Tree, anchor_root, flat, message_leaf

BlockHash = Callable[[int], bytes]
"""The hash of the block of this number, from the chain."""


def found_at(network: Network, manager: int, index: int, leaf: BatchLeaf) -> tuple[SignedMessage, Receipt, int]:
    """The receipt of the leaf's attempt by its node in an anchor of a lane, and its place among the messages: the one
    over the leaf's result, else the first. Raises NotFound where there is none, or the messages are not to be had."""
    anchor = network.lane(manager).anchors.get(index)
    messages = messages_behind(network, manager, anchor) if anchor else []
    found: list[tuple[SignedMessage, Receipt, int]] = []
    for at, item in enumerate(messages):
        message = ANCHORED[item.kind].from_body(item.body)
        if isinstance(message, Receipt) and _key(message) == _key(leaf):
            found.append((item, message, at))
    if not found:
        raise NotFound(f"no receipt of task {leaf.task.hex()} attempt {leaf.attempt} is in anchor {manager}/{index}")
    return next((each for each in found if each[1].result == leaf.result), found[0])


def place_in_anchor(network: Network, manager: int, index: int, at: int, block_hash: BlockHash) -> dict[str, Any]:
    """``Committees.Place`` of an anchor's message; the anchor is there, with messages."""
    anchor = network.lane(manager).anchors[index]
    proof = Tree([message_leaf(digest) for digest in _digests(network, manager, anchor)]).proof(at)
    return {"block_hash": block_hash(anchor.armed_at + 1), "index": at, "proof": flat(proof)}


def messages_behind(network: Network, manager: int, anchor: Anchor) -> list[SignedMessage]:
    """What an anchor's root is over. Raises NotFound where that is not to be had; a cancelled one's do not count."""
    place = (manager, anchor.index)
    body = network.document(anchor.data)
    messages = network.later.messages(place) if body is None else None
    if place in network.later.cancelled or (body is None and messages is None):
        raise NotFound(f"the messages of anchor {manager}/{anchor.index} are not to be had, or do not count")
    try:
        messages = AnchorData.decode(body, anchor.data).messages if body is not None else messages
        digests = [ANCHORED[item.kind].from_body(item.body).digest(network.domain) for item in messages or []]
    except InferixError as error:
        raise NotFound(f"the document of anchor {manager}/{anchor.index} is false: {error}") from error
    if anchor_root(digests) != anchor.root:
        raise NotFound(f"the document of anchor {manager}/{anchor.index} is not what its root is over")
    return messages or []


def _digests(network: Network, manager: int, anchor: Anchor) -> list[bytes]:
    messages = messages_behind(network, manager, anchor)
    return [ANCHORED[item.kind].from_body(item.body).digest(network.domain) for item in messages]


def _key(item: Receipt | BatchLeaf) -> tuple[bytes, int, int]:
    return item.task, item.attempt, item.node
