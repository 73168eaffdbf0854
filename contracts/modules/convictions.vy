# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title convictions
@license AGPL-3.0-only
@author Inferix
@notice What becomes of a batch that lied: it falls with all later ones of its lane, and its proposer pays for it. Of a batch
        that stands alone nobody's lane suffers: whoever proposed it loses the bond that it stands on.
@custom:kill None.
"""

from ..interfaces import IBatches
from ..interfaces import IEscape
from ..interfaces import IMerkleSum
from . import merkle_sum
from . import penalties

uses: penalties


PROPOSED: constant(uint8) = 1


_BATCHES: immutable(IBatches)


@deploy
def __init__(batches: address):
    assert batches != empty(address), "convictions: no Batches"
    _BATCHES = IBatches(batches)


@internal
def _punish(commitment: bytes32, manager: uint32, reporter: address):
    # The batch and all later ones of the lane, part of the bond, and the right to go on.
    extcall _BATCHES.cancel(commitment)
    if extcall IEscape(staticcall _BATCHES.escape()).close(commitment, reporter):
        return
    penalties._punish(manager, reporter)


@internal
def _give_way(commitment: bytes32):
    # A batch that stood alone, and was there first, falls for its lane's: no lie, and no fine.
    extcall _BATCHES.cancel(commitment)
    extcall IEscape(staticcall _BATCHES.escape()).close(commitment, empty(address))


@internal
@view
def _batch(commitment: bytes32) -> IBatches.Batch:
    # In one place: what comes back is decoded in many bytes of code.
    return staticcall _BATCHES.batch(commitment)


@internal
@view
def _check_proposed(header: IBatches.BatchHeader) -> bytes32:
    commitment: bytes32 = keccak256(abi_encode(header))
    assert self._batch(commitment).status == PROPOSED, "Disputes: batch not proposed"
    return commitment


@internal
@view
def _check_leaf(
    header: IBatches.BatchHeader, leaf: IBatches.BatchLeaf, index: uint256, proof: DynArray[bytes32, 64]
):
    assert staticcall _BATCHES.verify(header, leaf, index, proof), "Disputes: no such leaf"


@internal
@pure
def _root(header: IBatches.BatchHeader) -> IMerkleSum.SumNode:
    return IMerkleSum.SumNode(
        hash=header.root, sum=merkle_sum._pack(convert(header.charge, uint256), convert(header.work, uint256))
    )
