# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Trees
@notice Test only: shows the internals of the modules merkle_sum and leaves.
"""

from contracts.interfaces import IAccounts
from contracts.interfaces import IBatches
from contracts.interfaces import IMerkleSum
from contracts.interfaces import IRosters
from contracts.modules import leaves
from contracts.modules import merkle_sum


@external
@pure
def locate(leaf: IMerkleSum.SumNode, index: uint256, proof: DynArray[bytes32, 64]) -> merkle_sum.Position:
    return merkle_sum._locate(leaf, index, proof)


@external
@pure
def verify(
    root: IMerkleSum.SumNode, leaf: IMerkleSum.SumNode, index: uint256, proof: DynArray[bytes32, 64]
) -> bool:
    return merkle_sum._verify(root, leaf, index, proof)


@external
@pure
def fold(nodes: DynArray[IMerkleSum.SumNode, 64], height: uint256) -> IMerkleSum.SumNode:
    return merkle_sum._fold(nodes, height)


@external
@pure
def pair(left: IMerkleSum.SumNode, right: IMerkleSum.SumNode) -> bytes32:
    return merkle_sum._pair(left, right)


@external
@pure
def is_valid(left: uint256, right: uint256, sum: uint256) -> bool:
    return merkle_sum._is_valid(left, right, sum)


@external
@pure
def lanes(high: uint256, low: uint256) -> (uint256, uint256, uint256):
    sum: uint256 = merkle_sum._pack(high, low)
    return sum, merkle_sum._high(sum), merkle_sum._low(sum)


@external
@pure
def batch(leaf: IBatches.BatchLeaf) -> IMerkleSum.SumNode:
    return leaves._batch(leaf)


@external
@pure
def account(leaf: IAccounts.AccountLeaf) -> IMerkleSum.SumNode:
    return leaves._account(leaf)


@external
@pure
def node(leaf: IAccounts.NodeLeaf) -> IMerkleSum.SumNode:
    return leaves._node(leaf)


@external
@pure
def roster(leaf: IRosters.RosterLeaf) -> IMerkleSum.SumNode:
    return leaves._roster(leaf)
