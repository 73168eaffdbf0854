# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title dispute_book
@license AGPL-3.0-only
@author Inferix
@notice Disputes that wait for an answer, one word each, kept for ever under an id made of batch, kind and place: what was
        disputed once is not disputed again.
@custom:kill None: storage.
"""

from ..interfaces import IBatches
from ..interfaces import IDisputes
from ..interfaces import IEscape
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

# Bonds are stored in gwei
UNIT: constant(uint256) = 10**9
_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1
_LOW_160: constant(uint256) = 2**160 - 1


_REGISTRY: immutable(INodeRegistry)
_BATCHES: immutable(IBatches)


# id => while open: bond in gwei << 200 | until << 160 | challenger, or the node whose stake is the bond (no address is
# that small); afterwards its status alone
_words: HashMap[bytes32, uint256]


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
    """
    @dev Takes the bond, the caller's or the node's, and holds the batch up.
    """
    commitment: bytes32 = keccak256(abi_encode(header))
    id: bytes32 = self._id(commitment, kind, place)
    assert self._words[id] == 0, "Disputes: disputed before"
    challenger: address = bonds._bondholder(node)
    units: uint256 = (bonds._amount() + UNIT - 1) // UNIT
    assert units < 1 << 56, "Disputes: bond too large"
    until: uint256 = governed._clock() + governed._parameter(keccak256("answer_window"))
    party: uint256 = convert(node, uint256) if node != 0 else convert(challenger, uint256)
    self._words[id] = units << 200 | until << 160 | party
    # Reverts unless the batch is proposed and its window open.
    extcall _BATCHES.open_dispute(commitment)
    bonds._take(node, units * UNIT)
    log IDisputes.DisputeOpened(
        id=id,
        commitment=commitment,
        kind=kind,
        place=convert(place, uint32),
        challenger=challenger,
        node=node,
        bond=units * UNIT,
        until=convert(until, uint40),
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
    dispute: IDisputes.Dispute = self._read(id)
    assert dispute.status == OPEN, "Disputes: not open"
    assert governed._clock() <= convert(dispute.until, uint256), "Disputes: too late to answer"
    assert (staticcall _BATCHES.batch(commitment)).status == PROPOSED, "Disputes: batch not proposed"
    return id


@internal
def _close_answered(id: bytes32, header: IBatches.BatchHeader):
    """
    @dev The challenger loses its bond: half burned, half to whom the batch is from, whoever carried the answer.
    """
    dispute: IDisputes.Dispute = self._read(id)
    self._words[id] = convert(ANSWERED, uint256)
    extcall _BATCHES.close_dispute(keccak256(abi_encode(header)))
    bonds._forfeit(dispute.node, dispute.bond, self._proposer(header))
    log IDisputes.DisputeAnswered(id=id)


@internal
def _close_won(id: bytes32, commitment: bytes32, status: uint8) -> address:
    """
    @dev The bond goes back. Returns the challenger.
    """
    dispute: IDisputes.Dispute = self._read(id)
    self._words[id] = convert(status, uint256)
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


@internal
@view
def _read(id: bytes32) -> IDisputes.Dispute:
    word: uint256 = self._words[id]
    dispute: IDisputes.Dispute = empty(IDisputes.Dispute)
    if word >> 160 == 0:
        dispute.status = convert(word, uint8)
        return dispute
    dispute.status = OPEN
    dispute.until = convert(word >> 160 & _LOW_40, uint40)
    dispute.bond = (word >> 200) * UNIT
    party: uint256 = word & _LOW_160
    if party <= _LOW_32:
        dispute.node = convert(party, uint32)
        dispute.challenger = staticcall _REGISTRY.owner_of(dispute.node)
    else:
        dispute.challenger = convert(party, address)
    return dispute
