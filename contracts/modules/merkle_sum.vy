# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Merkle-sum trees
@license AGPL-3.0-only
@notice Pure arithmetic of a Merkle tree whose nodes carry a sum of two lanes, `high << 128 | low`. A leaf has
        lanes under 2**96, every node under 2**127, so that lanes never run into each other. Leaves that are
        missing up to the next power of two are `(0x0, 0)`. A leaf's hash is a double hash of its type hash and
        fields (modules/leaves.vy), a parent's a single one of 128 bytes: neither can pass for the other.
@custom:security A proof lists the siblings from the leaf up, hash and sum alternating; bit i of the index says on
                 which side we are at height i (1: right).
"""

from ..interfaces import IMerkleSum


# @dev Leaves that `fold` takes at once: a chunk.
CHUNK: constant(uint256) = 64

# @dev Bits that a node's sum never has: the top one of each lane.
OVERFLOW: constant(uint256) = (1 << 255) | (1 << 127)


# @dev What a proof yields: the root, and the sum of all that lies left of the leaf.
struct Position:
    root: IMerkleSum.SumNode
    prefix: uint256


@internal
@pure
def _pack(high: uint256, low: uint256) -> uint256:
    """
    @dev Packs two lanes into a sum. Callers hand in lanes of a leaf (below 2**96) or of a header (uint96).
    """
    return (high << 128) | low


@internal
@pure
def _high(sum: uint256) -> uint256:
    return sum >> 128


@internal
@pure
def _low(sum: uint256) -> uint256:
    return sum & (2**128 - 1)


@internal
@pure
def _pair(left: IMerkleSum.SumNode, right: IMerkleSum.SumNode) -> bytes32:
    """
    @dev The hash of a parent, whatever its children's sums are: the disputes about wrong sums need it unchecked.
    """
    return keccak256(abi_encode(left.hash, left.sum, right.hash, right.sum))


@internal
@pure
def _add(left: uint256, right: uint256) -> uint256:
    """
    @dev Adds two sums lane by lane; reverts where a lane of either, or of the result, reaches 2**127.
         Unchecked is safe: both lanes of both sides are below 2**127, so nothing carries.
    """
    assert (left | right) & OVERFLOW == 0, "merkle_sum: lane overflow"
    sum: uint256 = unsafe_add(left, right)
    assert sum & OVERFLOW == 0, "merkle_sum: lane overflow"
    return sum


@internal
@pure
def _is_valid(left: uint256, right: uint256, sum: uint256) -> bool:
    """
    @dev Whether a node may claim `sum` over these children, without reverting.
    """
    if (left | right) & OVERFLOW != 0:
        return False
    added: uint256 = unsafe_add(left, right)
    return added & OVERFLOW == 0 and added == sum


@internal
@pure
def _locate(leaf: IMerkleSum.SumNode, index: uint256, proof: DynArray[bytes32, 64]) -> Position:
    """
    @dev Climbs from a leaf to its root.
    @param leaf Hash and sum of the leaf (or of an inner node, with its index at its height).
    @param index Below 2**(siblings of the proof).
    @return The root's hash and sum, and the sum of the leaves left of this one (for draws).
    """
    assert len(proof) & 1 == 0, "merkle_sum: odd proof"
    assert index >> (len(proof) // 2) == 0, "merkle_sum: index outside the tree"
    hash: bytes32 = leaf.hash
    sum: uint256 = leaf.sum
    prefix: uint256 = 0
    path: uint256 = index
    # Every bit that any sum on the way has. Unchecked additions are safe: as long as no lane reaches 2**127 nothing
    # carries, and the first one that does is seen here.
    seen: uint256 = sum
    for i: uint256 in range(len(proof) // 2, bound=32):
        sibling: bytes32 = proof[unsafe_mul(2, i)]
        beside: uint256 = convert(proof[unsafe_add(unsafe_mul(2, i), 1)], uint256)
        if path & 1 == 0:
            hash = keccak256(abi_encode(hash, sum, sibling, beside))
        else:
            hash = keccak256(abi_encode(sibling, beside, hash, sum))
            prefix = unsafe_add(prefix, beside)
        sum = unsafe_add(sum, beside)
        seen |= beside | sum
        path >>= 1
    assert seen & OVERFLOW == 0, "merkle_sum: lane overflow"
    return Position(root=IMerkleSum.SumNode(hash=hash, sum=sum), prefix=prefix)


@internal
@pure
def _verify(
    root: IMerkleSum.SumNode,
    leaf: IMerkleSum.SumNode,
    index: uint256,
    proof: DynArray[bytes32, 64],
) -> bool:
    """
    @dev Whether the leaf stands at this index of the tree. Reverts on an index outside it or a lane overflow.
    """
    found: Position = self._locate(leaf, index, proof)
    return found.root.hash == root.hash and found.root.sum == root.sum


@internal
@pure
def _fold(leaves: DynArray[IMerkleSum.SumNode, CHUNK], height: uint256) -> IMerkleSum.SumNode:
    """
    @dev Root of a subtree of 2**height leaves of which those beyond `leaves` are missing.
    @param leaves At most 2**height.
    @param height At most 6.
    """
    assert height <= 6, "merkle_sum: subtree over a chunk"
    assert len(leaves) <= 1 << height, "merkle_sum: more leaves than the subtree holds"
    level: IMerkleSum.SumNode[CHUNK] = empty(IMerkleSum.SumNode[CHUNK])
    for i: uint256 in range(len(leaves), bound=CHUNK):
        level[i] = leaves[i]
    for h: uint256 in range(height, bound=6):
        for i: uint256 in range(1 << (height - h - 1), bound=32):
            left: IMerkleSum.SumNode = level[2 * i]
            right: IMerkleSum.SumNode = level[2 * i + 1]
            level[i] = IMerkleSum.SumNode(hash=self._pair(left, right), sum=self._add(left.sum, right.sum))
    return level[0]
