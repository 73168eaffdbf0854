# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Stingy
@notice Test only: a market that gives less than its price says, does not look at the minimum,
        and may leave some of what it is paid.
"""

from ethereum.ercs import IERC20

ifx: IERC20
price: public(uint256)
off_bps: uint256
left: uint256


@deploy
def __init__(ifx: address, price_: uint256, off_bps: uint256):
    self.ifx = IERC20(ifx)
    self.price = price_
    self.off_bps = off_bps


@external
def leave(units: uint256):
    self.left = units


@external
@view
def offer(buyer: address, coin: address) -> (uint256, uint256):
    return max_value(uint256), self.price


@external
def buy(coin: address, amount: uint256, minimum: uint256) -> uint256:
    # A coin of 6 decimals.
    extcall IERC20(coin).transferFrom(msg.sender, self, amount - self.left)
    bought: uint256 = amount * 10**21 // self.price * (10_000 - self.off_bps) // 10_000
    extcall self.ifx.transfer(msg.sender, bought)
    return bought
