# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title PenaltyPool
@license AGPL-3.0-only
@author Inferix
@notice Holds the pooled half of what is slashed, the dust of rewards and what bans forfeit, for verifiers. At the close of an
        epoch with work all of it goes to Accounts, whose root shares it by verification work: what was slashed in a case
        never to that task's committee or panel (inferix/replay/accounting.py).
@custom:kill None: only the close of an epoch moves the money, and only to Accounts.
"""

from ..interfaces import IIFX
from ..interfaces import IPenaltyPool
from ..modules import governed

implements: IPenaltyPool
initializes: governed


exports: (governed.parameters, governed.wired)


IFX: immutable(IIFX)


burn_mint_work: public(address)
accounts: public(address)
# Wei that went to Accounts so far
paid: public(uint256)


@deploy
def __init__(parameters: address, ifx: address):
    """
    @notice Starts empty.
    """
    governed.__init__(parameters)
    assert ifx != empty(address), "PenaltyPool: no IFX"
    IFX = IIFX(ifx)


@external
def wire(burn_mint_work: address, accounts: address):
    """
    @notice Names who closes epochs and who pays verifiers. The deployer, once.
    """
    governed._wire_once()
    assert empty(address) not in [burn_mint_work, accounts], "PenaltyPool: empty address"
    self.burn_mint_work = burn_mint_work
    self.accounts = accounts


@external
def release() -> uint256:
    """
    @notice Hands all it holds to Accounts. BurnMintWork only.
    @return Wei handed over.
    """
    assert msg.sender == self.burn_mint_work, "PenaltyPool: not BurnMintWork"
    amount: uint256 = staticcall IFX.balanceOf(self)
    if amount == 0:
        return 0
    self.paid += amount
    assert extcall IFX.transfer(self.accounts, amount), "PenaltyPool: transfer failed"
    log IPenaltyPool.PenaltyReleased(amount=amount)
    return amount


@external
@view
def received() -> uint256:
    """
    @notice Cumulative IFX received [wei]: plain transfers count, so that every source does.
    """
    return staticcall IFX.balanceOf(self) + self.paid
