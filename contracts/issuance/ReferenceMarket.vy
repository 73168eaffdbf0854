# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title ReferenceMarket
@license AGPL-3.0-only
@author Inferix
@notice Sells IFX from its own inventory at a governed reference price, to anybody, while there is no pool. What is paid goes
        to the treasury. Any IFX sent here is inventory.
@custom:kill The governor takes the inventory back to the treasury; without it nothing is sold.
"""

from ethereum.ercs import IERC20

from ..interfaces import IIFX
from ..interfaces import IIfxDollar
from ..interfaces import IMarket
from ..modules import governed

implements: IMarket
initializes: governed


exports: governed.parameters


# A price moves by at most a fifth in an epoch.
MOVE: constant(uint256) = 5


_IFX: immutable(IIFX)
_IFX_DOLLAR: immutable(IIfxDollar)
treasury: public(immutable(address))


# nano-USD per IFX
price: public(uint256)
# The price at the start of the epoch in which it was last set
_base: uint256
_base_epoch: uint256


event InventoryWithdrawn:
    amount: uint256


@deploy
def __init__(parameters: address, ifx: address, ifx_dollar: address, treasury_: address, price_: uint256):
    """
    @param price_ nano-USD per IFX.
    """
    governed.__init__(parameters)
    assert empty(address) not in [ifx, ifx_dollar, treasury_], "ReferenceMarket: empty address"
    assert price_ != 0, "ReferenceMarket: no price"
    _IFX = IIFX(ifx)
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)
    treasury = treasury_
    self.price = price_
    log IMarket.PriceSet(price=price_)


@external
@nonreentrant
def buy(coin: address, amount: uint256, minimum: uint256) -> uint256:
    """
    @notice Sells IFX for a coin that IfxDollar takes, for what arrives at the treasury, to the caller. Anybody.
    @param amount Units of the coin, from the caller's allowance.
    @param minimum Wei; less is refused.
    @return Wei sold.
    """
    terms: IIfxDollar.Coin = staticcall _IFX_DOLLAR.coin(coin)
    assert terms.index != 0, "ReferenceMarket: no such coin"
    before: uint256 = staticcall IERC20(coin).balanceOf(treasury)
    assert extcall IERC20(coin).transferFrom(
        msg.sender, treasury, amount, default_return_value=True
    ), "ReferenceMarket: transfer failed"
    spent: uint256 = staticcall IERC20(coin).balanceOf(treasury) - before
    bought: uint256 = spent * 10**27 // (terms.scale * self.price)
    assert bought != 0 and bought >= minimum, "ReferenceMarket: less than the minimum"
    assert bought <= staticcall _IFX.balanceOf(self), "ReferenceMarket: not enough inventory"
    assert extcall _IFX.transfer(msg.sender, bought), "ReferenceMarket: transfer failed"
    log IMarket.Bought(buyer=msg.sender, coin=coin, spent=spent, bought=bought)
    return bought


@external
@view
def offer(buyer: address, coin: address) -> (uint256, uint256):
    """
    @notice Any amount, at the reference price; whether the inventory covers it shows in `buy`.
    """
    return max_value(uint256), self.price


@external
def set_price(price_: uint256):
    """
    @notice Sets the reference price, at most a fifth off what it was at the epoch's start. Governor only.
    @param price_ nano-USD per IFX.
    """
    governed._check_governor()
    epoch: uint256 = block.timestamp // governed._parameter(keccak256("epoch_length"))
    if epoch != self._base_epoch:
        self._base_epoch = epoch
        self._base = self.price
    base: uint256 = self._base
    assert price_ != 0, "ReferenceMarket: no price"
    assert (max(price_, base) - min(price_, base)) * MOVE <= base, "ReferenceMarket: moves more than a fifth"
    self.price = price_
    log IMarket.PriceSet(price=price_)


@external
def withdraw_inventory(amount: uint256):
    """
    @notice Takes IFX back to the treasury. Governor only.
    """
    governed._check_governor()
    assert extcall _IFX.transfer(treasury, amount), "ReferenceMarket: transfer failed"
    log InventoryWithdrawn(amount=amount)
