# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title dispute_words
@license AGPL-3.0-only
@author Inferix
@notice Disputes that wait for an answer, one word each, kept for ever: what was disputed once is not disputed again. Whoever
        uses it makes the ids, takes the bond and says what the dispute holds up.
@custom:kill None: storage.
"""

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

# Bonds are stored in gwei
UNIT: constant(uint256) = 10**9
_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1
_LOW_160: constant(uint256) = 2**160 - 1


_REGISTRY: immutable(INodeRegistry)


# id => while open: bond in gwei << 200 | until << 160 | challenger, or the node whose stake is the bond (no address is
# that small); afterwards its status alone
_words: HashMap[bytes32, uint256]


@deploy
def __init__(registry: address):
    _REGISTRY = INodeRegistry(registry)


@external
@view
def dispute(id: bytes32) -> IDisputes.Dispute:
    """
    @notice A dispute; status 0 when there is none.
    """
    return self._read(id)


@internal
def _begin(id: bytes32, node: uint32) -> IDisputes.Dispute:
    """
    @dev A new dispute, open until the answer's window is over. The caller takes its bond.
    """
    assert self._words[id] == 0, "Disputes: disputed before"
    challenger: address = bonds._bondholder(node)
    units: uint256 = (bonds._amount() + UNIT - 1) // UNIT
    assert units < 1 << 56, "Disputes: bond too large"
    until: uint256 = governed._clock() + governed._parameter(keccak256("answer_window"))
    party: uint256 = convert(node, uint256) if node != 0 else convert(challenger, uint256)
    self._words[id] = units << 200 | until << 160 | party
    return IDisputes.Dispute(
        status=OPEN, challenger=challenger, node=node, until=convert(until, uint40), bond=units * UNIT
    )


@internal
def _end(id: bytes32, status: uint8) -> IDisputes.Dispute:
    """
    @dev Ends a dispute; returns it as it was. What becomes of its bond is the caller's to do.
    """
    dispute: IDisputes.Dispute = self._read(id)
    self._words[id] = convert(status, uint256)
    return dispute


@internal
@view
def _check_in_time(id: bytes32):
    """
    @dev It may be answered now.
    """
    dispute: IDisputes.Dispute = self._read(id)
    assert dispute.status == OPEN, "Disputes: not open"
    assert governed._clock() <= convert(dispute.until, uint256), "Disputes: too late to answer"


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
