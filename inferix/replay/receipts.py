# SPDX-License-Identifier: Apache-2.0
"""Where in an anchor a worker's receipt is, as Committees takes it. Pure, but for the hash of a block."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inferix.errors import InferixError, NotFound
from inferix.messages import Receipt
from inferix.models.anchor import BatchLeaf
from inferix.replay.anchors import Read, read
from inferix.replay.network import Network
from inferix.replay.state import Anchor
from inferix.trees import Tree, flat, message_leaf

BlockHash = Callable[[int], bytes]
"""The hash of the block of this number, from the chain."""


@dataclass(frozen=True)
class Found:
    """A receipt in an anchor. ``at``: its place among the anchor's messages; ``digests``: of all of them, in order."""

    receipt: Receipt
    signature: bytes
    anchor: Anchor
    at: int
    digests: list[bytes]

    def place(self, block_hash: BlockHash) -> dict[str, Any]:
        """``Committees.Place`` of it."""
        proof = Tree([message_leaf(digest) for digest in self.digests]).proof(self.at)
        return {"block_hash": block_hash(self.anchor.armed_at + 1), "index": self.at, "proof": flat(proof)}


def found_at(network: Network, manager: int, index: int, leaf: BatchLeaf) -> Found:
    """The receipt of the leaf's attempt by its node in an anchor of a lane: the one over the leaf's result, else the
    first. Raises NotFound where there is none, or the messages are not to be had."""
    anchor = network.lane(manager).anchors.get(index)
    found: list[Found] = []
    if anchor is not None:
        read = _read(network, manager, anchor)
        digests = [digest for _, _, digest in read]
        for at, (item, message, _) in enumerate(read):
            if isinstance(message, Receipt) and _key(message) == _key(leaf):
                found.append(Found(message, item.signature, anchor, at, digests))
    if not found:
        raise NotFound(f"no receipt of task {leaf.task.hex()} attempt {leaf.attempt} is in anchor {manager}/{index}")
    return next((each for each in found if each.receipt.result == leaf.result), found[0])


def _read(network: Network, manager: int, anchor: Anchor) -> Read:
    try:
        return read(network, manager, anchor)
    except InferixError as error:
        raise NotFound(
            f"the messages of anchor {manager}/{anchor.index} are not to be had, or do not count: {error}"
        ) from error


def _key(item: Receipt | BatchLeaf) -> tuple[bytes, int, int]:
    return item.task, item.attempt, item.node
