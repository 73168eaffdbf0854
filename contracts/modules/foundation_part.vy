# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title foundation_part
@license AGPL-3.0-only
@author Inferix
@notice What is the foundation's of the coins that a contract divides. It stays here until anybody has it paid: sent at once,
        a coin whose issuer refuses the foundation's address would stop everybody who is paid beside it.
@custom:kill None.
"""

from . import payments


foundation: public(immutable(address))


# coin => units not yet paid
foundation_due: public(HashMap[address, uint256])


event FoundationPaid:
    coin: indexed(address)
    amount: uint256


@deploy
def __init__(foundation_: address):
    foundation = foundation_


@external
@nonreentrant
def pay_foundation(coin: address) -> uint256:
    """
    @notice Pays the foundation what was kept for it in a coin. Anybody.
    @return Units of the coin paid.
    """
    amount: uint256 = self.foundation_due[coin]
    assert amount != 0, "foundation_part: nothing due"
    self.foundation_due[coin] = 0
    payments._pay(coin, foundation, amount)
    log FoundationPaid(coin=coin, amount=amount)
    return amount


@internal
def _keep(coin: address, units: uint256):
    """
    @dev Units that have arrived here.
    """
    self.foundation_due[coin] += units
