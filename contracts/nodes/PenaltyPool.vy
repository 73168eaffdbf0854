# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title PenaltyPool
@license AGPL-3.0-only
@author Inferix
@notice Holds the pooled half of what is slashed, the dust of rewards and what bans forfeit, for verifiers.
@custom:kill None: only Accounts can move the money, and only forward.
"""

from ..interfaces import IIFX
from ..interfaces import IPenaltyPool
from ..modules import governed

implements: IPenaltyPool
initializes: governed


exports: (governed.parameters, governed.wired)


IFX: immutable(IIFX)


accounts: public(address)
paid: public(uint256)


@deploy
def __init__(parameters: address, ifx: address):
    """
    @notice Starts empty.
    """
    governed.__init__(parameters)
    IFX = IIFX(ifx)


@external
def wire(accounts: address):
    """
    @notice Names who pays out. The deployer, once.
    """
    governed._wire_once()
    self.accounts = accounts


@external
def pay(to: address, amount: uint256):
    """
    @notice Pays IFX [wei]. Accounts only.
    """
    assert msg.sender == self.accounts, "PenaltyPool: not Accounts"
    self.paid += amount
    assert extcall IFX.transfer(to, amount), "PenaltyPool: transfer failed"
    log IPenaltyPool.PenaltyPaid(to=to, amount=amount)


@external
@view
def received() -> uint256:
    """
    @notice Cumulative IFX received [wei]: plain transfers count, so that every source does.
    """
    return staticcall IFX.balanceOf(self) + self.paid
