# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
"""
@title DevUSD
@license AGPL-3.0-only
@author Inferix
@notice A stablecoin for development networks: 6 decimals, permit, minted at will by its owner's minters. Worth nothing.
@custom:kill The owner takes away minters.
"""

from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.tokens import erc20

implements: IERC20
initializes: ownable
initializes: erc20[ownable := ownable]


exports: erc20.__interface__


@deploy
def __init__():
    """
    @notice The deployer is owner and first minter.
    """
    ownable.__init__()
    erc20.__init__("Development US Dollar", "dUSD", 6, "DevUSD", "1")
