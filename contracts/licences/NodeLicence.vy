# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title NodeLicence
@license AGPL-3.0-only
@author Inferix
@notice ERC-721 licences to run a node. The id tells the role: 1.. workers, 100,001.. verifiers, 125,001.. managers.
        A locked licence moves a year after its mint at the earliest, and none moves while a node of it is at work or has
        stake left: what is bought carries no case of the seller's. Whether it is banned: NodeRegistry.is_licence_banned.
        What was paid for a licence is stored with it; 0 marks those given away. Only the sale can say that something was paid.
        The buyback takes licences before their year is over, as it pays for them.
@custom:kill The governor takes away minters, and closes the sale at NodeSale.
"""

from ethereum.ercs import IERC165
from ethereum.ercs import IERC721
from ..interfaces import INodeLicence
from ..interfaces import INodeRegistry
from ..modules import governed
from ..modules import holdings

implements: IERC165
implements: IERC721
implements: INodeLicence
initializes: governed
initializes: holdings


exports: (
    governed.parameters,
    governed.wired,
    holdings.balanceOf,
    holdings.ownerOf,
    holdings.approve,
    holdings.getApproved,
    holdings.setApprovalForAll,
    holdings.isApprovedForAll,
    holdings.tokenOfOwnerByIndex,
)


name: public(constant(String[20])) = "Inferix Node Licence"
symbol: public(constant(String[5])) = "IFXNL"
LOCK: public(constant(uint256)) = 365 * 86400
# Most that one purchase mints
MAX_COUNT: public(constant(uint256)) = 128

# Licences of role i and the id before its first; index 0 is no role
_CAPS: constant(uint256[4]) = [0, 100_000, 25_000, 2_500]
_OFFSETS: constant(uint256[4]) = [0, 0, 100_000, 125_000]
_LAST: constant(uint256) = 127_500
_LAST_ROLE: constant(uint8) = 3

_NANO_PER_CENT: constant(uint256) = 10**7
_MAX_CENTS: constant(uint256) = 2**24 - 1
_TIME: constant(uint256) = 2**40 - 1


base_uri: public(String[80])
registry: public(INodeRegistry)
sale: public(address)
buyback: public(address)

is_minter: public(HashMap[address, bool])
minted: public(HashMap[uint8, uint256])
burned: public(uint256)


@deploy
def __init__(parameters: address, base_uri: String[80]):
    """
    @notice Starts without licences and without minters; the governor names them.
    """
    governed.__init__(parameters)
    self.base_uri = base_uri


@external
def wire(registry: address, sale: address, buyback: address):
    """
    @notice Names the node registry, the sale and the buyback. The deployer, once.
    """
    governed._wire_once()
    assert empty(address) not in [registry, sale, buyback], "NodeLicence: empty address"
    self.registry = INodeRegistry(registry)
    self.sale = sale
    self.buyback = buyback


@external
def set_minter(minter: address, allowed: bool):
    """
    @notice Adds or removes a minter of licences that are given away. Governor only.
    """
    governed._check_governor()
    self.is_minter[minter] = allowed
    log INodeLicence.MinterSet(minter=minter, allowed=allowed)


@external
@nonreentrant
def mint(to: address, role: uint8, locked: bool = True) -> uint256:
    """
    @notice Mints the next licence of a role, marked as given away. Minters only.
    @param role 1 worker, 2 verifier, 3 manager.
    @param locked Not transferable for a year.
    @return The licence's id.
    """
    assert self.is_minter[msg.sender], "NodeLicence: not a minter"
    return self._mint(to, role, 1, 0, locked)


@external
@nonreentrant
def mint_sold(to: address, role: uint8, count: uint256, cents: uint256) -> uint256:
    """
    @notice Mints the next licences of a role, locked for a year. The sale only.
    @param count 1 to 128.
    @param cents Paid for each [USD cents]; not 0, which marks what is given away.
    @return Id of the first; the others follow it.
    """
    assert msg.sender == self.sale, "NodeLicence: not the sale"
    assert count != 0 and count <= MAX_COUNT, "NodeLicence: count"
    assert cents != 0 and cents <= _MAX_CENTS, "NodeLicence: price"
    return self._mint(to, role, count, cents, True)


@external
def burn(licence: uint256):
    """
    @notice Ends a licence that may move. No other takes its place. Its owner, or whoever is approved.
    """
    self._check_movable(licence)
    owner: address = holdings._owner_of(licence)
    holdings._remove(owner, licence)
    self.burned += 1
    log IERC721.Transfer(sender=owner, receiver=empty(address), token_id=licence)


@external
@payable
@nonreentrant
def transferFrom(owner: address, to: address, token_id: uint256):
    """
    @notice ERC-721, when the licence may move. Payable as the standard has it; value sent is refused.
    """
    assert msg.value == 0, "NodeLicence: takes no value"
    self._check_movable(token_id)
    holdings._move(owner, to, token_id)


@external
@payable
@nonreentrant
def safeTransferFrom(owner: address, to: address, token_id: uint256, data: Bytes[1_024] = b""):
    """
    @notice ERC-721, when the licence may move. Payable as the standard has it; value sent is refused.
    """
    assert msg.value == 0, "NodeLicence: takes no value"
    self._check_movable(token_id)
    holdings._move(owner, to, token_id)
    # A contract that does not expect licences would hold them for ever.
    if to.is_contract:
        holdings._notify(msg.sender, owner, to, token_id, data)


@external
@view
def role_of(licence: uint256) -> uint8:
    """
    @notice Role of an id, minted or not: 1 worker, 2 verifier, 3 manager, 0 none.
    """
    if licence == 0 or licence > _LAST:
        return 0
    if licence <= _OFFSETS[2]:
        return 1
    if licence <= _OFFSETS[3]:
        return 2
    return 3


@external
@view
def cap(role: uint8) -> uint256:
    """
    @notice Most licences of a role that are ever minted.
    """
    if role > _LAST_ROLE:
        return 0
    return _CAPS[role]


@external
@view
def transferable_at(licence: uint256) -> uint256:
    """
    @notice From when on it may move, unless in use [s]; 0 when there is no such licence.
    """
    return holdings._licences[licence] >> 160 & _TIME


@external
@view
def paid(licence: uint256) -> uint256:
    """
    @notice What was paid for it in the sale [nano-USD]; 0: given away, or none.
    """
    return (holdings._licences[licence] >> 200 & _MAX_CENTS) * _NANO_PER_CENT


@external
@view
def totalSupply() -> uint256:
    """
    @notice Licences that there are.
    """
    return self.minted[1] + self.minted[2] + self.minted[3] - self.burned


@external
@view
def tokenURI(token_id: uint256) -> String[158]:
    """
    @notice ERC-721 metadata: the base, then the id; empty without a base.
    """
    holdings._check_exists(token_id)
    if len(self.base_uri) == 0:
        return ""
    return concat(self.base_uri, uint2str(token_id))


@external
@view
def supportsInterface(interface_id: bytes4) -> bool:
    """
    @notice ERC-165, ERC-721 and its metadata.
    """
    return interface_id in [0x01ffc9a7, 0x80ac58cd, 0x5b5e139f]


@internal
def _mint(to: address, role: uint8, count: uint256, cents: uint256, locked: bool) -> uint256:
    assert to != empty(address), "NodeLicence: no receiver"
    assert role != 0 and role <= _LAST_ROLE, "NodeLicence: no such role"
    before: uint256 = self.minted[role]
    assert before + count <= _CAPS[role], "NodeLicence: all minted"
    self.minted[role] = before + count
    first: uint256 = _OFFSETS[role] + before + 1
    free_at: uint256 = block.timestamp
    if locked:
        free_at += LOCK
    holdings._add(to, first, count, cents << 200 | free_at << 160)
    for i: uint256 in range(count, bound=MAX_COUNT):
        log INodeLicence.LicenceMinted(
            licence=first + i, owner=to, role=role, transferable_at=free_at, paid=cents * _NANO_PER_CENT
        )
    if to.is_contract:
        for i: uint256 in range(count, bound=MAX_COUNT):
            holdings._notify(msg.sender, empty(address), to, first + i, b"")
    return first


@internal
@view
def _check_movable(licence: uint256):
    holdings._check_may_move(msg.sender, licence)
    # The buyback asks itself whether the licence's nodes have retired; it pays for what it takes.
    if msg.sender != self.buyback:
        assert block.timestamp >= holdings._licences[licence] >> 160 & _TIME, "NodeLicence: locked"
        assert not staticcall self.registry.in_use(licence), "NodeLicence: in use"
