# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
"""
@title VestingWallet
@license AGPL-3.0-only
@author Inferix
@notice The code behind the wallets of vesting schedules: Vesting makes a minimal proxy (ERC-1167) to it for each. A wallet
        holds one schedule's IFX and delegates its votes in IFX itself. It stores nothing: whose it is, Vesting knows.
@custom:kill None: pays what Vesting says, for ever.
"""

from ..interfaces import IIFX
from ..interfaces import IVestingWallet

implements: IVestingWallet


# Immutables are part of the code, so every proxy has them too.
_IFX: immutable(IIFX)
_VESTING: immutable(address)


@deploy
def __init__(ifx: address, vesting: address):
    """
    @notice The code for wallets of this Vesting.
    """
    assert empty(address) not in [ifx, vesting], "VestingWallet: empty address"
    _IFX = IIFX(ifx)
    _VESTING = vesting


@external
def delegate(delegatee: address):
    """
    @notice Lets `delegatee` vote with what is held here; the zero address: nobody. Vesting only.
    """
    assert msg.sender == _VESTING, "VestingWallet: not Vesting"
    extcall _IFX.delegate(delegatee)


@external
def pay(to: address, amount: uint256):
    """
    @notice Pays IFX [wei]. Vesting only.
    """
    assert msg.sender == _VESTING, "VestingWallet: not Vesting"
    assert extcall _IFX.transfer(to, amount), "VestingWallet: transfer failed"
