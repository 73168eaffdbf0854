# SPDX-License-Identifier: Apache-2.0
"""Merkle-sum trees: one code for batches, accounts, rosters and anchors; the twin of contracts/modules/merkle_sum.vy.

A node is (hash, sum); a sum has two 128-bit lanes, ``high << 128 | low``. Leaves are hashed twice with a type hash in
front, so neither a node nor a leaf of another kind can pass for a leaf (second pre-image). docs/protocol.md, section 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.errors import InvalidInput
from inferix.models.anchor import AccountLeaf, BatchLeaf, NodeLeaf, RosterLeaf

LANE = 128
LANE_LIMIT = 1 << 127
LEAF_LIMIT = 1 << 96
MAX_DEPTH = 32
"""No proof is longer on chain."""
_LOW = (1 << LANE) - 1

BATCH_TYPE = (
    "BatchLeaf(bytes32 task,uint8 attempt,uint32 node,uint32 account,uint64 work,uint64 charge,"
    "uint8 outcome,bytes32 result,bytes32 votes,bytes32 voters,uint32 anchor)"
)
ACCOUNT_TYPE = "AccountLeaf(uint32 account,uint96 spent,uint96 reserved)"
NODE_TYPE = "NodeLeaf(uint32 node,uint96 matured,uint96 vesting,uint256 start)"
ROSTER_TYPE = "RosterLeaf(uint32 node,uint32 ib,uint64 price,bytes32 class,uint96 weight)"
MESSAGE_TYPE = "AnchoredMessage(bytes32 digest)"


@dataclass(frozen=True, slots=True)
class Sum:
    """A node of a tree: hash (32 bytes) and packed sum."""

    hash: bytes
    sum: int


EMPTY = Sum(bytes(32), 0)


def lanes(high: int, low: int) -> int:
    """Two lanes in one sum. Each lane of a leaf is under 2^96."""
    if not (0 <= high < LEAF_LIMIT and 0 <= low < LEAF_LIMIT):
        raise InvalidInput("a leaf's amount must be under 2^96")
    return high << LANE | low


def split(total: int) -> tuple[int, int]:
    """(high, low) of a packed sum."""
    return total >> LANE, total & _LOW


def leaf(type_string: str, values: Sequence[object], high: int = 0, low: int = 0) -> Sum:
    """The tree node of a leaf: ``keccak256(keccak256(abi.encode(TYPEHASH, values...)))``."""
    kinds = [part.split(" ")[0] for part in type_string[type_string.index("(") + 1 : -1].split(",")]
    encoded = abi_encode(["bytes32", *kinds], [keccak(text=type_string), *values])
    return Sum(keccak(keccak(encoded)), lanes(high, low))


def batch_leaf(value: BatchLeaf) -> Sum:
    """Lanes: charge, work."""
    fields = [getattr(value, name) for name in BatchLeaf.model_fields]
    return leaf(BATCH_TYPE, fields, value.charge, value.work)


def account_leaf(value: AccountLeaf) -> Sum:
    """Lanes: spent, reserved."""
    return leaf(ACCOUNT_TYPE, [value.account, value.spent, value.reserved], value.spent, value.reserved)


def node_leaf(value: NodeLeaf) -> Sum:
    """Lanes: matured, vesting."""
    return leaf(NODE_TYPE, [value.node, value.matured, value.vesting, value.start], value.matured, value.vesting)


def roster_leaf(value: RosterLeaf) -> Sum:
    """Lanes: weight, 0."""
    return leaf(ROSTER_TYPE, [value.node, value.ib, value.price, value.device_class, value.weight], value.weight)


def message_leaf(digest: bytes) -> Sum:
    """A message of an anchor; sums are zero."""
    return leaf(MESSAGE_TYPE, [digest])


def anchor_root(digests: Sequence[bytes]) -> bytes:
    """Root hash of an anchor's messages; of none: of one leaf of digest zero, as an empty root is refused on chain."""
    return Tree([message_leaf(digest) for digest in digests or [bytes(32)]]).root.hash


def parent(left: Sum, right: Sum) -> Sum:
    """The node above two nodes; InvalidInput when a lane would overflow."""
    for node in (left, right):
        if any(lane >= LANE_LIMIT for lane in split(node.sum)):
            raise InvalidInput("a lane of a Merkle-sum tree overflows")
    fields = [left.hash, left.sum, right.hash, right.sum]
    return Sum(keccak(abi_encode(["bytes32", "uint256", "bytes32", "uint256"], fields)), left.sum + right.sum)


class Tree:
    """A tree over leaves in order; ``None`` is an empty place (a node id without a leaf)."""

    def __init__(self, leaves: Sequence[Sum | None]) -> None:
        level = [item or EMPTY for item in leaves] or [EMPTY]
        level += [EMPTY] * ((1 << (len(level) - 1).bit_length()) - len(level))
        self.levels = [level]
        while len(level) > 1:
            level = [parent(level[at], level[at + 1]) for at in range(0, len(level), 2)]
            self.levels.append(level)

    @property
    def root(self) -> Sum:
        """Hash and sum of the whole tree."""
        return self.levels[-1][0]

    def grow_to(self, root: bytes) -> bool:
        """Whether it has this root once it has enough empty places after its leaves.

        ``levels`` has no more of them than the proofs of its leaves need.
        """
        empty = EMPTY
        for _ in self.levels[1:]:
            empty = parent(empty, empty)
        while self.root.hash != root:
            if len(self.levels) > MAX_DEPTH:
                return False
            self.levels[-1].append(empty)
            self.levels.append([parent(*self.levels[-1])])
            empty = parent(empty, empty)
        return True

    def proof(self, index: int) -> list[Sum]:
        """The siblings of a leaf, from the leaf up."""
        if not 0 <= index < len(self.levels[0]):
            raise InvalidInput(f"this tree has no leaf {index}")
        return [level[(index >> depth) ^ 1] for depth, level in enumerate(self.levels[:-1])]

    def prefix(self, index: int) -> int:
        """Sum of the high lanes of the leaves left of ``index``."""
        return sum(split(node.sum)[0] for node in self._left(index, self.proof(index)))

    def find(self, position: int) -> int:
        """The index of the leaf in whose share of the high lane ``position`` falls; O(log n)."""
        if not 0 <= position < split(self.root.sum)[0]:
            raise InvalidInput("the position lies beyond the tree's total")
        index = 0
        for level in reversed(self.levels[:-1]):
            index <<= 1
            left = split(level[index].sum)[0]
            if position >= left:
                position -= left
                index += 1
        return index

    @staticmethod
    def _left(index: int, proof: Sequence[Sum]) -> list[Sum]:
        return [node for depth, node in enumerate(proof) if index >> depth & 1]


def root_of(node: Sum, index: int, proof: Sequence[Sum]) -> Sum:
    """The root that a leaf, its index and its proof lead to; InvalidInput when the index does not fit the proof."""
    if index >> len(proof):
        raise InvalidInput("the index lies outside a tree of this depth")
    for depth, sibling in enumerate(proof):
        node = parent(sibling, node) if index >> depth & 1 else parent(node, sibling)
    return node


def flat(proof: Sequence[Sum]) -> list[bytes]:
    """A proof as contracts take it: hash and sum alternating."""
    return [word for item in proof for word in (item.hash, item.sum.to_bytes(32, "big"))]
