# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
"""
@title DevNative
@license AGPL-3.0-only
@author Inferix
@notice Wrapped native for development networks, which have none: whoever sends native coin gets as much of this ERC-20, and back.
@custom:kill None: what is wrapped can always be unwrapped.
"""

from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.tokens import erc20

implements: IERC20
initializes: ownable
initializes: erc20[ownable := ownable]


# Not exported: the base's mint, burn and ownership; ownership is renounced.
exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
)


@deploy
def __init__():
    """
    @notice Starts empty.
    """
    ownable.__init__()
    erc20.__init__("Dev Wrapped Native", "dWN", 18, "DevNative", "1")
    erc20.is_minter[msg.sender] = False
    ownable._transfer_ownership(empty(address))


@external
@payable
def deposit():
    """
    @notice Wraps what is sent.
    """
    erc20._mint(msg.sender, msg.value)


@external
def withdraw(amount: uint256):
    """
    @notice Unwraps [wei].
    """
    erc20._burn(msg.sender, amount)
    send(msg.sender, amount, gas=msg.gas)


@external
@payable
def __default__():
    """
    @notice Wraps what is sent.
    """
    erc20._mint(msg.sender, msg.value)
