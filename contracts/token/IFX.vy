# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title IFX
@license AGPL-3.0-only
@author Inferix
@notice ERC-20 with permit (EIP-2612), votes (ERC-5805) on a timestamp clock (ERC-6372) and a cap on what is ever minted.
        The allocation is minted at deployment; only the minter (BurnMintWork, set once) ever mints more, its ISSUANCE.
        Votes are counted for delegated balances only, so an address that never delegated pays nothing for them.
@custom:kill None: nobody can stop or change the token.
"""

from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.tokens import erc20
from snekmate.utils import ecdsa
from snekmate.utils import eip712_domain_separator
from ..interfaces import IIFX

implements: IERC20
implements: IIFX
initializes: ownable
initializes: erc20[ownable := ownable]
uses: eip712_domain_separator


# Not exported: ownership and minting of the base, which the own ones below replace; ownership is renounced.
exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)


cap: public(constant(uint256)) = 10**27
# The minter's allowance: the workers', verifiers' and managers' budgets of the ecosystem fund
ISSUANCE: public(constant(uint256)) = 462_500_000 * 10**18

_DELEGATION_TYPEHASH: constant(bytes32) = keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)")
# A checkpoint is one word: votes << 48 | time
_TIME_BITS: constant(uint256) = 48
_TIME_MASK: constant(uint256) = (1 << 48) - 1


_DEPLOYER: immutable(address)


minted: public(uint256)
minter: public(address)
mintable: public(uint256)

delegates: public(HashMap[address, address])
# Checkpoints of an account's votes, and under the zero address of the supply, oldest first
_checkpoints: HashMap[address, HashMap[uint256, uint256]]
_checkpoint_count: HashMap[address, uint256]


@deploy
def __init__(holders: DynArray[address, 32], amounts: DynArray[uint256, 32]):
    """
    @notice Mints the allocation: `amounts` [wei] to `holders`.
    """
    assert len(holders) == len(amounts), "IFX: holders and amounts differ in number"
    ownable.__init__()
    erc20.__init__("Inferix", "IFX", 18, "Inferix", "1")
    erc20.is_minter[msg.sender] = False
    ownable._transfer_ownership(empty(address))
    _DEPLOYER = msg.sender
    for i: uint256 in range(len(holders), bound=32):
        self._mint(holders[i], amounts[i])
    assert self.minted + ISSUANCE <= cap, "IFX: no room for the issuance"


@external
def wire(minter_: address):
    """
    @notice Names the minter and gives it its allowance, for good. The deployer, once.
    """
    assert msg.sender == _DEPLOYER, "IFX: not the deployer"
    assert self.minter == empty(address), "IFX: wired already"
    assert minter_ != empty(address), "IFX: no minter"
    self.minter = minter_
    self.mintable = ISSUANCE
    log IIFX.MinterSet(minter=minter_, allowance=ISSUANCE)


@external
def mint(to: address, amount: uint256):
    """
    @notice Mints within the allowance. The minter only.
    """
    assert msg.sender == self.minter, "IFX: not the minter"
    assert amount <= self.mintable, "IFX: over the allowance"
    self.mintable -= amount
    self._mint(to, amount)


@external
def burn(amount: uint256):
    """
    @notice Burns of the caller's balance.
    """
    erc20._burn(msg.sender, amount)
    self._after_move(msg.sender, empty(address), amount)


@external
def burn_from(owner: address, amount: uint256):
    """
    @notice Burns of `owner`'s balance within the caller's allowance.
    """
    erc20._spend_allowance(owner, msg.sender, amount)
    erc20._burn(owner, amount)
    self._after_move(owner, empty(address), amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice ERC-20.
    """
    erc20._transfer(msg.sender, to, amount)
    self._after_move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice ERC-20.
    """
    erc20._spend_allowance(owner, msg.sender, amount)
    erc20._transfer(owner, to, amount)
    self._after_move(owner, to, amount)
    return True


@external
def delegate(delegatee: address):
    """
    @notice Lets `delegatee` vote with the caller's balance; the zero address: nobody.
    """
    self._delegate(msg.sender, delegatee)


@external
def delegateBySig(delegatee: address, nonce: uint256, expiry: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice `delegate` for whoever signed; the nonce is shared with `permit`.
    """
    assert block.timestamp <= expiry, "IFX: signature expired"
    digest: bytes32 = eip712_domain_separator._hash_typed_data_v4(
        keccak256(abi_encode(_DELEGATION_TYPEHASH, delegatee, nonce, expiry))
    )
    signer: address = ecdsa._recover_vrs(digest, convert(v, uint256), convert(r, uint256), convert(s, uint256))
    assert signer != empty(address), "IFX: invalid signature"
    assert nonce == erc20.nonces[signer], "IFX: invalid nonce"
    erc20.nonces[signer] = nonce + 1
    self._delegate(signer, delegatee)


@external
@view
def clock() -> uint48:
    """
    @notice Block time [s] (ERC-6372).
    """
    return convert(block.timestamp, uint48)


@external
@pure
def CLOCK_MODE() -> String[14]:
    """
    @notice The clock counts seconds (ERC-6372).
    """
    return "mode=timestamp"


@external
@view
def getVotes(account: address) -> uint256:
    """
    @notice Votes of `account` now [wei].
    """
    return self._latest(account)


@external
@view
def getPastVotes(account: address, timepoint: uint256) -> uint256:
    """
    @notice Votes of `account` at the end of a past second [wei].
    """
    return self._past(account, timepoint)


@external
@view
def getPastTotalSupply(timepoint: uint256) -> uint256:
    """
    @notice Supply at the end of a past second [wei].
    """
    return self._past(empty(address), timepoint)


@internal
def _mint(to: address, amount: uint256):
    self.minted += amount
    assert self.minted <= cap, "IFX: over the cap"
    erc20._mint(to, amount)
    self._after_move(empty(address), to, amount)


@internal
def _delegate(delegator: address, delegatee: address):
    previous: address = self.delegates[delegator]
    self.delegates[delegator] = delegatee
    log IIFX.DelegateChanged(delegator=delegator, fromDelegate=previous, toDelegate=delegatee)
    self._move_votes(previous, delegatee, erc20.balanceOf[delegator])


@internal
def _after_move(sender: address, receiver: address, amount: uint256):
    # The zero address delegates to nobody, so mint and burn need no case of their own beyond the supply.
    if sender == empty(address) or receiver == empty(address):
        self._write(empty(address), erc20.totalSupply)
    self._move_votes(self.delegates[sender], self.delegates[receiver], amount)


@internal
def _move_votes(source: address, target: address, amount: uint256):
    if source == target or amount == 0:
        return
    if source != empty(address):
        before: uint256 = self._latest(source)
        self._write(source, before - amount)
        log IIFX.DelegateVotesChanged(delegate=source, previousVotes=before, newVotes=before - amount)
    if target != empty(address):
        before: uint256 = self._latest(target)
        self._write(target, before + amount)
        log IIFX.DelegateVotesChanged(delegate=target, previousVotes=before, newVotes=before + amount)


@internal
def _write(account: address, votes: uint256):
    count: uint256 = self._checkpoint_count[account]
    checkpoint: uint256 = votes << _TIME_BITS | block.timestamp
    if count != 0 and self._checkpoints[account][count - 1] & _TIME_MASK == block.timestamp:
        self._checkpoints[account][count - 1] = checkpoint
        return
    self._checkpoints[account][count] = checkpoint
    self._checkpoint_count[account] = count + 1


@internal
@view
def _latest(account: address) -> uint256:
    count: uint256 = self._checkpoint_count[account]
    if count == 0:
        return 0
    return self._checkpoints[account][count - 1] >> _TIME_BITS


@internal
@view
def _past(account: address, timepoint: uint256) -> uint256:
    # The present second is not over: its last word could still change within the block.
    assert timepoint < block.timestamp, "IFX: time not past"
    low: uint256 = 0
    high: uint256 = self._checkpoint_count[account]
    # Below `low` every checkpoint is at or before the timepoint, from `high` on every one is after it.
    for _: uint256 in range(48):
        if low == high:
            break
        middle: uint256 = (low + high) // 2
        if self._checkpoints[account][middle] & _TIME_MASK > timepoint:
            high = middle
        else:
            low = middle + 1
    if low == 0:
        return 0
    return self._checkpoints[account][low - 1] >> _TIME_BITS
