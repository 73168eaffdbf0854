# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
"""
@title CommunityFund
@license AGPL-3.0-only
@author Inferix
@notice Holds the community's IFX, which does not vote while it lies here. The governor grants, and opens airdrops: what one promises is
        set aside at once, so every listed account can be paid whatever is granted later. After its deadline anybody sweeps
        what is left back into the fund.
@custom:kill None for an open airdrop: it pays until its deadline.
"""

from ..interfaces import ICommunityFund
from ..interfaces import IIFX
from ..modules import governed
from ..modules import merkle_proof

implements: ICommunityFund
initializes: governed


exports: (governed.parameters, governed.wired)


MIN_TERM: public(constant(uint256)) = 7 * 86400
MAX_TERM: public(constant(uint256)) = 365 * 86400


ifx: public(IIFX)

airdrop_count: public(uint256)
# Wei that open airdrops hold
reserved: public(uint256)
_airdrops: HashMap[uint256, ICommunityFund.Airdrop]
is_claimed: public(HashMap[uint256, HashMap[address, bool]])


@deploy
def __init__(parameters: address):
    """
    @notice Any IFX sent here is the fund's.
    """
    governed.__init__(parameters)


@external
def wire(ifx: address):
    """
    @notice Names the token, which mints to this contract. The deployer, once.
    """
    governed._wire_once()
    assert ifx != empty(address), "CommunityFund: no token"
    self.ifx = IIFX(ifx)


@external
def grant(to: address, amount: uint256):
    """
    @notice Pays what no airdrop holds [wei]. Governor only.
    """
    governed._check_governor()
    assert amount <= self._available(), "CommunityFund: over what is available"
    assert extcall self.ifx.transfer(to, amount), "CommunityFund: transfer failed"
    log ICommunityFund.Granted(to=to, amount=amount)


@external
def open_airdrop(root: bytes32, data: bytes32, amount: uint256, until: uint256) -> uint256:
    """
    @notice Sets `amount` wei aside for the accounts of a list. Governor only.
    @param root Of OpenZeppelin's StandardMerkleTree over (address account, uint256 wei); an account stands in it once.
    @param data Digest of the document that holds the list.
    @param until Claims are paid before this second: 7 to 365 days from now.
    @return The airdrop's id, from 1.
    """
    governed._check_governor()
    assert root != empty(bytes32), "CommunityFund: no root"
    assert amount != 0 and amount <= self._available(), "CommunityFund: over what is available"
    assert until >= block.timestamp + MIN_TERM and until <= block.timestamp + MAX_TERM, "CommunityFund: deadline"
    id: uint256 = self.airdrop_count + 1
    self.airdrop_count = id
    self.reserved += amount
    self._airdrops[id] = ICommunityFund.Airdrop(root=root, data=data, left=amount, until=until)
    log ICommunityFund.AirdropOpened(airdrop=id, root=root, data=data, amount=amount, until=until)
    return id


@external
def claim(airdrop: uint256, account: address, amount: uint256, proof: DynArray[bytes32, 32]):
    """
    @notice Pays a listed account its `amount` wei, once. Anybody.
    """
    drop: ICommunityFund.Airdrop = self._airdrops[airdrop]
    assert block.timestamp < drop.until, "CommunityFund: airdrop over"
    assert not self.is_claimed[airdrop][account], "CommunityFund: claimed before"
    assert merkle_proof._holds(drop.root, keccak256(abi_encode(account, amount)), proof), "CommunityFund: not listed"
    # A list that adds up to more than was set aside pays in the order of the claims, and never out of another's money.
    assert amount <= drop.left, "CommunityFund: airdrop used up"
    self.is_claimed[airdrop][account] = True
    self._airdrops[airdrop].left = drop.left - amount
    self.reserved -= amount
    assert extcall self.ifx.transfer(account, amount), "CommunityFund: transfer failed"
    log ICommunityFund.AirdropClaimed(airdrop=airdrop, account=account, amount=amount)


@external
def sweep(airdrop: uint256) -> uint256:
    """
    @notice Makes what nobody claimed in time the fund's again. Anybody.
    @return Wei that came back.
    """
    drop: ICommunityFund.Airdrop = self._airdrops[airdrop]
    assert block.timestamp >= drop.until, "CommunityFund: airdrop open"
    assert drop.left != 0, "CommunityFund: nothing left"
    self._airdrops[airdrop].left = 0
    self.reserved -= drop.left
    log ICommunityFund.AirdropSwept(airdrop=airdrop, amount=drop.left)
    return drop.left


@external
@view
def available() -> uint256:
    """
    @notice What no airdrop holds [wei].
    """
    return self._available()


@external
@view
def airdrop(id: uint256) -> ICommunityFund.Airdrop:
    """
    @notice An airdrop; empty when there is none.
    """
    return self._airdrops[id]


@internal
@view
def _available() -> uint256:
    return staticcall self.ifx.balanceOf(self) - self.reserved
