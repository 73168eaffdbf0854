# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
# pragma nonreentrancy on
"""
@title Objections
@license AGPL-3.0-only
@author Inferix
@notice Decides what no contract can compute: whether outcomes are what the rules give, and leaves of rosters and accounts.
        Anybody objects within the window, with a bond; a panel of verifiers, drawn as for an appeal, decides, the governor where
        none comes about. Upheld: leaves of a batch are voided one by one, a root falls; its proposer is punished, as is a
        manager for what it alone says of an outcome. Rejected: half of the bond is burned, half is the proposer's.
@custom:security An objection holds up what it names, once, for 28 days at most: 14 until it is decided, the rest for the leaves
                 to be shown; those that nobody showed stand. A manager that followed the votes pays nothing. What nobody decides
                 costs half of the bond, or objections would be free where there is no panel. Who holds up what everybody is
                 paid by puts up a part of that. Parties, voters of the first leaf,
                 and all nodes of the parties' owners have no seat.
@custom:kill None: an objection must be able to end. The windows stand still while the protocol is paused.
"""

from ..interfaces import IAccounts
from ..interfaces import IBatches
from ..interfaces import IEscape
from ..interfaces import IIfxDollar
from ..interfaces import INodeRegistry
from ..interfaces import IObjections
from ..interfaces import IRosters
from ..interfaces import IStaking
from ..modules import bonds
from ..modules import eip712
from ..modules import governed
from ..modules import objection_words
from ..modules import penalties
from ..modules import seats
from ..modules import verdicts

implements: IObjections
initializes: governed
initializes: eip712
initializes: bonds[governed := governed]
initializes: penalties[bonds := bonds, governed := governed]
initializes: objection_words
initializes: seats[eip712 := eip712, governed := governed]
initializes: verdicts[governed := governed, seats := seats]


exports: (
    governed.parameters,
    objection_words.objection,
    seats.panel,
    seats.ballot,
)


OUTCOMES: constant(uint8) = 1
ROSTER: constant(uint8) = 2
ACCOUNTS: constant(uint8) = 3
NODES: constant(uint8) = 4

PROPOSED: constant(uint8) = 1

BPS: constant(uint256) = 10_000
# Bond against accounts, of the rewards that they add: what a fortnight later costs who waits for them, at 13 % a year
HELD_UP_BPS: constant(uint256) = 50

# From the objection: what nobody showed until then to have it voided stands [s]
VOID_TERM: public(constant(uint256)) = 28 * 86400


# Whom the first leaf names
struct Leaf:
    account: uint32
    node: uint32
    voters: bytes32


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)
_IFX_DOLLAR: immutable(IIfxDollar)
_BATCHES: immutable(IBatches)
_ROSTERS: immutable(IRosters)
_ACCOUNTS: immutable(IAccounts)


_leaves: HashMap[bytes32, Leaf]
# Batches whose manager was fined for what it alone says
_fined: HashMap[bytes32, bool]


@deploy
def __init__(
    parameters: address,
    registry: address,
    staking: address,
    ifx: address,
    ifx_dollar: address,
    batches: address,
    rosters: address,
    accounts: address,
):
    """
    @notice Starts without objections; needs no wiring.
    """
    governed.__init__(parameters)
    eip712.__init__(registry)
    bonds.__init__(registry, staking, ifx)
    penalties.__init__(registry, staking)
    seats.__init__(registry)
    verdicts.__init__(staking, rosters)
    assert empty(address) not in [ifx_dollar, batches, accounts], "Objections: empty address"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)
    _BATCHES = IBatches(batches)
    _ROSTERS = IRosters(rosters)
    _ACCOUNTS = IAccounts(accounts)


@external
def object_outcomes(
    header: IBatches.BatchHeader,
    leaf: IBatches.BatchLeaf,
    proof: DynArray[bytes32, 64],
    places: DynArray[uint16, 64],
    is_managers: bool,
    node: uint32,
    reason: bytes32,
) -> bytes32:
    """
    @notice Says, within a batch's window, that outcomes in it are not what the rules give. The batch waits until this is
            decided and, where it is upheld, until all leaves named are void.
    @param leaf Of the first place: its client, its worker's owner and its voters have no seat. All leaves are tasks of one job, or
           the panel rejects it.
    @param proof Of that leaf.
    @param places Indices of leaves in the batch, ascending.
    @param is_managers What is wrong is what no vote says: work, charge, account, worker, anchor, or that an attempt is late or
           void. Upheld, its manager is punished; the panel rejects it where the votes are what is wrong.
    @param node Whose stake is the bond; the caller is its owner or operator. 0: the caller's IFX.
    @param reason Digest of the document that says what is wrong.
    @return Id of the objection.
    """
    self._check_places(places, header.count)
    assert staticcall _BATCHES.verify(header, leaf, convert(places[0], uint256), proof), "Objections: no such leaf"
    commitment: bytes32 = keccak256(abi_encode(header))
    objection: IObjections.Objection = empty(IObjections.Objection)
    objection.kind = OUTCOMES
    objection.of = convert(is_managers, uint8)
    id: bytes32 = self._outcomes_id(commitment, objection.of, places)
    objection.subject = commitment
    objection.place = convert(len(places), uint32)
    objection.manager = header.manager
    objection.node = node
    self._leaves[id] = Leaf(account=leaf.account, node=leaf.node, voters=leaf.voters)
    # Reverts unless the batch is proposed and its window open.
    extcall _BATCHES.open_dispute(commitment)
    objection = self._open(id, objection)
    log IObjections.OutcomesObjected(
        id=id,
        commitment=commitment,
        challenger=objection.challenger,
        places=places,
        is_managers=is_managers,
        reason=reason,
        node=node,
        bond=objection.bond,
        block=convert(block.number, uint40),
    )
    return id


@external
def object_leaf(
    kind: uint8, of: uint8, index: uint32, root: bytes32, place: uint32, node: uint32, reason: bytes32
) -> bytes32:
    """
    @notice Says, within the window of a roster or of accounts, that a leaf is not what the chain gives. The root waits until
            this is decided. A place that should have a leaf and has none may be named too.
    @param kind 2 a roster, 3 accounts, 4 nodes of an accounts root.
    @param of The roster's kind, else 0.
    @param root Hash of the root, whose index this is.
    @param place Id of the node or account.
    @param node As in `object_outcomes`.
    @param reason As in `object_outcomes`.
    @return Id of the objection.
    """
    objection: IObjections.Objection = empty(IObjections.Objection)
    objection.kind = kind
    objection.subject = root
    objection.of = of
    objection.index = index
    objection.place = place
    objection.node = node
    # Reverts unless the root with this index waits and its window is open.
    if kind == ROSTER:
        extcall _ROSTERS.open_dispute(of, index)
    else:
        assert kind in [ACCOUNTS, NODES] and of == 0, "Objections: no such kind"
        extcall _ACCOUNTS.open_dispute(index)
    objection.manager = self._proposer_of_root(objection)
    assert objection.manager != 0, "Objections: no such root waits"
    id: bytes32 = keccak256(abi_encode(kind, of, index, root, place))
    objection = self._open(id, objection)
    log IObjections.LeafObjected(
        id=id,
        kind=kind,
        of=of,
        index=index,
        root=root,
        place=place,
        challenger=objection.challenger,
        reason=reason,
        node=node,
        bond=objection.bond,
        block=convert(block.number, uint40),
    )
    return id


@external
def seal(id: bytes32):
    """
    @notice Makes the panel's seed out of the hash of the block after the objection; where that is out of reach, this
            block takes the objection's place. Anybody, from the second block after the objection on.
    """
    self._check_open(id)
    seats._seal(id)


@external
def seat(id: bytes32, members: DynArray[IRosters.RosterLeaf, 16], proofs: DynArray[DynArray[bytes32, 64], 16]):
    """
    @notice Fills the panel's seats in the order of the draws. Misfits (not active, an owner of a party, a voter of the first
            leaf) are shown too, and get none. Anybody.
    @param members The next nodes of the verifiers' roster that the draws hit for the first time. Possibly none, to
           complete a panel whose draws are used up.
    @param proofs Of each member.
    """
    seats._seat(id, self._parties(id, self._check_open(id)), members, proofs)


@external
def vote(id: bytes32, node: uint32, upheld: bool, measured: bytes32, signature: Bytes[65]):
    """
    @notice Counts the vote of a seat, within the panel's window. Anybody.
    @param upheld The objection is right.
    @param measured Digest of the measurement that the vote rests on.
    @param signature PanelVote, by the node's operator.
    """
    self._check_open(id)
    verdicts._vote(id, node, upheld, measured, signature)


@external
def resolve(id: bytes32):
    """
    @notice Ends an objection: at once, the bond back, when what it is about fell otherwise; by the panel's majority, a tie
            rejects; where no panel came about, refers it to the governor; where that one is silent too, what it is about
            falls (but for a batch that stands alone, which has shown what it rests on), and half of the bond is burned. Of an
            upheld one whose leaves are not all void 28 days after it, the rest stands. Anybody.
    """
    objection: IObjections.Objection = objection_words._read(id)
    if objection.unvoided != 0:
        assert verdicts._is_over(objection.opened_at, VOID_TERM), "Objections: leaves may still be voided"
        objection_words._unvoided[id] = 0
        extcall _BATCHES.close_dispute(objection.subject)
        return
    self._check_open(id)
    if not self._waits(objection):
        self._set_status(id, objection, objection_words.DROPPED)
        bonds._give_back(objection.challenger, objection.node, objection.bond)
        log IObjections.ObjectionClosed(id=id, status=objection_words.DROPPED)
    elif objection.is_referred:
        verdicts._check_silent(objection.opened_at)
        self._uphold(id, objection, objection_words.UNDECIDED)
    else:
        verdict: uint8 = verdicts._count(id, objection.opened_at)
        if verdict == verdicts.NO_VERDICT:
            objection.is_referred = True
            objection_words._write(id, objection)
            log IObjections.ObjectionReferred(id=id)
        else:
            self._judge(id, objection, verdict == verdicts.UPHELD)


@external
def decide(id: bytes32, upheld: bool):
    """
    @notice Decides what was referred, within 14 days of the objection. Governor only.
    """
    objection: IObjections.Objection = self._check_open(id)
    verdicts._check_governor(objection.is_referred, objection.opened_at)
    assert self._waits(objection), "Objections: fell otherwise"
    self._judge(id, objection, upheld)


@external
def void(
    id: bytes32,
    header: IBatches.BatchHeader,
    leaf: IBatches.BatchLeaf,
    at: uint256,
    proof: DynArray[bytes32, 64],
    places: DynArray[uint16, 64],
):
    """
    @notice Voids a leaf that an upheld or undecided objection names; with the last of them the batch goes on. One that another
            objection voided before is counted alone. Anybody.
    @param at Which of the places.
    @param places As they were objected to.
    """
    commitment: bytes32 = keccak256(abi_encode(header))
    named: bytes32 = self._outcomes_id(commitment, objection_words._read(id).of, places)
    assert id == named, "Objections: not what it names"
    assert at < len(places), "Objections: no such place"
    unvoided: uint256 = objection_words._unvoided[id]
    assert unvoided >> at & 1 == 1, "Objections: not to be voided"
    unvoided ^= 1 << at
    objection_words._unvoided[id] = unvoided
    index: uint256 = convert(places[at], uint256)
    if not staticcall _BATCHES.is_void(commitment, index):
        extcall _BATCHES.void_leaf(header, leaf, index, proof)
    if unvoided == 0:
        extcall _BATCHES.close_dispute(commitment)


@external
@view
def bond() -> uint256:
    """
    @notice What an objection to outcomes, or to a roster, costs its loser now [wei].
    """
    return bonds._amount()


@external
@view
def accounts_bond() -> uint256:
    """
    @notice What an objection to the accounts that wait costs its loser now [wei]: 0.5 % of the rewards that they add, at
            most `root_bond`, so that a manager's stake reaches, and never less than `bond`.
    """
    return self._accounts_bond()


@internal
def _open(id: bytes32, named: IObjections.Objection) -> IObjections.Objection:
    # Takes the bond and summons the panel.
    objection: IObjections.Objection = named
    objection.challenger = bonds._bondholder(named.node)
    if named.kind in [ACCOUNTS, NODES]:
        objection.bond = self._accounts_bond()
        # Delegators would bear most of it.
        assert staticcall _STAKING.delegated(named.node) == 0, "Objections: others' stake"
    else:
        objection.bond = bonds._amount()
    objection.opened_at = convert(governed._clock(), uint40)
    objection_words._begin(id, objection)
    verdicts._summon(id)
    bonds._take(objection.node, objection.bond)
    return objection


@internal
@view
def _accounts_bond() -> uint256:
    part: uint256 = staticcall _ACCOUNTS.added() * HELD_UP_BPS // BPS
    return max(bonds._amount(), min(part, bonds._in_ifx(governed._parameter(keccak256("root_bond")))))


@internal
def _judge(id: bytes32, objection: IObjections.Objection, upheld: bool):
    if upheld:
        self._uphold(id, objection, objection_words.UPHELD)
        return
    self._set_status(id, objection, objection_words.REJECTED)
    if objection.kind == OUTCOMES:
        extcall _BATCHES.close_dispute(objection.subject)
    elif objection.kind == ROSTER:
        extcall _ROSTERS.close_dispute(objection.of, objection.index)
    else:
        extcall _ACCOUNTS.close_dispute(objection.index)
    winner: address = self._proposer_alone(objection)
    if winner == empty(address):
        winner = staticcall _REGISTRY.owner_of(objection.manager)
    bonds._forfeit(objection.node, objection.bond, winner)
    log IObjections.ObjectionClosed(id=id, status=objection_words.REJECTED)


@internal
def _uphold(id: bytes32, objection: IObjections.Objection, status: uint8):
    # What it is about falls. If somebody said that it is false, the bond goes back, and who lied pays.
    self._set_status(id, objection, status)
    is_alone: bool = self._proposer_alone(objection) != empty(address)
    if status == objection_words.UPHELD:
        bonds._give_back(objection.challenger, objection.node, objection.bond)
    else:
        bonds._forfeit(objection.node, objection.bond, objection.challenger)
    if objection.kind == OUTCOMES and is_alone and status == objection_words.UNDECIDED:
        extcall _BATCHES.close_dispute(objection.subject)
    elif objection.kind == OUTCOMES:
        objection_words._unvoided[id] = (1 << convert(objection.place, uint256)) - 1
    elif objection.kind == ROSTER:
        extcall _ROSTERS.cancel(objection.of, objection.index)
    else:
        extcall _ACCOUNTS.cancel(objection.index)
    # Of a batch that stands alone the proposer's bond is burned with its leaf. A batch's faults are fined once, as a lie is:
    # the same ones may be named in any combination.
    is_lie: bool = objection.kind != OUTCOMES
    if objection.kind == OUTCOMES and objection.of == 1 and status == objection_words.UPHELD and not is_alone:
        is_lie = not self._fined[objection.subject]
        self._fined[objection.subject] = True
    if is_lie and status == objection_words.UPHELD:
        penalties._punish_poster(objection.manager, objection.challenger)
    log IObjections.ObjectionClosed(id=id, status=status)


@internal
def _set_status(id: bytes32, objection: IObjections.Objection, status: uint8):
    changed: IObjections.Objection = objection
    changed.status = status
    objection_words._write(id, changed)


@internal
@view
def _check_open(id: bytes32) -> IObjections.Objection:
    objection: IObjections.Objection = objection_words._read(id)
    assert objection.status == objection_words.OPEN, "Objections: not open"
    return objection


@internal
@view
def _waits(objection: IObjections.Objection) -> bool:
    # Whether what it is about has not fallen; while it is open, nothing of it becomes final.
    if objection.kind == OUTCOMES:
        return (staticcall _BATCHES.batch(objection.subject)).status == PROPOSED
    if objection.kind != ROSTER:
        return staticcall _ACCOUNTS.is_undecided(objection.index)
    return self._proposer_of_root(objection) != 0


@internal
@view
def _proposer_of_root(objection: IObjections.Objection) -> uint32:
    # Who put the root up that waits now, if it is this one; zero otherwise. The governor's never wait.
    if objection.kind == ROSTER:
        roster: IRosters.Roster = staticcall _ROSTERS.pending(objection.of)
        return roster.manager if roster.index == objection.index and roster.root == objection.subject else 0
    waiting: IAccounts.Root = staticcall _ACCOUNTS.pending()
    hash: bytes32 = waiting.nodes_root if objection.kind == NODES else waiting.accounts_root
    return waiting.manager if waiting.index == objection.index and hash == objection.subject else 0


@internal
@view
def _proposer_alone(objection: IObjections.Objection) -> address:
    # Whose bond stands behind a batch that stands alone; nobody's else.
    if objection.kind != OUTCOMES:
        return empty(address)
    return staticcall IEscape(staticcall _BATCHES.escape()).proposer(objection.subject)


@internal
@view
def _parties(id: bytes32, objection: IObjections.Objection) -> seats.Parties:
    parties: seats.Parties = empty(seats.Parties)
    parties.owners = [staticcall _REGISTRY.owner_of(objection.manager), objection.challenger]
    if objection.kind == OUTCOMES:
        leaf: Leaf = self._leaves[id]
        parties.owners.append((staticcall _IFX_DOLLAR.account(leaf.account)).owner)
        parties.owners.append(staticcall _REGISTRY.owner_of(leaf.node))
        parties.owners.append(self._proposer_alone(objection))
        parties.voters = leaf.voters
    return parties


@internal
@pure
def _check_places(places: DynArray[uint16, 64], count: uint32):
    assert len(places) != 0, "Objections: no places"
    next: uint256 = 0
    for place: uint16 in places:
        assert convert(place, uint256) >= next, "Objections: places not ascending"
        next = convert(place, uint256) + 1
    # Of no tree does a leaf beyond the count exist.
    assert next <= convert(count, uint256), "Objections: no such leaf"


@internal
@pure
def _outcomes_id(commitment: bytes32, of: uint8, places: DynArray[uint16, 64]) -> bytes32:
    return keccak256(abi_encode(commitment, OUTCOMES, of, keccak256(abi_encode(places))))
