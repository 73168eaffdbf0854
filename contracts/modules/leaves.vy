# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Leaves of the five trees
@license AGPL-3.0-only
@notice `leaf hash = keccak256(keccak256(abi.encode(TYPEHASH, fields...)))`: hashed twice, and each kind under its own
        type hash, so that no leaf can pass for an inner node or for a leaf of another tree. Fields are always
        hashed here, never taken as a hash from a caller.
"""

from ..interfaces import IAccounts
from ..interfaces import IBatches
from ..interfaces import IMerkleSum
from ..interfaces import IRosters
from . import merkle_sum


BATCH_TYPEHASH: constant(bytes32) = keccak256(
    "BatchLeaf(bytes32 task,uint8 attempt,uint32 node,uint32 account,uint64 work,uint64 charge,uint8 outcome,bytes32 result,bytes32 votes,bytes32 voters,uint32 anchor)"
)
ACCOUNT_TYPEHASH: constant(bytes32) = keccak256("AccountLeaf(uint32 account,uint96 spent,uint96 reserved)")
NODE_TYPEHASH: constant(bytes32) = keccak256("NodeLeaf(uint32 node,uint96 matured,uint96 vesting,uint256 start)")
ROSTER_TYPEHASH: constant(bytes32) = keccak256(
    "RosterLeaf(uint32 node,uint32 ib,uint64 price,bytes32 class,uint96 weight)"
)
MESSAGE_TYPEHASH: constant(bytes32) = keccak256("AnchoredMessage(bytes32 digest)")


@internal
@pure
def _batch(leaf: IBatches.BatchLeaf) -> IMerkleSum.SumNode:
    """
    @dev Lanes: charge, work.
    """
    return IMerkleSum.SumNode(
        hash=keccak256(keccak256(abi_encode(BATCH_TYPEHASH, leaf))),
        sum=merkle_sum._pack(convert(leaf.charge, uint256), convert(leaf.work, uint256)),
    )


@internal
@pure
def _account(leaf: IAccounts.AccountLeaf) -> IMerkleSum.SumNode:
    """
    @dev Lanes: spent, reserved.
    """
    return IMerkleSum.SumNode(
        hash=keccak256(keccak256(abi_encode(ACCOUNT_TYPEHASH, leaf))),
        sum=merkle_sum._pack(convert(leaf.spent, uint256), convert(leaf.reserved, uint256)),
    )


@internal
@pure
def _node(leaf: IAccounts.NodeLeaf) -> IMerkleSum.SumNode:
    """
    @dev Lanes: matured, vesting.
    """
    return IMerkleSum.SumNode(
        hash=keccak256(keccak256(abi_encode(NODE_TYPEHASH, leaf))),
        sum=merkle_sum._pack(convert(leaf.matured, uint256), convert(leaf.vesting, uint256)),
    )


@internal
@pure
def _roster(leaf: IRosters.RosterLeaf) -> IMerkleSum.SumNode:
    """
    @dev Lanes: weight, nothing.
    """
    return IMerkleSum.SumNode(
        hash=keccak256(keccak256(abi_encode(ROSTER_TYPEHASH, leaf))),
        sum=merkle_sum._pack(convert(leaf.weight, uint256), 0),
    )


@internal
@pure
def _message(digest: bytes32) -> IMerkleSum.SumNode:
    """
    @dev Lanes: nothing.
    """
    return IMerkleSum.SumNode(hash=keccak256(keccak256(abi_encode(MESSAGE_TYPEHASH, digest))), sum=0)
