# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title bonds
@license AGPL-3.0-only
@author Inferix
@notice Money behind an objection: the challenger's bond, in IFX or out of a node's stake, and the price of losing. Half of
        what the loser pays is burned, half goes to the winner: whoever is on both sides loses half.
@custom:kill None: a bond that is due is never held back.
"""

from ..interfaces import IIFX
from ..interfaces import IMarket
from ..interfaces import INodeRegistry
from ..interfaces import IStaking
from . import governed

uses: governed


interface MarketOwner:
    def market() -> address: view


BPS: constant(uint256) = 10_000
# Of what a loser pays, the winner's part: as much as is burned
WINNER_BPS: constant(uint256) = 5_000


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)
_IFX: immutable(IIFX)


@deploy
def __init__(registry: address, staking: address, ifx: address):
    assert registry != empty(address), "bonds: no registry"
    assert staking != empty(address), "bonds: no staking"
    assert ifx != empty(address), "bonds: no IFX"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)
    _IFX = IIFX(ifx)


@internal
@view
def _amount() -> uint256:
    """
    @dev The dispute bond at the present price of IFX [wei, rounded up].
    """
    return self._in_ifx(governed._parameter(keccak256("dispute_bond")))


@internal
@view
def _in_ifx(amount: uint256) -> uint256:
    """
    @dev `amount` [nano-USD] at the present price of IFX [wei, rounded up]. The market is the one that prices stakes.
    """
    price: uint256 = staticcall IMarket(staticcall MarketOwner(_STAKING.address).market()).price()
    return (amount * 10**18 + price - 1) // price


@internal
@view
def _bondholder(node: uint32) -> address:
    """
    @dev Who posts and gets what is won: the caller, or the owner of the node whose stake is the bond. A node's bond is
         posted by its owner or its present operator.
    """
    if node == 0:
        return msg.sender
    owner: address = staticcall _REGISTRY.owner_of(node)
    if msg.sender != owner:
        assert msg.sender == staticcall _REGISTRY.operator_of(node), "bonds: not the node's owner or operator"
    return owner


@internal
def _take(node: uint32, amount: uint256):
    """
    @dev Takes the bond: IFX of the caller, or stake of the node, frozen.
    """
    if node == 0:
        assert extcall _IFX.transferFrom(msg.sender, self, amount), "bonds: transfer failed"
    else:
        assert extcall _STAKING.freeze(node, amount) == amount, "bonds: stake too small for the bond"


@internal
def _give_back(holder: address, node: uint32, amount: uint256):
    """
    @dev The bond goes back to where it came from.
    """
    if node == 0:
        assert extcall _IFX.transfer(holder, amount), "bonds: transfer failed"
    else:
        extcall _STAKING.unfreeze(node, amount)


@internal
def _forfeit(node: uint32, amount: uint256, winner: address):
    """
    @dev The bond is lost: half burned, half to the winner.
    """
    if node == 0:
        reward: uint256 = amount // 2
        extcall _IFX.burn(amount - reward)
        assert extcall _IFX.transfer(winner, reward), "bonds: transfer failed"
    else:
        extcall _STAKING.unfreeze(node, amount)
        extcall _STAKING.slash(node, amount, WINNER_BPS, winner)


@internal
def _slash(node: uint32, fine: uint256, reporter: address) -> uint256:
    """
    @dev What a liar pays from its stake: a dispute bond, half of it to the reporter, and `fine` [wei], none of it.
         Half of all is burned, the rest goes to the penalty pool. Returns wei taken.
    """
    bond: uint256 = self._amount()
    return extcall _STAKING.slash(node, bond + fine, WINNER_BPS * bond // (bond + fine), reporter)
