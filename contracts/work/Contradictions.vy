# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
# pragma nonreentrancy on
"""
@title Contradictions
@license AGPL-3.0-only
@author Inferix
@notice What a false vote costs its verifier. Anybody names a signed vote that says accepted or rejected, with a bond; a panel of
        verifiers, drawn as for an appeal, renders the tiles of that vote again. Where they say otherwise, beyond the noise that was
        calibrated, the verifier loses a share of its stake and is jailed. Where they do not, half of the bond is burned, half
        is the verifier's owner's; where nobody decides, the verifier keeps all, and half of the bond is burned.
@custom:security A vote is contradicted once ever. Until it is decided the verifier's stake cannot be withdrawn, no more: it goes on
                 working, or a bond would stop an honest one. The client, the worker, the challenger, the verifier, all nodes of
                 their owners, and the voters of the leaf have no seat. Who reports gets half of what it takes beyond the
                 share, as much as is burned of that: nobody gains by a friend's conviction.
@custom:kill None: what was opened must be able to end. The windows stand still while the protocol is paused.
"""

from ..interfaces import IBatches
from ..interfaces import IContradictions
from ..interfaces import IDisputes
from ..interfaces import IIfxDollar
from ..interfaces import INodeRegistry
from ..interfaces import IRosters
from ..interfaces import IStaking
from ..modules import bonds
from ..modules import eip712
from ..modules import governed
from ..modules import seats
from ..modules import verdicts

implements: IContradictions
initializes: governed
initializes: eip712
initializes: bonds[governed := governed]
initializes: seats[eip712 := eip712, governed := governed]
initializes: verdicts[governed := governed, seats := seats]


exports: (
    governed.parameters,
    seats.panel,
    seats.ballot,
)


VOTE_TYPEHASH: constant(bytes32) = keccak256(
    "Vote(bytes32 task,uint8 attempt,uint32 node,bytes32 result,uint8 outcome,bytes32 measured)"
)

VERIFIER: constant(uint8) = 2
JAILED: constant(uint8) = 3
FINAL: constant(uint8) = 2
ACCEPTED: constant(uint8) = 1
REJECTED_RESULT: constant(uint8) = 2

OPEN: constant(uint8) = 1
UPHELD: constant(uint8) = 2
REJECTED: constant(uint8) = 3
UNDECIDED: constant(uint8) = 4

BPS: constant(uint256) = 10_000


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)
_IFX_DOLLAR: immutable(IIfxDollar)
_BATCHES: immutable(IBatches)


# By the digest of the vote, for ever
_contradictions: HashMap[bytes32, IContradictions.Contradiction]


@deploy
def __init__(
    parameters: address,
    registry: address,
    staking: address,
    ifx: address,
    ifx_dollar: address,
    batches: address,
    rosters: address,
):
    """
    @notice Starts without contradictions; needs no wiring.
    """
    governed.__init__(parameters)
    eip712.__init__(registry)
    bonds.__init__(registry, staking, ifx)
    seats.__init__(registry)
    verdicts.__init__(staking, rosters)
    assert empty(address) not in [ifx_dollar, batches], "Contradictions: empty address"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)
    _BATCHES = IBatches(batches)


@external
def contradict(
    vote: IDisputes.Vote, signature: Bytes[65], final: IBatches.Inclusion, node: uint32, reason: bytes32
) -> bytes32:
    """
    @notice Says that the tiles of a vote, rendered again, say otherwise. Once a vote, as long as its verifier has stake, bonded
            or unbonding; which cannot be withdrawn until this is decided.
    @param vote Accepted or rejected: others blame and pay nobody for pixels.
    @param signature Of the vote, by a present or former operator of the verifier.
    @param final The leaf of the vote's attempt, in a final batch, void or not: its client, worker and voters have no seat.
    @param node Whose stake is the bond; the caller is its owner or operator. 0: the caller's IFX.
    @param reason Digest of the document that says what is wrong.
    @return Id of the contradiction: digest of the vote.
    """
    struct_hash: bytes32 = keccak256(abi_encode(VOTE_TYPEHASH, vote))
    id: bytes32 = eip712._digest(struct_hash)
    assert self._contradictions[id].status == 0, "Contradictions: contradicted before"
    assert vote.outcome in [ACCEPTED, REJECTED_RESULT], "Contradictions: neither accepted nor rejected"
    signer: address = eip712._recover(struct_hash, signature)
    assert (
        vote.node != 0 and staticcall _REGISTRY.node_of_operator(signer) == vote.node
    ), "Contradictions: not signed by the verifier"
    assert (staticcall _REGISTRY.terms(vote.node)).role == VERIFIER, "Contradictions: not a verifier"
    self._check_final(vote, final)
    assert self._stake(vote.node) != 0, "Contradictions: no stake left"
    opened: IContradictions.Contradiction = IContradictions.Contradiction(
        status=OPEN,
        verifier=vote.node,
        share=staticcall _STAKING.required(vote.node) * governed._parameter(keccak256("slash_failed_bps")) // BPS,
        worker=final.leaf.node,
        account=final.leaf.account,
        voters=final.leaf.voters,
        opened_at=convert(governed._clock(), uint40),
        challenger=bonds._bondholder(node),
        node=node,
        bond=bonds._amount(),
        is_referred=False,
    )
    self._contradictions[id] = opened
    verdicts._summon(id)
    bonds._take(node, opened.bond)
    extcall _STAKING.hold(vote.node)
    log IContradictions.VoteContradicted(
        id=id,
        verifier=vote.node,
        task=vote.task,
        attempt=vote.attempt,
        result=vote.result,
        outcome=vote.outcome,
        measured=vote.measured,
        challenger=opened.challenger,
        reason=reason,
        share=opened.share,
        node=node,
        bond=opened.bond,
        block=convert(block.number, uint40),
    )
    return id


@external
def seal(id: bytes32):
    """
    @notice Makes the panel's seed out of the hash of the block after the opening; where that is out of reach, this block takes
            the opening's place. Anybody, from the second block after the opening on.
    """
    self._check_open(id)
    seats._seal(id)


@external
def seat(id: bytes32, members: DynArray[IRosters.RosterLeaf, 16], proofs: DynArray[DynArray[bytes32, 64], 16]):
    """
    @notice Fills the panel's seats in the order of the draws. Misfits (not active, an owner of a party, a voter of the leaf) are
            shown too, and get none. Anybody.
    @param members The next nodes of the verifiers' roster that the draws hit for the first time. Possibly none, to
           complete a panel whose draws are used up.
    @param proofs Of each member.
    """
    seats._seat(id, self._parties(self._check_open(id)), members, proofs)


@external
def vote(id: bytes32, node: uint32, upheld: bool, measured: bytes32, signature: Bytes[65]):
    """
    @notice Counts the vote of a seat, within the panel's window. Anybody.
    @param upheld The tiles say otherwise than the vote in question.
    @param measured Digest of the measurement that the seat's vote rests on.
    @param signature PanelVote, by the node's operator.
    """
    self._check_open(id)
    verdicts._vote(id, node, upheld, measured, signature)


@external
def resolve(id: bytes32):
    """
    @notice Ends it by the panel's majority, a tie acquits; where no panel came about, refers it to the governor; where that one
            is silent too, nothing happens to the verifier, and half of the bond is burned. Anybody.
    """
    opened: IContradictions.Contradiction = self._check_open(id)
    if opened.is_referred:
        verdicts._check_silent(opened.opened_at)
        self._close(id, opened, UNDECIDED)
        bonds._forfeit(opened.node, opened.bond, opened.challenger)
        return
    verdict: uint8 = verdicts._count(id, opened.opened_at)
    if verdict == verdicts.NO_VERDICT:
        self._contradictions[id].is_referred = True
        log IContradictions.ContradictionReferred(id=id)
    else:
        self._judge(id, opened, verdict == verdicts.UPHELD)


@external
def decide(id: bytes32, upheld: bool):
    """
    @notice Decides what was referred, within 14 days of the opening. Governor only.
    """
    opened: IContradictions.Contradiction = self._check_open(id)
    verdicts._check_governor(opened.is_referred, opened.opened_at)
    self._judge(id, opened, upheld)


@external
@view
def contradiction(id: bytes32) -> IContradictions.Contradiction:
    """
    @notice A contradiction; status 0 when there is none.
    """
    return self._contradictions[id]


@external
@view
def bond() -> uint256:
    """
    @notice What a contradiction costs its loser now [wei].
    """
    return bonds._amount()


@internal
def _judge(id: bytes32, opened: IContradictions.Contradiction, upheld: bool):
    if not upheld:
        self._close(id, opened, REJECTED)
        bonds._forfeit(opened.node, opened.bond, staticcall _REGISTRY.owner_of(opened.verifier))
        return
    bonds._give_back(opened.challenger, opened.node, opened.bond)
    taken: uint256 = bonds._slash(opened.verifier, opened.share, opened.challenger)
    extcall _REGISTRY.set_status(opened.verifier, JAILED)
    log IContradictions.VerifierPunished(id=id, verifier=opened.verifier, amount=taken)
    self._close(id, opened, UPHELD)


@internal
def _close(id: bytes32, opened: IContradictions.Contradiction, status: uint8):
    self._contradictions[id].status = status
    extcall _STAKING.release_hold(opened.verifier)
    log IContradictions.ContradictionClosed(id=id, status=status)


@internal
@view
def _check_open(id: bytes32) -> IContradictions.Contradiction:
    opened: IContradictions.Contradiction = self._contradictions[id]
    assert opened.status == OPEN, "Contradictions: not open"
    return opened


@internal
@view
def _check_final(vote: IDisputes.Vote, final: IBatches.Inclusion):
    # What is final was in everybody's sight for a window: its voters can be demanded.
    assert staticcall _BATCHES.verify(final.header, final.leaf, final.index, final.proof), "Contradictions: no such leaf"
    status: uint8 = (staticcall _BATCHES.batch(keccak256(abi_encode(final.header)))).status
    assert status == FINAL, "Contradictions: not final"
    assert (
        final.leaf.task == vote.task and final.leaf.attempt == vote.attempt
    ), "Contradictions: not the leaf of the vote's attempt"


@internal
@view
def _stake(node: uint32) -> uint256:
    # All that a slash can reach [wei]
    return (
        staticcall _STAKING.bonded(node)
        + staticcall _STAKING.unbonding(node)
        + staticcall _STAKING.delegated_unbonding(node)
    )


@internal
@view
def _parties(opened: IContradictions.Contradiction) -> seats.Parties:
    return seats.Parties(
        owners=[
            (staticcall _IFX_DOLLAR.account(opened.account)).owner,
            staticcall _REGISTRY.owner_of(opened.worker),
            staticcall _REGISTRY.owner_of(opened.verifier),
            opened.challenger,
        ],
        voters=opened.voters,
    )
