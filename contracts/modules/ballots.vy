# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title ballots
@license AGPL-3.0-only
@author Inferix
@notice Who voted on what, the sums, and votes signed for others to carry (EIP-712, and ERC-1271 for contracts). Names and the signed
        struct are those of OpenZeppelin's Governor 5.
@custom:kill None.
"""

from snekmate.utils import eip712_domain_separator
from snekmate.utils import signature_checker

uses: eip712_domain_separator


BALLOT_TYPEHASH: public(constant(bytes32)) = keccak256(
    "Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)"
)
# The values of `support`
_AGAINST: constant(uint8) = 0
_FOR: constant(uint8) = 1
_ABSTAIN: constant(uint8) = 2


nonces: public(HashMap[address, uint256])
hasVoted: public(HashMap[uint256, HashMap[address, bool]])
# proposal -> support -> wei
_sums: HashMap[uint256, HashMap[uint8, uint256]]


@external
@pure
def COUNTING_MODE() -> String[32]:
    """
    @notice Against, for, abstain; the quorum counts for and abstain.
    """
    return "support=bravo&quorum=for,abstain"


@external
@view
def proposalVotes(proposalId: uint256) -> (uint256, uint256, uint256):
    """
    @notice Votes against, for, and abstaining [wei].
    """
    sums: uint256[3] = self._sums_of(proposalId)
    return sums[0], sums[1], sums[2]


@internal
def _count(proposal: uint256, voter: address, support: uint8, weight: uint256):
    assert support <= _ABSTAIN, "Governor: support is 0, 1 or 2"
    assert not self.hasVoted[proposal][voter], "Governor: voted already"
    assert weight != 0, "Governor: no votes at the snapshot"
    self.hasVoted[proposal][voter] = True
    self._sums[proposal][support] += weight


@internal
def _check_signature(proposal: uint256, support: uint8, voter: address, signature: Bytes[65]):
    nonce: uint256 = self.nonces[voter]
    self.nonces[voter] = nonce + 1
    ballot: bytes32 = keccak256(abi_encode(BALLOT_TYPEHASH, proposal, support, voter, nonce))
    digest: bytes32 = eip712_domain_separator._hash_typed_data_v4(ballot)
    assert signature_checker._is_valid_signature_now(voter, digest, signature), "Governor: invalid signature"


@internal
@view
def _sums_of(proposal: uint256) -> uint256[3]:
    return [self._sums[proposal][_AGAINST], self._sums[proposal][_FOR], self._sums[proposal][_ABSTAIN]]


@internal
@view
def _is_won(proposal: uint256, quorum: uint256) -> bool:
    sums: uint256[3] = self._sums_of(proposal)
    return sums[1] > sums[0] and sums[1] + sums[2] >= quorum
