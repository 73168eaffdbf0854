# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title dispute_book
@license AGPL-3.0-only
@author Inferix
@notice Disputes about batches, under an id made of batch, kind and place: each holds its batch up while it is open.
@custom:kill None.
"""

from ..interfaces import IBatches
from ..interfaces import IDisputes
from ..interfaces import IEscape
from ..interfaces import INodeRegistry
from . import bonds
from . import dispute_words

uses: bonds
uses: dispute_words


PROPOSED: constant(uint8) = 1


_REGISTRY: immutable(INodeRegistry)
_BATCHES: immutable(IBatches)


@deploy
def __init__(registry: address, batches: address):
    _REGISTRY = INodeRegistry(registry)
    _BATCHES = IBatches(batches)


@external
@view
def dispute_id(commitment: bytes32, kind: uint8, place: uint256) -> bytes32:
    """
    @notice The one id that a dispute of this kind about this place of this batch has.
    """
    return self._id(commitment, kind, place)


@internal
def _open(header: IBatches.BatchHeader, kind: uint8, place: uint256, node: uint32) -> bytes32:
    """
    @dev Takes the bond, the caller's or the node's, and holds the batch up.
    """
    commitment: bytes32 = keccak256(abi_encode(header))
    id: bytes32 = self._id(commitment, kind, place)
    dispute: IDisputes.Dispute = dispute_words._begin(id, node)
    # Reverts unless the batch is proposed and its window open.
    extcall _BATCHES.open_dispute(commitment)
    bonds._take(node, dispute.bond)
    log IDisputes.DisputeOpened(
        id=id,
        commitment=commitment,
        kind=kind,
        place=convert(place, uint32),
        challenger=dispute.challenger,
        node=node,
        bond=dispute.bond,
        until=dispute.until,
    )
    return id


@internal
@view
def _check_open(header: IBatches.BatchHeader, kind: uint8, place: uint256) -> bytes32:
    """
    @dev The id of a dispute that may be answered now.
    """
    commitment: bytes32 = keccak256(abi_encode(header))
    id: bytes32 = self._id(commitment, kind, place)
    dispute_words._check_in_time(id)
    assert (staticcall _BATCHES.batch(commitment)).status == PROPOSED, "Disputes: batch not proposed"
    return id


@internal
def _close_answered(id: bytes32, header: IBatches.BatchHeader):
    """
    @dev The challenger loses its bond: half burned, half to whom the batch is from, whoever carried the answer.
    """
    dispute: IDisputes.Dispute = dispute_words._end(id, dispute_words.ANSWERED)
    extcall _BATCHES.close_dispute(keccak256(abi_encode(header)))
    bonds._forfeit(dispute.node, dispute.bond, self._proposer(header))
    log IDisputes.DisputeAnswered(id=id)


@internal
def _close_won(id: bytes32, commitment: bytes32, status: uint8) -> address:
    """
    @dev The bond goes back. Returns the challenger.
    """
    dispute: IDisputes.Dispute = dispute_words._end(id, status)
    extcall _BATCHES.close_dispute(commitment)
    bonds._give_back(dispute.challenger, dispute.node, dispute.bond)
    return dispute.challenger


@internal
@view
def _proposer(header: IBatches.BatchHeader) -> address:
    # The manager's owner; of a batch that stands alone, whoever proposed it.
    if header.sequence == 0:
        return staticcall IEscape(staticcall _BATCHES.escape()).proposer(keccak256(abi_encode(header)))
    return staticcall _REGISTRY.owner_of(header.manager)


@internal
@pure
def _id(commitment: bytes32, kind: uint8, place: uint256) -> bytes32:
    return keccak256(abi_encode(commitment, kind, place))
