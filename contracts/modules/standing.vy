# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title standing
@license AGPL-3.0-only
@author Inferix
@notice What a node may do now: its terms in one word, its owner and operator, statuses and bans. A part of NodeRegistry, whose
        name its reasons bear.
        A ban binds the owner, and the licence while it is still that owner's: nobody comes back under the same money or buys a
        banned licence. A key binds its node for ever anyway. It does not reach what others can name or own: an operator is
        any address that its node's owner likes, and a licence may have been sold since.
@custom:kill Statuses end by the courts or the governor.
"""

from ..interfaces import IBuyback
from ..interfaces import INodeLicence
from ..interfaces import INodeRegistry
from . import courts
from . import governed

uses: courts
uses: governed


interface Escrow:
    def buyback() -> address: view


ACTIVE: constant(uint8) = 1
FROZEN: constant(uint8) = 2
BANNED: constant(uint8) = 4
RETIRED: constant(uint8) = 5

# How long stake answers for what its owner asked before it asked less: as long as an order that was posted then can still
# be charged, 30 days and 72 hours, and a batch's window, which may be governed up to 7 days; days of block time. The 30
# are that too, the rest is on the protocol's clock, so a pause in it adds its 7, and no other comes within 30 after it.
# One more, since the day that has begun counts as a whole one.
_ANSWERS_FOR: constant(uint256) = 48
_DAY: constant(uint256) = 86_400

# Terms of a node, one word: dearest_until [days, enough until 2149] << 240 | dearest << 176 | licence << 144 | price << 80
#                            | ib << 48 | retired << 16 | status << 8 | role
_RETIRED_BIT: constant(uint256) = 1 << 16
_STATUS_MASK: constant(uint256) = 255 << 8
_IB_MASK: constant(uint256) = (2**32 - 1) << 48
_PRICE_MASK: constant(uint256) = (2**64 - 1) << 80
_BELOW_DEAREST: constant(uint256) = 2**176 - 1
_BYTE: constant(uint256) = 255
_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1
_LOW_64: constant(uint256) = 2**64 - 1


licences: public(INodeLicence)

is_banned: public(HashMap[address, bool])
is_licence_banned: public(HashMap[uint256, bool])

_terms: HashMap[uint32, uint256]
_owners: HashMap[uint32, address]
_operators: HashMap[uint32, address]


@external
def set_status(node: uint32, status: uint8):
    """
    @notice Moves a node between active, frozen, jailed and banned; one that retired returns to retired, not to active.
            A court or the governor. Courts may freeze, end a freeze, and worsen: a jail or a ban ends by the
            governor alone, and a court's milder status leaves it as it is, so that closing a case never fails on it.
    """
    old: uint8 = self._stored_status(node)
    if not courts.is_court[msg.sender]:
        governed._check_governor()
    elif old > FROZEN and status < old:
        return
    assert self._owners[node] != empty(address), "NodeRegistry: no such node"
    assert status >= ACTIVE and status <= BANNED, "NodeRegistry: no such status"
    if old == BANNED or status == BANNED:
        self._mark_banned(node, status == BANNED)
    self._write_status(node, status)


@external
def apply_ban(node: uint32):
    """
    @notice Bans a node whose owner is banned through another node. Anybody.
    """
    assert self._stored_status(node) != BANNED, "NodeRegistry: banned already"
    assert self.is_banned[self._owners[node]], "NodeRegistry: not banned"
    self._write_status(node, BANNED)


@external
@view
def terms(id: uint32) -> INodeRegistry.Terms:
    """
    @notice Role, status, speed and price.
    """
    terms: uint256 = self._terms[id]
    return INodeRegistry.Terms(
        role=convert(terms & _BYTE, uint8),
        status=self._status(id),
        ib=convert(terms >> 48 & _LOW_32, uint32),
        price=convert(terms >> 80 & _LOW_64, uint64),
    )


@external
@view
def dearest(id: uint32) -> uint256:
    """
    @notice What a minute of the node's work was worth [nano-USD] before its price or speed changed, the most that it could
            work for, until 48 days after the last change; 0 where there was none.
    """
    return self._dearest(self._terms[id])


@external
@view
def owner_of(id: uint32) -> address:
    """
    @notice Owner of a node.
    """
    return self._owners[id]


@external
@view
def operator_of(id: uint32) -> address:
    """
    @notice Present operator of a node.
    """
    return self._operators[id]


@internal
@view
def _dearest(terms: uint256) -> uint256:
    return terms >> 176 & _LOW_64 if block.timestamp // _DAY < terms >> 240 else 0


@internal
@view
def _minute(terms: uint256) -> uint256:
    # nano-USD that a worker asks for a minute of work; stake counts no price under the default.
    price: uint256 = max(terms >> 80 & _LOW_64, governed._parameter(keccak256("price_default")))
    return (terms >> 48 & _LOW_32) * price // 10**6


@internal
@view
def _stored_status(node: uint32) -> uint8:
    return convert(self._terms[node] >> 8 & _BYTE, uint8)


@internal
@view
def _status(node: uint32) -> uint8:
    # Retiring hides behind a freeze, a jail or a ban until that is over.
    terms: uint256 = self._terms[node]
    status: uint8 = convert(terms >> 8 & _BYTE, uint8)
    if status == ACTIVE and terms & _RETIRED_BIT != 0:
        return RETIRED
    return status


@internal
def _write_status(node: uint32, status: uint8):
    self._terms[node] = self._terms[node] & ~_STATUS_MASK | convert(status, uint256) << 8
    log INodeRegistry.StatusChanged(node=node, status=self._status(node))


@internal
def _mark_banned(node: uint32, banned: bool):
    owner: address = self._owners[node]
    licence: uint256 = self._terms[node] >> 144 & _LOW_32
    self.is_banned[owner] = banned
    if not banned or self._is_still_of(owner, licence):
        self.is_licence_banned[licence] = banned


@internal
@view
def _is_still_of(owner: address, licence: uint256) -> bool:
    # The owner's, or offered to the buyback by it, which would give it back. One that was burned is nobody's.
    if staticcall self.licences.transferable_at(licence) == 0:
        return False
    holder: address = staticcall self.licences.ownerOf(licence)
    buyback: address = staticcall Escrow(self.licences.address).buyback()
    if holder == buyback:
        return (staticcall IBuyback(buyback).offered(licence)).owner == owner
    return holder == owner
