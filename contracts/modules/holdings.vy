# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title holdings
@license AGPL-3.0-only
@author Inferix
@notice ERC-721's books for licences, packed so that a mint writes one new word: owner, terms and place in the owner's list
        share one, and each owner's list, headed by its length, holds fourteen to fifteen ids a word. Ids are under 2**17. A part of NodeLicence,
        whose name its reasons bear; the rules of minting and moving are NodeLicence's.
@custom:kill None: books.
"""

from ethereum.ercs import IERC721


interface IERC721Receiver:
    def onERC721Received(operator: address, owner: address, licence: uint256, data: Bytes[1_024]) -> bytes4: nonpayable


# A licence's word: cell << 224 | paid << 200 | transferable_at << 160 | owner
_ADDRESS: constant(uint256) = 2**160 - 1
_TERMS: constant(uint256) = (2**64 - 1) << 160
_CELL_SHIFT: constant(uint256) = 224
# Cells of an owner's list: cell 0 is how many licences there are, cell n the id of the n-th
_CELLS: constant(uint256) = 15
_CELL_BITS: constant(uint256) = 17
_CELL: constant(uint256) = 2**17 - 1


isApprovedForAll: public(HashMap[address, HashMap[address, bool]])

_licences: HashMap[uint256, uint256]
_lists: HashMap[address, HashMap[uint256, uint256]]
_approved: HashMap[uint256, address]


@external
@payable
def approve(to: address, licence: uint256):
    """
    @notice ERC-721. Payable as the standard has it; value sent is refused.
    """
    assert msg.value == 0, "NodeLicence: takes no value"
    owner: address = self._owner_of(licence)
    assert msg.sender == owner or self.isApprovedForAll[owner][msg.sender], "NodeLicence: not the owner or operator"
    self._approved[licence] = to
    log IERC721.Approval(owner=owner, approved=to, token_id=licence)


@external
def setApprovalForAll(operator: address, approved: bool):
    """
    @notice ERC-721.
    """
    self.isApprovedForAll[msg.sender][operator] = approved
    log IERC721.ApprovalForAll(owner=msg.sender, operator=operator, approved=approved)


@external
@view
def balanceOf(owner: address) -> uint256:
    """
    @notice ERC-721.
    """
    assert owner != empty(address), "NodeLicence: no owner"
    return self._cell(owner, 0)


@external
@view
def ownerOf(licence: uint256) -> address:
    """
    @notice ERC-721; reverts when there is no such licence.
    """
    return self._owner_of(licence)


@external
@view
def getApproved(licence: uint256) -> address:
    """
    @notice ERC-721; reverts when there is no such licence.
    """
    self._check_exists(licence)
    return self._approved[licence]


@external
@view
def tokenOfOwnerByIndex(owner: address, index: uint256) -> uint256:
    """
    @notice The owner's licence of an index, from 0; the order changes when one leaves.
    """
    assert index < self._cell(owner, 0), "NodeLicence: no such index"
    return self._cell(owner, index + 1)


@internal
@view
def _owner_of(licence: uint256) -> address:
    owner: address = convert(convert(self._licences[licence] & _ADDRESS, uint160), address)
    assert owner != empty(address), "NodeLicence: no such licence"
    return owner


@internal
@view
def _check_exists(licence: uint256):
    assert self._licences[licence] != 0, "NodeLicence: no such licence"


@internal
@view
def _check_may_move(mover: address, licence: uint256):
    owner: address = self._owner_of(licence)
    if mover != owner and mover != self._approved[licence]:
        assert self.isApprovedForAll[owner][mover], "NodeLicence: not the owner or approved"


@internal
def _add(owner: address, first: uint256, count: uint256, terms: uint256):
    # `terms`: paid << 200 | transferable_at << 160. A word of the list is written when it is full, not for each licence.
    held: uint256 = self._cell(owner, 0)
    self._write_cell(owner, 0, held + count)
    entry: uint256 = terms | convert(owner, uint256)
    cell: uint256 = held + 1
    word: uint256 = self._lists[owner][cell // _CELLS]
    for i: uint256 in range(count, bound=128):
        licence: uint256 = first + i
        self._licences[licence] = cell << _CELL_SHIFT | entry
        word |= licence << _CELL_BITS * (cell % _CELLS)
        cell += 1
        if cell % _CELLS == 0:
            self._lists[owner][cell // _CELLS - 1] = word
            word = 0
        log IERC721.Transfer(sender=empty(address), receiver=owner, token_id=licence)
    if cell % _CELLS != 0:
        self._lists[owner][cell // _CELLS] = word


@internal
def _remove(owner: address, licence: uint256):
    # The last of the list takes the place of the one that leaves.
    assert self._owner_of(licence) == owner, "NodeLicence: not the owner's"
    cell: uint256 = self._licences[licence] >> _CELL_SHIFT
    held: uint256 = self._cell(owner, 0)
    if cell != held:
        last: uint256 = self._cell(owner, held)
        self._write_cell(owner, cell, last)
        self._licences[last] = self._licences[last] & (2**224 - 1) | cell << _CELL_SHIFT
    self._write_cell(owner, held, 0)
    self._write_cell(owner, 0, held - 1)
    self._licences[licence] = 0
    self._approved[licence] = empty(address)


@internal
def _move(owner: address, to: address, licence: uint256):
    assert to != empty(address), "NodeLicence: no receiver"
    terms: uint256 = self._licences[licence] & _TERMS
    self._remove(owner, licence)
    held: uint256 = self._cell(to, 0) + 1
    self._licences[licence] = held << _CELL_SHIFT | terms | convert(to, uint256)
    self._write_cell(to, held, licence)
    self._write_cell(to, 0, held)
    log IERC721.Transfer(sender=owner, receiver=to, token_id=licence)


@internal
def _notify(operator: address, owner: address, to: address, licence: uint256, data: Bytes[1_024]):
    answer: bytes4 = extcall IERC721Receiver(to).onERC721Received(operator, owner, licence, data)
    assert answer == method_id(
        "onERC721Received(address,address,uint256,bytes)", output_type=bytes4
    ), "NodeLicence: refused by the receiver"


@internal
@view
def _cell(owner: address, index: uint256) -> uint256:
    return self._lists[owner][index // _CELLS] >> _CELL_BITS * (index % _CELLS) & _CELL


@internal
def _write_cell(owner: address, index: uint256, number: uint256):
    offset: uint256 = _CELL_BITS * (index % _CELLS)
    word: uint256 = self._lists[owner][index // _CELLS]
    self._lists[owner][index // _CELLS] = word & ~(_CELL << offset) | number << offset
