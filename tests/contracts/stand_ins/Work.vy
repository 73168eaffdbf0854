# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title Work
@notice Test only: final charges and an accounts root that a test sets at will.
"""


final_charge: public(HashMap[uint8, uint256])
cut_off: public(uint256)
spent: public(HashMap[uint32, uint96])
reserved: public(HashMap[uint32, uint96])


@external
def set_final_charge(coin: uint8, charge: uint256):
    self.final_charge[coin] = charge


@external
def set_root(cut_off: uint256):
    self.cut_off = cut_off


@external
def set_leaf(account: uint32, spent: uint96, reserved: uint96):
    self.spent[account] = spent
    self.reserved[account] = reserved


@external
@view
def verify_account(account: uint32, spent: uint96, reserved: uint96, proof: DynArray[bytes32, 64]) -> bool:
    return spent == self.spent[account] and reserved == self.reserved[account]
