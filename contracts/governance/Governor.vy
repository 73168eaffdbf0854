# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
"""
@title Governor
@license AGPL-3.0-only
@author Inferix
@notice Holders of IFX decide on calls of the timelock. Votes are those that IFX counted for the end of a proposal's snapshot second,
        which lies in the future when it is proposed and in the past when it is voted on: what is borrowed for a transaction never
        votes, and what moves after the snapshot neither votes twice nor is lost. Vesting IFX votes from its wallets, staked IFX by what
        Staking counted for the same second.
@custom:kill A proposer cancels before the vote; later only another vote can.
"""

from snekmate.utils import eip712_domain_separator
from ..interfaces import IGovernor
from ..interfaces import IIFX
from ..interfaces import IStaking
from ..interfaces import ITimelock
from ..modules import ballots
from ..modules import proposals
from ..modules import voting_rules

implements: IGovernor
initializes: eip712_domain_separator
initializes: ballots[eip712_domain_separator := eip712_domain_separator]
initializes: proposals
initializes: voting_rules


exports: (
    eip712_domain_separator.eip712Domain,
    ballots.BALLOT_TYPEHASH,
    ballots.COUNTING_MODE,
    ballots.hasVoted,
    ballots.nonces,
    ballots.proposalVotes,
    proposals.getProposalId,
    proposals.hashProposal,
    proposals.proposalDeadline,
    proposals.proposalEta,
    proposals.proposalNeedsQueuing,
    proposals.proposalProposer,
    proposals.proposalSnapshot,
    voting_rules.proposalThreshold,
    voting_rules.quorumDenominator,
    voting_rules.quorumNumerator,
    voting_rules.setProposalThreshold,
    voting_rules.setVotingDelay,
    voting_rules.setVotingPeriod,
    voting_rules.timelock,
    voting_rules.updateQuorumNumerator,
    voting_rules.votingDelay,
    voting_rules.votingPeriod,
)


PENDING: constant(uint8) = 0
ACTIVE: constant(uint8) = 1
CANCELED: constant(uint8) = 2
DEFEATED: constant(uint8) = 3
SUCCEEDED: constant(uint8) = 4
QUEUED: constant(uint8) = 5
EXPIRED: constant(uint8) = 6
EXECUTED: constant(uint8) = 7

CALLS: constant(uint256) = proposals.CALLS
# What the timelock stores in place of a time once it has executed an operation
_DONE: constant(uint256) = 1


token: public(immutable(address))
staking: public(immutable(address))


@deploy
def __init__(
    ifx: address,
    stakes: address,
    timelock: address,
    delay: uint256,
    period: uint256,
    threshold: uint256,
    quorum: uint256,
):
    """
    @param ifx Whose votes count.
    @param stakes Staking, whose votes are added.
    @param timelock Who executes, and alone changes the rules.
    @param delay From proposal to snapshot [s].
    @param period From snapshot to deadline [s].
    @param threshold Votes that a proposer needs [wei].
    @param quorum Share of the supply that must vote for or abstain [basis points].
    """
    assert ifx != empty(address), "Governor: no token"
    assert stakes != empty(address), "Governor: no staking"
    eip712_domain_separator.__init__("Inferix Governor", "1")
    voting_rules.__init__(timelock, delay, period, threshold, quorum)
    token = ifx
    staking = stakes


@external
def propose(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    calldatas: DynArray[Bytes[1024], CALLS],
    description: String[8192],
) -> uint256:
    """
    @notice Puts calls of the timelock to the vote. Whoever had the threshold's votes at the end of the second before.
    @param description May end with `#proposer=0x...`: then nobody else can propose it, and cancel it again, first.
    @return The proposal's id.
    """
    proposals._check_description(description)
    votes: uint256 = self._votes_of(msg.sender, block.timestamp - 1)
    assert votes >= voting_rules.proposalThreshold, "Governor: votes under the threshold"
    assert len(targets) != 0, "Governor: no calls"
    assert len(targets) == len(values) and len(targets) == len(calldatas), "Governor: lists differ in length"
    id: uint256 = proposals._hash(targets, values, calldatas, keccak256(description))
    assert proposals._records[id].proposer == empty(address), "Governor: proposed already"
    snapshot: uint256 = block.timestamp + voting_rules.votingDelay
    deadline: uint256 = snapshot + voting_rules.votingPeriod
    proposals._records[id].proposer = msg.sender
    proposals._records[id].snapshot = snapshot
    proposals._records[id].deadline = deadline
    signatures: DynArray[String[1], CALLS] = []
    for _: address in targets:
        signatures.append("")
    log IGovernor.ProposalCreated(
        proposalId=id,
        proposer=msg.sender,
        targets=targets,
        values=values,
        signatures=signatures,
        calldatas=calldatas,
        voteStart=snapshot,
        voteEnd=deadline,
        description=description,
    )
    return id


@external
def castVote(proposalId: uint256, support: uint8) -> uint256:
    """
    @notice Votes with all that the caller had at the snapshot, once.
    @param support 0 against, 1 for, 2 abstain.
    @return Wei.
    """
    return self._cast(proposalId, msg.sender, support, "")


@external
def castVoteWithReason(proposalId: uint256, support: uint8, reason: String[1024]) -> uint256:
    """
    @notice The same, and says why.
    """
    return self._cast(proposalId, msg.sender, support, reason)


@external
def castVoteBySig(proposalId: uint256, support: uint8, voter: address, signature: Bytes[65]) -> uint256:
    """
    @notice Votes for whoever signed `Ballot(proposalId, support, voter, nonce)` with the nonce of `nonces(voter)`. Anybody.
    """
    ballots._check_signature(proposalId, support, voter, signature)
    return self._cast(proposalId, voter, support, "")


@external
def queue(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    calldatas: DynArray[Bytes[1024], CALLS],
    descriptionHash: bytes32,
) -> uint256:
    """
    @notice Schedules a proposal that succeeded, within the grace period after its vote. Anybody.
    """
    id: uint256 = proposals._hash(targets, values, calldatas, descriptionHash)
    assert self._state(id) == SUCCEEDED, "Governor: not succeeded"
    lock: ITimelock = ITimelock(voting_rules.timelock)
    salt: bytes32 = self._salt(descriptionHash)
    delay: uint256 = staticcall lock.getMinDelay()
    proposals._records[id].operation = staticcall lock.hashOperationBatch(
        targets, values, calldatas, empty(bytes32), salt
    )
    extcall lock.scheduleBatch(targets, values, calldatas, empty(bytes32), salt, delay)
    proposals._records[id].eta = block.timestamp + delay
    log IGovernor.ProposalQueued(proposalId=id, etaSeconds=block.timestamp + delay)
    return id


@external
@payable
@nonreentrant
def execute(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    calldatas: DynArray[Bytes[1024], CALLS],
    descriptionHash: bytes32,
) -> uint256:
    """
    @notice Has the timelock make a queued proposal's calls; what is sent along is the timelock's. Anybody; so is executeBatch.
    """
    id: uint256 = proposals._hash(targets, values, calldatas, descriptionHash)
    assert self._state(id) == QUEUED, "Governor: not queued"
    extcall ITimelock(voting_rules.timelock).executeBatch(
        targets, values, calldatas, empty(bytes32), self._salt(descriptionHash), value=msg.value
    )
    log IGovernor.ProposalExecuted(proposalId=id)
    return id


@external
def cancel(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    calldatas: DynArray[Bytes[1024], CALLS],
    descriptionHash: bytes32,
) -> uint256:
    """
    @notice Ends a proposal for good. Its proposer while it is pending; the timelock (another proposal) until it is executed.
    """
    id: uint256 = proposals._hash(targets, values, calldatas, descriptionHash)
    state: uint8 = self._state(id)
    if msg.sender == voting_rules.timelock:
        assert state in [PENDING, ACTIVE, SUCCEEDED, QUEUED], "Governor: over already"
        if state == QUEUED:
            extcall ITimelock(voting_rules.timelock).cancel(proposals._records[id].operation)
    else:
        assert msg.sender == proposals._records[id].proposer, "Governor: not the proposer"
        assert state == PENDING, "Governor: not pending"
    proposals._records[id].is_cancelled = True
    log IGovernor.ProposalCanceled(proposalId=id)
    return id


@external
@pure
def name() -> String[16]:
    """
    @notice Of the EIP-712 domain, which ballots are signed in.
    """
    return "Inferix Governor"


@external
@pure
def version() -> String[1]:
    """
    @notice Of the EIP-712 domain.
    """
    return "1"


@external
@view
def clock() -> uint48:
    """
    @notice Block time [s], as IFX has it (ERC-6372).
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
@pure
def supportsInterface(interface_id: bytes4) -> bool:
    """
    @notice ERC-165, ERC-5267 and ERC-6372. Not IGovernor, which has votes with parameters too.
    """
    return interface_id in [0x01ffc9a7, 0x84b0196e, 0xda287a1d]


@external
@view
def state(proposalId: uint256) -> uint8:
    """
    @notice 0 pending, 1 active, 2 canceled, 3 defeated, 4 succeeded, 5 queued, 6 expired, 7 executed.
    """
    return self._state(proposalId)


@external
@view
def quorum(timepoint: uint256) -> uint256:
    """
    @notice Votes for and abstaining that a proposal with this snapshot needs [wei]; a past second.
    """
    return self._quorum(timepoint)


@external
@view
def getVotes(account: address, timepoint: uint256) -> uint256:
    """
    @notice Votes of an account at the end of a past second [wei].
    """
    return self._votes_of(account, timepoint)


@internal
@view
def _salt(description_hash: bytes32) -> bytes32:
    # As in OpenZeppelin: the same calls proposed with other words, or by another governor, are another operation.
    return convert(convert(self, uint256) << 96 ^ convert(description_hash, uint256), bytes32)


@internal
@view
def _votes_of(account: address, timepoint: uint256) -> uint256:
    # At the end of a second a wei is in a wallet or at work: what is added is never the same twice.
    return staticcall IIFX(token).getPastVotes(account, timepoint) + staticcall IStaking(staking).getPastVotes(
        account, timepoint
    )


@internal
@view
def _quorum(timepoint: uint256) -> uint256:
    return voting_rules._quorum_of(staticcall IIFX(token).getPastTotalSupply(timepoint), timepoint)


@internal
def _cast(id: uint256, voter: address, support: uint8, reason: String[1024]) -> uint256:
    assert self._state(id) == ACTIVE, "Governor: not active"
    weight: uint256 = self._votes_of(voter, proposals._records[id].snapshot)
    ballots._count(id, voter, support, weight)
    log IGovernor.VoteCast(voter=voter, proposalId=id, support=support, weight=weight, reason=reason)
    return weight


@internal
@view
def _state(id: uint256) -> uint8:
    proposal: proposals.Proposal = proposals._records[id]
    assert proposal.proposer != empty(address), "Governor: no such proposal"
    if proposal.is_cancelled:
        return CANCELED
    if block.timestamp <= proposal.snapshot:
        return PENDING
    if block.timestamp <= proposal.deadline:
        return ACTIVE
    if not ballots._is_won(id, self._quorum(proposal.snapshot)):
        return DEFEATED
    lock: ITimelock = ITimelock(voting_rules.timelock)
    since: uint256 = proposal.deadline
    if proposal.operation != empty(bytes32):
        since = staticcall lock.getTimestamp(proposal.operation)
        if since == _DONE:
            return EXECUTED
        if since == 0:
            return CANCELED
    if block.timestamp >= since + staticcall lock.GRACE_PERIOD():
        return EXPIRED
    return SUCCEEDED if proposal.operation == empty(bytes32) else QUEUED
