# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title draws
@license AGPL-3.0-only
@author Inferix
@notice Draws from a roster, as inferix/draws.py makes them: draw i hits the leaf in whose share of the weights falls
        `keccak256(abi.encode(seed, task, role, attempt, i)) mod total`.
@custom:kill Stateless.
"""

from ..interfaces import IMerkleSum
from ..interfaces import IRosters
from . import leaves
from . import merkle_sum


VERIFIER: constant(uint8) = 2
PANEL: constant(uint8) = 3

# @dev Draws of a task at most; a panel or committee that is not full by then stays so.
MAX_DRAWS: constant(uint256) = 256

# @dev A drawn node with its share of the weights: first << 128 | weight << 32 | node.
_LOW_32: constant(uint256) = 2**32 - 1
_LOW_96: constant(uint256) = 2**96 - 1


@internal
@pure
def _position(seed: bytes32, task: bytes32, role: uint8, attempt: uint8, index: uint256, total: uint256) -> uint256:
    """
    @dev Where draw `index` falls among the weights; total > 0.
    """
    return convert(keccak256(abi_encode(seed, task, role, attempt, index)), uint256) % total


@internal
@pure
def _share(root: bytes32, total: uint256, leaf: IRosters.RosterLeaf, proof: DynArray[bytes32, 64]) -> uint256:
    """
    @dev The share of a leaf, proven: first << 128 | weight << 32 | node. Reverts when it is no leaf of this roster.
    """
    found: merkle_sum.Position = merkle_sum._locate(leaves._roster(leaf), convert(leaf.node, uint256), proof)
    assert found.root.hash == root and found.root.sum == merkle_sum._pack(total, 0), "draws: not in this roster"
    first: uint256 = merkle_sum._high(found.prefix)
    return first << 128 | convert(leaf.weight, uint256) << 32 | convert(leaf.node, uint256)


@internal
@pure
def _is_hit(share: uint256, position: uint256) -> bool:
    """
    @dev Whether a position falls into a share.
    """
    first: uint256 = share >> 128
    return first <= position and position < first + (share >> 32 & _LOW_96)


@internal
@pure
def _node(share: uint256) -> uint32:
    return convert(share & _LOW_32, uint32)


@internal
@pure
def _weight(share: uint256) -> uint256:
    return share >> 32 & _LOW_96
