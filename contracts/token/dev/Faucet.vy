# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
"""
@title Faucet
@license AGPL-3.0-only
@author Inferix
@notice Gives out what one needs to try a development network: DevUSD, IFX from its own balance, licences. Never deployed
        where any of these is worth something.
@custom:kill Its rights to mint are taken away at DevUSD and NodeLicence.
"""

from ...interfaces import IIFX
from ...interfaces import INodeLicence


interface IMintable:
    def mint(owner: address, amount: uint256): nonpayable


event Dripped:
    to: indexed(address)
    usd: uint256
    ifx: uint256


INTERVAL: public(constant(uint256)) = 3600


USD: public(immutable(address))
IFX: public(immutable(address))
LICENCE: public(immutable(address))
USD_AMOUNT: public(immutable(uint256))
IFX_AMOUNT: public(immutable(uint256))


dripped_at: public(HashMap[address, uint256])
licence_of: public(HashMap[address, HashMap[uint8, uint256]])


@deploy
def __init__(usd: address, ifx: address, licence: address, usd_amount: uint256, ifx_amount: uint256):
    """
    @notice Gives `usd_amount` units of DevUSD and up to `ifx_amount` wei of IFX at a time.
    """
    USD = usd
    IFX = ifx
    LICENCE = licence
    USD_AMOUNT = usd_amount
    IFX_AMOUNT = ifx_amount


@external
def drip(to: address):
    """
    @notice Gives DevUSD and IFX to an address, once an hour. Anybody.
    """
    last: uint256 = self.dripped_at[to]
    assert last == 0 or block.timestamp >= last + INTERVAL, "Faucet: once an hour"
    self.dripped_at[to] = block.timestamp
    ifx: uint256 = min(IFX_AMOUNT, staticcall IIFX(IFX).balanceOf(self))
    extcall IMintable(USD).mint(to, USD_AMOUNT)
    assert extcall IIFX(IFX).transfer(to, ifx), "Faucet: transfer failed"
    log Dripped(to=to, usd=USD_AMOUNT, ifx=ifx)


@external
def claim_licence(role: uint8) -> uint256:
    """
    @notice Mints a licence to the caller, one of each role (1 worker, 2 verifier, 3 manager).
    @return The licence's id.
    """
    assert self.licence_of[msg.sender][role] == 0, "Faucet: one licence of a role"
    # Booked before the mint: a receiving contract could call again from its hook.
    self.licence_of[msg.sender][role] = max_value(uint256)
    licence: uint256 = extcall INodeLicence(LICENCE).mint(msg.sender, role)
    self.licence_of[msg.sender][role] = licence
    return licence
