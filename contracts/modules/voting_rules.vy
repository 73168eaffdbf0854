# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title voting_rules
@license AGPL-3.0-only
@author Inferix
@notice How long votes wait and last, who may propose, and how many votes a proposal needs: within fixed bounds, changed by the
        timelock alone, which is to say by a vote. A change touches later proposals only: proposals keep their times, and the quorum
        is that of their snapshot. Names and events are those of OpenZeppelin's GovernorSettings and its quorum fraction.
@custom:kill None.
"""


# Seconds. A day at least in which whoever disagrees with a proposal gathers votes, or leaves.
LOWEST_DELAY: constant(uint256) = 86400
HIGHEST_DELAY: constant(uint256) = 30 * 86400
LOWEST_PERIOD: constant(uint256) = 3 * 86400
HIGHEST_PERIOD: constant(uint256) = 30 * 86400
# Wei. The highest is 2 % of the cap: a vote cannot shut proposals out for good.
LOWEST_THRESHOLD: constant(uint256) = 10_000 * 10**18
HIGHEST_THRESHOLD: constant(uint256) = 20_000_000 * 10**18
# Basis points of the supply
LOWEST_QUORUM: constant(uint256) = 100
HIGHEST_QUORUM: constant(uint256) = 2000
BPS: constant(uint256) = 10_000
_TIME_BITS: constant(uint256) = 48
_TIME_MASK: constant(uint256) = (1 << 48) - 1


timelock: public(immutable(address))


votingDelay: public(uint256)
votingPeriod: public(uint256)
proposalThreshold: public(uint256)
# Every share that was in force, oldest first, one word each: basis points << 48 | since when
_shares: HashMap[uint256, uint256]
_share_count: uint256


event VotingDelaySet:
    oldVotingDelay: uint256
    newVotingDelay: uint256


event VotingPeriodSet:
    oldVotingPeriod: uint256
    newVotingPeriod: uint256


event ProposalThresholdSet:
    oldProposalThreshold: uint256
    newProposalThreshold: uint256


event QuorumNumeratorUpdated:
    oldQuorumNumerator: uint256
    newQuorumNumerator: uint256


@deploy
def __init__(timelock_: address, delay: uint256, period: uint256, threshold: uint256, quorum: uint256):
    assert timelock_ != empty(address), "Governor: no timelock"
    timelock = timelock_
    self._set_delay(delay)
    self._set_period(period)
    self._set_threshold(threshold)
    self._set_quorum(quorum)


@external
def setVotingDelay(newVotingDelay: uint48):
    """
    @notice How long a proposal waits for its vote [s], 1 to 30 days. The timelock only.
    """
    self._check_timelock()
    self._set_delay(convert(newVotingDelay, uint256))


@external
def setVotingPeriod(newVotingPeriod: uint32):
    """
    @notice How long a vote lasts [s], 3 to 30 days. The timelock only.
    """
    self._check_timelock()
    self._set_period(convert(newVotingPeriod, uint256))


@external
def setProposalThreshold(newProposalThreshold: uint256):
    """
    @notice Votes that a proposer needs [wei], 10,000 to 20,000,000 IFX. The timelock only.
    """
    self._check_timelock()
    self._set_threshold(newProposalThreshold)


@external
def updateQuorumNumerator(newQuorumNumerator: uint256):
    """
    @notice Share of the supply that must vote for or abstain [basis points], 100 to 2000. The timelock only.
    """
    self._check_timelock()
    self._set_quorum(newQuorumNumerator)


@external
@view
def quorumNumerator(timepoint: uint256 = max_value(uint256)) -> uint256:
    """
    @notice The quorum's share of the supply [basis points], now or at a second.
    """
    return self._quorum_share(timepoint)


@external
@pure
def quorumDenominator() -> uint256:
    """
    @notice What `quorumNumerator` is of.
    """
    return BPS


@internal
@view
def _check_timelock():
    assert msg.sender == timelock, "Governor: not the timelock"


@internal
def _set_delay(chosen: uint256):
    assert chosen >= LOWEST_DELAY and chosen <= HIGHEST_DELAY, "Governor: voting delay out of bounds"
    log VotingDelaySet(oldVotingDelay=self.votingDelay, newVotingDelay=chosen)
    self.votingDelay = chosen


@internal
def _set_period(chosen: uint256):
    assert chosen >= LOWEST_PERIOD and chosen <= HIGHEST_PERIOD, "Governor: voting period out of bounds"
    log VotingPeriodSet(oldVotingPeriod=self.votingPeriod, newVotingPeriod=chosen)
    self.votingPeriod = chosen


@internal
def _set_threshold(chosen: uint256):
    assert chosen >= LOWEST_THRESHOLD and chosen <= HIGHEST_THRESHOLD, "Governor: threshold out of bounds"
    log ProposalThresholdSet(oldProposalThreshold=self.proposalThreshold, newProposalThreshold=chosen)
    self.proposalThreshold = chosen


@internal
def _set_quorum(chosen: uint256):
    assert chosen >= LOWEST_QUORUM and chosen <= HIGHEST_QUORUM, "Governor: quorum out of bounds"
    log QuorumNumeratorUpdated(
        oldQuorumNumerator=self._quorum_share(max_value(uint256)), newQuorumNumerator=chosen
    )
    self._shares[self._share_count] = chosen << _TIME_BITS | block.timestamp
    self._share_count += 1


@internal
@view
def _quorum_share(timepoint: uint256) -> uint256:
    low: uint256 = 0
    high: uint256 = self._share_count
    # Below `low` every share began at or before the timepoint, from `high` on every one after it.
    for _: uint256 in range(48):
        if low == high:
            break
        middle: uint256 = (low + high) // 2
        if self._shares[middle] & _TIME_MASK > timepoint:
            high = middle
        else:
            low = middle + 1
    return 0 if low == 0 else self._shares[low - 1] >> _TIME_BITS


@internal
@view
def _quorum_of(supply: uint256, timepoint: uint256) -> uint256:
    return supply * self._quorum_share(timepoint) // BPS
