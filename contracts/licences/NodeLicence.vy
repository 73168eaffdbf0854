# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
"""
@title NodeLicence
@license AGPL-3.0-only
@author Inferix
@notice ERC-721 licences to run a node. The id tells the role: 1.. workers, 100,001.. verifiers, 125,001.. managers.
        A locked licence moves a year after its mint at the earliest, and none moves while a node of it is at work or has
        stake left: what is bought carries no case of the seller's. Whether it is banned: NodeRegistry.is_licence_banned.
@custom:kill The governor takes away minters.
"""

from ethereum.ercs import IERC721
from snekmate.auth import ownable
from snekmate.tokens import erc721
from ..interfaces import INodeLicence
from ..interfaces import INodeRegistry
from ..modules import governed

implements: IERC721
implements: INodeLicence
initializes: ownable
initializes: erc721[ownable := ownable]
initializes: governed


# Not exported: the base's transfers, mint, burn and ownership, which the own ones replace; ownership is renounced.
exports: (
    governed.parameters,
    governed.wired,
    erc721.supportsInterface,
    erc721.name,
    erc721.symbol,
    erc721.tokenURI,
    erc721.balanceOf,
    erc721.ownerOf,
    erc721.approve,
    erc721.getApproved,
    erc721.setApprovalForAll,
    erc721.isApprovedForAll,
    erc721.permit,
    erc721.nonces,
    erc721.DOMAIN_SEPARATOR,
    erc721.eip712Domain,
    erc721.totalSupply,
    erc721.tokenByIndex,
    erc721.tokenOfOwnerByIndex,
    erc721.is_minter,
)


LOCK: public(constant(uint256)) = 365 * 86400

# Licences of role i and the id before its first; index 0 is no role
_CAPS: constant(uint256[4]) = [0, 100_000, 25_000, 2_500]
_OFFSETS: constant(uint256[4]) = [0, 0, 100_000, 125_000]
_LAST: constant(uint256) = 127_500


registry: public(INodeRegistry)
transferable_at: public(HashMap[uint256, uint256])
minted: public(HashMap[uint8, uint256])


@deploy
def __init__(parameters: address, base_uri: String[80]):
    """
    @notice Starts without licences and without minters; the governor names them.
    """
    governed.__init__(parameters)
    ownable.__init__()
    erc721.__init__("Inferix Node Licence", "IFXNL", base_uri, "Inferix Node Licence", "1")
    erc721.is_minter[msg.sender] = False
    ownable._transfer_ownership(empty(address))


@external
def wire(registry: address):
    """
    @notice Names the node registry. The deployer, once.
    """
    governed._wire_once()
    self.registry = INodeRegistry(registry)


@external
def set_minter(minter: address, allowed: bool):
    """
    @notice Adds or removes a minter. Governor only.
    """
    governed._check_governor()
    erc721.is_minter[minter] = allowed
    log INodeLicence.MinterSet(minter=minter, allowed=allowed)


@external
def mint(to: address, role: uint8, locked: bool = True) -> uint256:
    """
    @notice Mints the next licence of a role. Minters only.
    @param role 1 worker, 2 verifier, 3 manager.
    @param locked Not transferable for a year.
    @return The licence's id.
    """
    assert erc721.is_minter[msg.sender], "NodeLicence: not a minter"
    assert role != 0 and role <= 3, "NodeLicence: no such role"
    number: uint256 = self.minted[role] + 1
    assert number <= _CAPS[role], "NodeLicence: all minted"
    self.minted[role] = number
    licence: uint256 = _OFFSETS[role] + number
    free_at: uint256 = block.timestamp
    if locked:
        free_at += LOCK
    self.transferable_at[licence] = free_at
    log INodeLicence.LicenceMinted(licence=licence, owner=to, role=role, transferable_at=free_at)
    erc721._safe_mint(to, licence, b"")
    return licence


@external
@payable
def transferFrom(owner: address, to: address, token_id: uint256):
    """
    @notice ERC-721, when the licence may move. Payable as the standard has it; value sent is refused.
    """
    self._check_movable(token_id)
    erc721._transfer(owner, to, token_id)


@external
@payable
def safeTransferFrom(owner: address, to: address, token_id: uint256, data: Bytes[1_024] = b""):
    """
    @notice ERC-721, when the licence may move. Payable as the standard has it; value sent is refused.
    """
    self._check_movable(token_id)
    erc721._safe_transfer(owner, to, token_id, data)


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


@internal
@payable
def _check_movable(licence: uint256):
    assert msg.value == 0, "NodeLicence: takes no value"
    assert erc721._is_approved_or_owner(msg.sender, licence), "NodeLicence: not the owner or approved"
    assert block.timestamp >= self.transferable_at[licence], "NodeLicence: locked"
    assert not staticcall self.registry.in_use(licence), "NodeLicence: in use"
