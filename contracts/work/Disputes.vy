# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy on
"""
@title Disputes
@license AGPL-3.0-only
@author Inferix
@notice What a contract can decide about a proposed batch. A *dispute* asks for something that only an honest proposer has
        (the votes of a leaf, the data of a chunk) and is lost by silence; a *proof* shows a lie at once. Either way the
        whole batch falls with all later ones of its lane, its proposer is slashed and jailed, and the honest tasks in it
        are proposed again. A dispute that is answered costs its challenger the bond and that batch some hours, no other.
@custom:security Everything is keyed by the batch's commitment, which never comes back: a dispute can neither be moved to
                 another batch nor outlive a reorganised chain. Votes are checked against the committee that was drawn.
@custom:kill None: answers and proofs must always work. The protocol's clock, and with it an answer's window, stands still
             while the protocol is paused.
"""

from ..interfaces import IBatches
from ..interfaces import ICommittees
from ..interfaces import IDisputes
from ..interfaces import IMerkleSum
from ..modules import bonds
from ..modules import convictions
from ..modules import dispute_book
from ..modules import dispute_words
from ..modules import eip712
from ..modules import fraud_proofs
from ..modules import governed
from ..modules import lease
from ..modules import leaves
from ..modules import merkle_sum
from ..modules import penalties

implements: IDisputes
initializes: governed
initializes: eip712
initializes: bonds[governed := governed]
initializes: penalties[bonds := bonds, governed := governed]
initializes: convictions[penalties := penalties]
initializes: dispute_words[bonds := bonds, governed := governed]
initializes: dispute_book[bonds := bonds, dispute_words := dispute_words]
initializes: fraud_proofs[convictions := convictions, eip712 := eip712, governed := governed]


exports: (
    governed.parameters,
    dispute_words.dispute,
    dispute_book.dispute_id,
    fraud_proofs.prove_wrong_sum,
    fraud_proofs.prove_duplicate,
    fraud_proofs.prove_record,
    fraud_proofs.prove_order,
    fraud_proofs.prove_equivocation,
)


VOTES: constant(uint8) = 1
DATA: constant(uint8) = 2
# Kind of a lie; fraud_proofs has the others
ANCHOR: constant(uint8) = 7

LATE: constant(uint8) = 3
VOID: constant(uint8) = 5
CANCELLED: constant(uint8) = 3

CHUNK_HEIGHT: constant(uint256) = 6


_BATCHES: immutable(IBatches)
_COMMITTEES: immutable(ICommittees)


@deploy
def __init__(
    parameters: address,
    registry: address,
    staking: address,
    ifx: address,
    batches: address,
    orders: address,
    committees: address,
    ifx_dollar: address,
):
    """
    @notice Starts without disputes; needs no wiring.
    """
    governed.__init__(parameters)
    eip712.__init__(registry)
    bonds.__init__(registry, staking, ifx)
    penalties.__init__(registry, staking)
    convictions.__init__(batches)
    dispute_words.__init__(registry)
    dispute_book.__init__(registry, batches)
    fraud_proofs.__init__(registry, staking, batches, orders, ifx_dollar)
    assert committees != empty(address), "Disputes: no Committees"
    _BATCHES = IBatches(batches)
    _COMMITTEES = ICommittees(committees)


@external
def challenge_votes(
    header: IBatches.BatchHeader,
    leaf: IBatches.BatchLeaf,
    index: uint256,
    proof: DynArray[bytes32, 64],
    node: uint32,
) -> bytes32:
    """
    @notice Asks for the votes of a leaf, within the batch's window. Once a leaf.
    @param node Whose stake is the bond; the caller is its owner or operator. 0: the caller's IFX.
    @return Id of the dispute.
    """
    convictions._check_leaf(header, leaf, index, proof)
    # An attempt that ended late or void has none to show, and costs nobody anything.
    assert leaf.outcome not in [LATE, VOID] or leaf.charge != 0 or leaf.work != 0, "Disputes: no votes needed"
    return dispute_book._open(header, VOTES, index, node)


@external
def answer_votes(
    header: IBatches.BatchHeader,
    leaf: IBatches.BatchLeaf,
    index: uint256,
    proof: DynArray[bytes32, 64],
    answer: Bytes[34_688],
):
    """
    @notice Shows the votes of the leaf that a dispute asks about, and what else it rests on. Anybody; what is won goes to
            the manager's owner.
    @param answer abi.encode of `ICommittees.Votes`.
    """
    id: bytes32 = dispute_book._check_open(header, VOTES, index)
    convictions._check_leaf(header, leaf, index, proof)
    assert staticcall _COMMITTEES.check_votes(header.manager, leaf, answer) != 0, "Disputes: no votes"
    dispute_book._close_answered(id, header)


@external
def challenge_data(header: IBatches.BatchHeader, chunk: uint256, node: uint32) -> bytes32:
    """
    @notice Asks for the data of 64 leaves, within the batch's window. Once a chunk. Empty chunks may be asked for too:
            that none hides a leaf is for the proposer to show.
    @param node Whose stake is the bond; the caller is its owner or operator. 0: the caller's IFX.
    @return Id of the dispute.
    """
    assert chunk << CHUNK_HEIGHT < self._width(header.count), "Disputes: no such chunk"
    return dispute_book._open(header, DATA, chunk, node)


@external
def answer_data(
    header: IBatches.BatchHeader,
    chunk: uint256,
    chunk_leaves: DynArray[IBatches.BatchLeaf, 64],
    proof: DynArray[bytes32, 64],
):
    """
    @notice Posts the leaves of the chunk that a dispute asks about. Anybody; what is won goes to the manager's owner.
    @param chunk_leaves All leaves of the chunk that the batch has.
    @param proof Siblings from the chunk's subtree up; none when the whole batch is one chunk.
    """
    id: bytes32 = dispute_book._check_open(header, DATA, chunk)
    first: uint256 = chunk << CHUNK_HEIGHT
    count: uint256 = convert(header.count, uint256)
    there: uint256 = min(count - min(first, count), 1 << CHUNK_HEIGHT)
    assert len(chunk_leaves) == there, "Disputes: not all leaves of the chunk"
    nodes: DynArray[IMerkleSum.SumNode, 64] = []
    known: bool = True
    for leaf: IBatches.BatchLeaf in chunk_leaves:
        # An outcome that there is, or nobody could read the leaves from the log.
        known = known and unsafe_sub(leaf.outcome, 1) < lease.LEASED
        nodes.append(leaves._batch(leaf))
    width: uint256 = self._width(header.count)
    height: uint256 = 0
    for h: uint256 in range(CHUNK_HEIGHT):
        if 1 << h < width:
            height = h + 1
    # The depth of the proof is the tree's, or an inner node would pass for a leaf.
    assert known and width == 1 << (height + len(proof) // 2) and merkle_sum._verify(
        convictions._root(header), merkle_sum._fold(nodes, height), chunk, proof
    ), "Disputes: not the data of the batch"
    dispute_book._close_answered(id, header)
    log IDisputes.LeavesShown(commitment=keccak256(abi_encode(header)), chunk=chunk, leaves=chunk_leaves)


@external
def expire(header: IBatches.BatchHeader, kind: uint8, place: uint256):
    """
    @notice Ends a dispute that nobody answered in time: the batch falls. When the batch fell before, for whatever
            reason, the bond goes back at once. Anybody.
    @param kind 1 votes, 2 data.
    @param place Index of the leaf, or of the chunk.
    """
    commitment: bytes32 = keccak256(abi_encode(header))
    id: bytes32 = dispute_book._id(commitment, kind, place)
    dispute: IDisputes.Dispute = dispute_words._read(id)
    assert dispute.status == dispute_words.OPEN, "Disputes: not open"
    if convictions._batch(commitment).status == CANCELLED:
        dispute_book._close_won(id, commitment, dispute_words.DROPPED)
        log IDisputes.DisputeDropped(id=id)
        return
    assert governed._clock() > convert(dispute.until, uint256), "Disputes: answer window open"
    challenger: address = dispute_book._close_won(id, commitment, dispute_words.UPHELD)
    log IDisputes.DisputeUpheld(id=id)
    convictions._punish(commitment, header.manager, challenger)


@external
def prove_anchor(item: IBatches.Inclusion, anchor: uint32, earlier: Bytes[2_304]):
    """
    @notice Shows that the leaf's worker had delivered before: a receipt of the attempt is in an anchor of the lane that is
            earlier than the one the leaf names, and only the first counts. A batch that stands alone falls without a fine:
            its proposer does not choose what lies in the lane.
    @param earlier The earlier receipt: abi.encode of `ICommittees.Earlier`.
    """
    commitment: bytes32 = fraud_proofs._check_included(item)
    assert staticcall _COMMITTEES.is_received_before(
        item.header.manager, item.leaf, anchor, earlier
    ), "Disputes: no earlier receipt"
    if item.header.sequence == 0:
        convictions._give_way(commitment)
    else:
        fraud_proofs._convict(commitment, item.header.manager, ANCHOR)


@external
@view
def bond() -> uint256:
    """
    @notice What a dispute costs its loser now [wei].
    """
    return bonds._amount()


@internal
@pure
def _width(count: uint32) -> uint256:
    # Leaves of the tree, missing ones too: the power of two that holds `count`.
    width: uint256 = 1
    for i: uint256 in range(32):
        if width >= convert(count, uint256):
            break
        width <<= 1
    return width
