# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title proposals
@license AGPL-3.0-only
@author Inferix
@notice What is proposed: the id that its calls and words give it, who proposed it and whom its words leave that to, and when it is voted
        on and executed. Names are those of OpenZeppelin's Governor 5.
@custom:kill None.
"""


struct Proposal:
    proposer: address
    # Seconds: votes are those at the end of the snapshot; the deadline is the last second of the vote
    snapshot: uint256
    deadline: uint256
    is_cancelled: bool
    # Id in the timelock once it is queued, and from which second on it may be executed
    operation: bytes32
    eta: uint256


CALLS: constant(uint256) = 16
# `#proposer=0x` and 40 digits at a description's end
_MARK: constant(uint256) = 52


_records: HashMap[uint256, Proposal]


@external
@pure
def hashProposal(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    calldatas: DynArray[Bytes[1024], CALLS],
    descriptionHash: bytes32,
) -> uint256:
    """
    @notice The id of a proposal of these calls.
    """
    return self._hash(targets, values, calldatas, descriptionHash)


@external
@pure
def getProposalId(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    calldatas: DynArray[Bytes[1024], CALLS],
    descriptionHash: bytes32,
) -> uint256:
    """
    @notice `hashProposal` by the name that front ends ask for since ids need not be hashes.
    """
    return self._hash(targets, values, calldatas, descriptionHash)


@external
@view
def proposalProposer(proposalId: uint256) -> address:
    """
    @notice Who proposed; zero: there is no such proposal.
    """
    return self._records[proposalId].proposer


@external
@view
def proposalSnapshot(proposalId: uint256) -> uint256:
    """
    @notice The second at whose end votes are counted; voting begins with the next.
    """
    return self._records[proposalId].snapshot


@external
@view
def proposalDeadline(proposalId: uint256) -> uint256:
    """
    @notice The last second of the vote.
    """
    return self._records[proposalId].deadline


@external
@view
def proposalEta(proposalId: uint256) -> uint256:
    """
    @notice From which second on it may be, or might have been, executed; 0: not queued.
    """
    return self._records[proposalId].eta


@external
@pure
def proposalNeedsQueuing(proposalId: uint256) -> bool:
    """
    @notice Every proposal waits in the timelock.
    """
    return True


@internal
@pure
def _hash(
    targets: DynArray[address, CALLS],
    values: DynArray[uint256, CALLS],
    calldatas: DynArray[Bytes[1024], CALLS],
    description_hash: bytes32,
) -> uint256:
    return convert(keccak256(abi_encode(targets, values, calldatas, description_hash)), uint256)


@internal
@view
def _check_description(description: String[8192]):
    length: uint256 = len(description)
    if length < _MARK:
        return
    mark: Bytes[52] = convert(slice(description, length - _MARK, _MARK), Bytes[52])
    if slice(mark, 0, 12) != b"#proposer=0x":
        return
    account: uint256 = 0
    for i: uint256 in range(12, 52):
        digit: uint256 = convert(slice(mark, i, 1), uint256)
        # 0-9, then A-F and a-f
        if digit >= 48 and digit <= 57:
            digit -= 48
        elif digit & 223 >= 65 and digit & 223 <= 70:
            digit = (digit & 223) - 55
        else:
            return
        account = account << 4 | digit
    assert account == convert(msg.sender, uint256), "Governor: marked for another proposer"
