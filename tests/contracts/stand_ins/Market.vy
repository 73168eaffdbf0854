# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Market
@notice Test only: a market whose price a test sets at will.
"""


price: public(uint256)


@deploy
def __init__(price_: uint256):
    self.price = price_


@external
def set_price(price_: uint256):
    self.price = price_
