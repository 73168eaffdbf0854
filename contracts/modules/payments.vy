# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title payments
@license AGPL-3.0-only
@author Inferix
@notice Coins paid out by a contract that holds many owners' money in one place: whatever the coin's habits, no more leaves than
        is sent. A coin that begins to take its fee from the sender would be paid out of what is others'.
@custom:kill None: paying out never stops.
"""

from ethereum.ercs import IERC20


@internal
def _pay(coin: address, to: address, units: uint256):
    """
    @dev Sends `units` of a coin; reverts where the coin refuses, or takes more. Nothing is not sent: some coins refuse that.
    """
    if units == 0:
        return
    before: uint256 = staticcall IERC20(coin).balanceOf(self)
    assert extcall IERC20(coin).transfer(to, units, default_return_value=True), "payments: transfer failed"
    assert staticcall IERC20(coin).balanceOf(self) + units >= before, "payments: the coin took more"
