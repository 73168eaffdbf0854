# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title dispute_book
@license AGPL-3.0-only
@author Inferix
@notice Disputes that wait for an answer, three words each, kept for ever under an id made of batch, kind and place: what was
        disputed once is not disputed again.
@custom:kill None: storage.
"""

from ..interfaces import IBatches
from ..interfaces import IDisputes
from ..interfaces import INodeRegistry
from . import bonds
from . import governed

uses: bonds
uses: governed


OPEN: constant(uint8) = 1
ANSWERED: constant(uint8) = 2
UPHELD: constant(uint8) = 3
DROPPED: constant(uint8) = 4

PROPOSED: constant(uint8) = 1

_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1
_LOW_96: constant(uint256) = 2**96 - 1
_LOW_160: constant(uint256) = 2**160 - 1
_STATUS_MASK: constant(uint256) = 255 << 208


_REGISTRY: immutable(INodeRegistry)
_BATCHES: immutable(IBatches)


# id => commitment of the batch
_commitments: HashMap[bytes32, bytes32]
# id => node << 216 | status << 208 | kind << 200 | until << 160 | challenger
_states: HashMap[bytes32, uint256]
# id => place << 128 | manager << 96 | bond
_stakes: HashMap[bytes32, uint256]


@deploy
def __init__(registry: address, batches: address):
    _REGISTRY = INodeRegistry(registry)
    _BATCHES = IBatches(batches)


@external
@view
def dispute(id: bytes32) -> IDisputes.Dispute:
    """
    @notice A dispute; status 0 when there is none.
    """
    return self._read(id)


@external
@view
def dispute_id(commitment: bytes32, kind: uint8, place: uint256) -> bytes32:
    """
    @notice The one id that a dispute of this kind about this place of this batch has.
    """
    return self._id(commitment, kind, place)


@internal
def _open(header: IBatches.BatchHeader, kind: uint8, place: uint256, node: uint32) -> bytes32:
    commitment: bytes32 = keccak256(abi_encode(header))
    id: bytes32 = self._id(commitment, kind, place)
    assert self._states[id] == 0, "Disputes: disputed before"
    challenger: address = bonds._bondholder(node)
    bond: uint256 = bonds._amount()
    until: uint256 = governed._clock() + governed._parameter(keccak256("answer_window"))
    self._commitments[id] = commitment
    self._states[id] = (
        convert(node, uint256) << 216
        | convert(OPEN, uint256) << 208
        | convert(kind, uint256) << 200
        | until << 160
        | convert(challenger, uint256)
    )
    self._stakes[id] = place << 128 | convert(header.manager, uint256) << 96 | bond
    # Reverts unless the batch is proposed and its window open.
    extcall _BATCHES.open_dispute(commitment)
    bonds._take(node, bond)
    log IDisputes.DisputeOpened(
        id=id,
        commitment=commitment,
        kind=kind,
        place=convert(place, uint32),
        challenger=challenger,
        node=node,
        bond=bond,
        until=convert(until, uint40),
    )
    return id


@internal
@view
def _check_open(id: bytes32, header: IBatches.BatchHeader, kind: uint8, place: uint256):
    dispute: IDisputes.Dispute = self._read(id)
    assert dispute.status == OPEN, "Disputes: not open"
    assert id == self._id(keccak256(abi_encode(header)), kind, place), "Disputes: not what is disputed"
    assert governed._clock() <= convert(dispute.until, uint256), "Disputes: too late to answer"
    assert (staticcall _BATCHES.batch(dispute.commitment)).status == PROPOSED, "Disputes: batch not proposed"


@internal
def _close_answered(id: bytes32, manager: uint32):
    dispute: IDisputes.Dispute = self._read(id)
    self._set_status(id, ANSWERED)
    extcall _BATCHES.close_dispute(dispute.commitment)
    bonds._forfeit(dispute.node, dispute.bond, staticcall _REGISTRY.owner_of(manager))
    log IDisputes.DisputeAnswered(id=id)


@internal
@pure
def _id(commitment: bytes32, kind: uint8, place: uint256) -> bytes32:
    return keccak256(abi_encode(commitment, kind, place))


@internal
def _set_status(id: bytes32, status: uint8):
    self._states[id] = self._states[id] & ~_STATUS_MASK | convert(status, uint256) << 208


@internal
@view
def _read(id: bytes32) -> IDisputes.Dispute:
    state: uint256 = self._states[id]
    stake: uint256 = self._stakes[id]
    return IDisputes.Dispute(
        commitment=self._commitments[id],
        kind=convert(state >> 200 & 255, uint8),
        status=convert(state >> 208 & 255, uint8),
        place=convert(stake >> 128, uint32),
        manager=convert(stake >> 96 & _LOW_32, uint32),
        challenger=convert(state & _LOW_160, address),
        node=convert(state >> 216, uint32),
        until=convert(state >> 160 & _LOW_40, uint40),
        bond=stake & _LOW_96,
    )
