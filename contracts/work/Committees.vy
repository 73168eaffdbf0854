# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title Committees
@license AGPL-3.0-only
@author Inferix
@notice Whether a leaf stands: its task is of the client's order and within it, the worker's receipt is in the anchor that
        it names, and the votes are those of the named voters, signed for this attempt and result, enough and equal, by
        verifiers whom that anchor's seed drew. A view for Disputes, Escape and whoever wants to know beforehand.
        Of a lease there is nothing to measure and nobody votes: order and receipt are all that it shows.
@custom:security A committee is the first fitting distinct draws, twice over. Which draws fitted is not stored, so a draw that
                 nobody explains counts as a taken seat; whoever answers explains those (a misfit, a repeat) that matter.
                 What a node's status was at the time is not stored either: the present one counts.
                 The price tells a signature under a lease from one under work: neither pays for the other.
@custom:kill Stateless.
"""

from ..interfaces import IBatches
from ..interfaces import ICommittees
from ..interfaces import IIfxDollar
from ..interfaces import INodeRegistry
from ..interfaces import IRosters
from ..modules import draws
from ..modules import eip712
from ..modules import evidence
from ..modules import governed
from ..modules import lease

implements: ICommittees
initializes: eip712
initializes: governed
initializes: evidence[eip712 := eip712]


exports: governed.parameters


VOTE_TYPEHASH: constant(bytes32) = keccak256(
    "Vote(bytes32 task,uint8 attempt,uint32 node,bytes32 result,uint8 outcome,bytes32 measured)"
)

ACCEPTED: constant(uint8) = 1
REJECTED: constant(uint8) = 2
CLIENT_FAULT: constant(uint8) = 4

CANCELLED: constant(uint8) = 3
ACTIVE: constant(uint8) = 1
VERIFIERS: constant(uint8) = 2
# Index of a job's assemble task: reserved, so that (job, index) alone tells
ASSEMBLE_INDEX: constant(uint32) = max_value(uint32)
# Bytes of a packed vote, and how many voters a leaf names
VOTE_BYTES: constant(uint256) = 101
MAX_VOTERS: constant(uint256) = 8


# What a committee is drawn from, and whose nodes may not be in it
struct Draw:
    seed: bytes32
    root: bytes32
    total: uint256
    client: address
    worker: address


_REGISTRY: immutable(INodeRegistry)
_IFX_DOLLAR: immutable(IIfxDollar)
_BATCHES: immutable(IBatches)
_ROSTERS: immutable(IRosters)


@deploy
def __init__(
    parameters: address,
    registry: address,
    ifx_dollar: address,
    batches: address,
    rosters: address,
    orders: address,
    availability: address,
):
    """
    @notice Needs no wiring.
    """
    governed.__init__(parameters)
    eip712.__init__(registry)
    assert ifx_dollar != empty(address), "Committees: no IfxDollar"
    evidence.__init__(registry, batches, orders, availability)
    assert rosters != empty(address), "Committees: no Rosters"
    _REGISTRY = INodeRegistry(registry)
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)
    _BATCHES = IBatches(batches)
    _ROSTERS = IRosters(rosters)


@external
@view
def check_votes(manager: uint32, leaf: IBatches.BatchLeaf, encoded: Bytes[34_688]) -> uint256:
    """
    @notice Reverts, with the reason, unless the leaf follows from this order, receipt and votes.
    @param manager Whose lane the leaf is in.
    @param encoded `Votes`, as abi.encode has it.
    @return How many votes stand, never 0; 1 of a lease.
    """
    answer: ICommittees.Votes = abi_decode(encoded, ICommittees.Votes)
    is_lease: bool = self._is_lease(leaf, answer.order, answer.task_index)
    assert is_lease or keccak256(answer.votes) == leaf.votes, "Committees: not the votes of the leaf"
    assert leaf.outcome == ACCEPTED or leaf.work == 0, "Committees: work without acceptance"
    assert (
        is_lease or leaf.outcome in [ACCEPTED, CLIENT_FAULT] or leaf.charge == 0
    ), "Committees: charge without acceptance"
    seats: uint256 = 1
    needed: uint256 = 1
    if answer.task_index != ASSEMBLE_INDEX:
        seats = governed._parameter(keccak256("committee"))
        needed = governed._parameter(keccak256("votes_needed"))
    client: address = (staticcall _IFX_DOLLAR.account(leaf.account)).owner
    evidence._check_order(manager, leaf, answer.order, answer.task_index, client)
    evidence._check_receipt(manager, leaf, answer.receipt, answer.canary, answer.place)
    if is_lease:
        return 1
    evidence._check_canary(leaf, answer.canary, answer.salt)
    rejected_before: bool = False
    if len(answer.earlier) != 0:
        self._check_rejected_before(leaf, answer.earlier[0])
        rejected_before = True
    sealed_at: uint256 = staticcall _BATCHES.sealed_at(manager, leaf.anchor)
    voters: uint256 = self._count_votes(leaf, answer.votes, needed, rejected_before, sealed_at)
    draw: Draw = self._prepare(manager, leaf, answer.roster, sealed_at, client)
    shares: DynArray[uint256, 12] = []
    fits: uint256 = 0
    for member: ICommittees.Member in answer.members:
        if self._is_fit(member.leaf.node, leaf.voters, draw):
            fits |= 1 << len(shares)
        shares.append(draws._share(draw.root, draw.total, member.leaf, member.proof))
    self._check_drawn(leaf, draw, shares, fits, voters, 2 * seats)
    return voters


@external
@view
def check_lease(manager: uint32, leaf: IBatches.BatchLeaf, order: Bytes[135]) -> bool:
    """
    @notice Reverts, with the reason, unless this is the leaf of a lease of this order, which the account's owner signed.
    @param manager Whose lane the leaf is in.
    @param order The record, as it was posted.
    @return Always true.
    """
    is_lease: bool = self._is_lease(leaf, order, lease.TASK_INDEX)
    client: address = (staticcall _IFX_DOLLAR.account(leaf.account)).owner
    evidence._check_order(manager, leaf, order, lease.TASK_INDEX, client)
    return is_lease


@external
@view
def is_received_before(
    manager: uint32, leaf: IBatches.BatchLeaf, anchor: uint32, earlier: Bytes[2_304]
) -> bool:
    """
    @notice Whether the leaf's worker delivered this attempt, with whatever result, in an anchor of the lane before the one
            that the leaf names: then that one's seed drew the voters.
    @param earlier `Earlier`, as abi.encode has it.
    """
    if anchor >= leaf.anchor:
        return False
    shown: ICommittees.Earlier = abi_decode(earlier, ICommittees.Earlier)
    return evidence._is_in(manager, anchor, evidence._receipt(leaf, shown.result, shown.canary), shown.place)


@internal
@pure
def _is_lease(leaf: IBatches.BatchLeaf, order: Bytes[135], task_index: uint32) -> bool:
    # What makes a lease goes together, or the leaf does not stand: outcome, task and an order without a price. It is
    # charged as the client signed it, whole, once.
    assert len(order) == evidence.ORDER_BYTES, "Committees: length of the order"
    # From byte 39 on: the spec's last 5, cap 8, price 8, and 11 more
    terms: uint256 = convert(extract32(order, 39), uint256)
    is_lease: bool = leaf.outcome == lease.LEASED
    assert is_lease == (task_index == lease.TASK_INDEX), "Committees: not the task of a lease"
    assert is_lease == (terms >> 88 & (2**64 - 1) == 0), "Committees: not the order of a lease"
    if is_lease:
        cap: uint256 = terms >> 152 & (2**64 - 1)
        assert convert(leaf.charge, uint256) == cap, "Committees: not what the lease costs"
        assert leaf.attempt == 0 and leaf.work == 0, "Committees: not as leased"
        assert leaf.votes == empty(bytes32) and leaf.voters == empty(bytes32), "Committees: votes about a lease"
    return is_lease


@internal
@view
def _count_votes(
    leaf: IBatches.BatchLeaf, votes: Bytes[808], needed: uint256, rejected_before: bool, sealed_at: uint256
) -> uint256:
    # Each vote is that of the next voter of the leaf; returns how many there are.
    count: uint256 = len(votes) // VOTE_BYTES
    assert len(votes) == count * VOTE_BYTES, "Committees: length of votes"
    left: uint256 = convert(leaf.voters, uint256)
    previous: uint256 = 0
    equal: uint256 = 0
    for i: uint256 in range(count, bound=MAX_VOTERS):
        voter: uint256 = left >> 224
        left <<= 32
        assert voter > previous, "Committees: voters not ascending"
        previous = voter
        head: uint256 = convert(slice(votes, i * VOTE_BYTES, 5), uint256)
        assert head >> 8 == voter, "Committees: not the voter of the leaf"
        outcome: uint8 = convert(head & 255, uint8)
        if outcome == leaf.outcome:
            equal += 1
        else:
            assert leaf.outcome == CLIENT_FAULT and outcome == REJECTED, "Committees: vote for another outcome"
        packed: Bytes[96] = slice(votes, i * VOTE_BYTES + 5, 96)
        self._check_signature(leaf, convert(voter, uint32), outcome, packed, sealed_at)
    assert left == 0, "Committees: a voter without a vote"
    assert leaf.outcome in [ACCEPTED, REJECTED, CLIENT_FAULT], "Committees: no such outcome"
    if equal < needed:
        assert rejected_before and count - equal >= needed, "Committees: too few votes"
    return count


@internal
@view
def _check_signature(
    leaf: IBatches.BatchLeaf, voter: uint32, outcome: uint8, packed: Bytes[96], sealed_at: uint256
):
    # packed: measured, r, vs
    struct_hash: bytes32 = keccak256(
        abi_encode(
            VOTE_TYPEHASH, leaf.task, leaf.attempt, voter, leaf.result, outcome, extract32(packed, 0)
        )
    )
    signer: address = eip712._recover_packed(struct_hash, extract32(packed, 32), extract32(packed, 64))
    if signer != staticcall _REGISTRY.operator_of(voter):
        # A key that has been replaced since still counts: its vote was given while it was the operator's.
        assert staticcall _REGISTRY.node_of_operator(signer) == voter, "Committees: not signed by the voter"
        assert staticcall _REGISTRY.operator_until(signer) >= sealed_at, "Committees: signed by a former operator"


@internal
@view
def _check_rejected_before(leaf: IBatches.BatchLeaf, earlier: IBatches.Inclusion):
    # Another operator's earlier attempt at the same task was rejected, and stands: then a rejection is client_fault.
    other: IBatches.BatchLeaf = earlier.leaf
    assert other.task == leaf.task and other.attempt < leaf.attempt, "Committees: not an earlier attempt"
    assert other.outcome == REJECTED, "Committees: the earlier attempt was not rejected"
    assert (
        staticcall _REGISTRY.owner_of(other.node) != staticcall _REGISTRY.owner_of(leaf.node)
    ), "Committees: the same operator twice"
    assert staticcall _BATCHES.verify(earlier.header, other, earlier.index, earlier.proof), "Committees: no such leaf"
    commitment: bytes32 = keccak256(abi_encode(earlier.header))
    assert (staticcall _BATCHES.batch(commitment)).status != CANCELLED, "Committees: batch cancelled"
    assert not staticcall _BATCHES.is_void(commitment, earlier.index), "Committees: leaf void"


@internal
@view
def _prepare(
    manager: uint32, leaf: IBatches.BatchLeaf, index: uint32, sealed_at: uint256, client: address
) -> Draw:
    # The roster is the newest one that was final before the block in which the seed was sealed: one of that block may have
    # been chosen by the seed.
    roster: IRosters.Term = staticcall _ROSTERS.term(VERIFIERS, index)
    assert roster.since != 0 and convert(roster.since, uint256) < sealed_at, "Committees: roster not in force"
    assert roster.until == 0 or convert(roster.until, uint256) >= sealed_at, "Committees: roster not in force"
    seed: bytes32 = staticcall _BATCHES.seed(manager, leaf.anchor)
    assert seed != empty(bytes32), "Committees: no seed"
    return Draw(
        seed=seed,
        root=roster.root,
        total=convert(roster.total, uint256),
        client=client,
        worker=staticcall _REGISTRY.owner_of(leaf.node),
    )


@internal
@view
def _is_fit(node: uint32, voters: bytes32, draw: Draw) -> bool:
    owner: address = staticcall _REGISTRY.owner_of(node)
    if owner == draw.client or owner == draw.worker:
        return False
    # Whoever voted was active then; whatever became of it since, its seat was its own.
    return self._is_voter(voters, node) or (staticcall _REGISTRY.terms(node)).status == ACTIVE


@internal
@pure
def _check_drawn(
    leaf: IBatches.BatchLeaf,
    draw: Draw,
    shares: DynArray[uint256, 12],
    fits: uint256,
    voters: uint256,
    seats: uint256,
):
    # Walks the draws until each voter has its seat, and no further than the seats there are.
    taken: uint256 = 0
    missing: uint256 = voters
    met: uint256 = 0
    for i: uint256 in range(draws.MAX_DRAWS):
        if missing == 0:
            break
        position: uint256 = draws._position(draw.seed, leaf.task, draws.VERIFIER, leaf.attempt, i, draw.total)
        known: uint256 = self._find(shares, position)
        if known == len(shares):
            taken += 1
        elif met & (1 << known) == 0:
            met |= 1 << known
            if fits & (1 << known) != 0:
                taken += 1
                if self._is_voter(leaf.voters, draws._node(shares[known])):
                    missing -= 1
        assert taken <= seats, "Committees: a voter was not drawn"
    assert missing == 0, "Committees: a voter was not drawn"


@internal
@pure
def _find(shares: DynArray[uint256, 12], position: uint256) -> uint256:
    # Place of the share that a position hits; the number of shares for none.
    for i: uint256 in range(len(shares), bound=12):
        if draws._is_hit(shares[i], position):
            return i
    return len(shares)


@internal
@pure
def _is_voter(voters: bytes32, node: uint32) -> bool:
    left: uint256 = convert(voters, uint256)
    for i: uint256 in range(MAX_VOTERS):
        if left >> 224 == convert(node, uint256):
            return True
        left <<= 32
    return False
