# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title stake_votes
@license AGPL-3.0-only
@author Inferix
@notice Votes of staked IFX, by account, at the end of each second: the same checkpoints as in IFX, so that a Governor can add the
        two. A wei is in a wallet or at work at the end of a second, never both. Nobody votes with another's stake.
@custom:kill Books only.
"""


event StakeVotesChanged:
    account: indexed(address)
    previous: uint256
    votes: uint256


# A checkpoint is one word: votes << 48 | time
_TIME_BITS: constant(uint256) = 48
_TIME_MASK: constant(uint256) = (1 << 48) - 1


# Of each account, oldest first
_checkpoints: HashMap[address, HashMap[uint256, uint256]]
_checkpoint_count: HashMap[address, uint256]


@external
@view
def getVotes(account: address) -> uint256:
    """
    @notice Votes of an account's stake now [wei].
    """
    return self._latest(account)


@external
@view
def getPastVotes(account: address, timepoint: uint256) -> uint256:
    """
    @notice Votes of an account's stake at the end of a past second [wei].
    """
    # The present second is not over: its last word could still change within the block.
    assert timepoint < block.timestamp, "Staking: time not past"
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


@internal
def _move(account: address, before: uint256, now: uint256):
    # Replaces a part of an account's votes by another.
    if before == now:
        return
    previous: uint256 = self._latest(account)
    votes: uint256 = previous - before + now
    count: uint256 = self._checkpoint_count[account]
    if count != 0 and self._checkpoints[account][count - 1] & _TIME_MASK == block.timestamp:
        count -= 1
    self._checkpoints[account][count] = votes << _TIME_BITS | block.timestamp
    self._checkpoint_count[account] = count + 1
    log StakeVotesChanged(account=account, previous=previous, votes=votes)


@internal
@view
def _latest(account: address) -> uint256:
    count: uint256 = self._checkpoint_count[account]
    if count == 0:
        return 0
    return self._checkpoints[account][count - 1] >> _TIME_BITS
