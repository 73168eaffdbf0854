# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
# pragma nonreentrancy on
"""
@title Availability
@license AGPL-3.0-only
@author Inferix
@notice Whether what stands behind a root is there for everybody to see: anchors, rosters, accounts (of batches, Disputes asks).
        A dispute asks for a chunk of 64 leaves, with a bond. Posted in time, the bond is lost; else the root is cancelled,
        and whoever put it up is slashed and jailed. An anchor cannot be unsealed: its seed stays, its messages do not count.
@custom:security What a tree hides deeper than it admits is found: all answers about a root must show the same depth, and of
                 a narrower tree than is asked about, the last chunk. A message is shown with its signature, or an anchor of
                 digests alone would be served without anybody knowing what was signed.
@custom:kill None: answers must always work. The protocol's clock, and with it an answer's window, stands still while the
             protocol is paused.
"""

from ..interfaces import IAccounts
from ..interfaces import IAvailability
from ..interfaces import IBatches
from ..interfaces import IDisputes
from ..interfaces import IMerkleSum
from ..interfaces import INodeRegistry
from ..interfaces import IRosters
from ..modules import bonds
from ..modules import dispute_words
from ..modules import eip712
from ..modules import governed
from ..modules import leaves
from ..modules import merkle_sum
from ..modules import penalties

implements: IAvailability
initializes: governed
initializes: eip712
initializes: bonds[governed := governed]
initializes: penalties[bonds := bonds, governed := governed]
initializes: dispute_words[bonds := bonds, governed := governed]


exports: (
    governed.parameters,
    dispute_words.dispute,
)


ANCHOR: constant(uint8) = 1
ROSTER: constant(uint8) = 2
ACCOUNTS: constant(uint8) = 3
NODES: constant(uint8) = 4

# Kinds of a message; 0 is the leaf of an anchor without any
ACCEPTANCE: constant(uint8) = 1
RECEIPT: constant(uint8) = 2
VOTE: constant(uint8) = 3
OPENING: constant(uint8) = 4
PROBE: constant(uint8) = 5

ACCEPTANCE_TYPEHASH: constant(bytes32) = keccak256("Acceptance(bytes32 task,uint8 attempt,uint32 node,uint16 draw)")
RECEIPT_TYPEHASH: constant(bytes32) = keccak256(
    "Receipt(bytes32 task,uint8 attempt,uint32 node,bytes32 result,bytes32 canary)"
)
VOTE_TYPEHASH: constant(bytes32) = keccak256(
    "Vote(bytes32 task,uint8 attempt,uint32 node,bytes32 result,uint8 outcome,bytes32 measured)"
)
PROBE_TYPEHASH: constant(bytes32) = keccak256("Probe(uint32 manager,uint32 anchor,uint32 node,bytes32 seed)")
OPENING_TYPEHASH: constant(bytes32) = keccak256(
    "CanaryOpening(bytes32 task,uint8 attempt,uint32 node,bool isCanary,bytes32 salt)"
)

CHUNK_HEIGHT: constant(uint256) = 6
# Places of a tree are ids of 32 bits
MAX_CHUNKS: constant(uint32) = 2**26


# Who put a root up, zero when it does not wait (any more), and the sum of its tree
struct Claim:
    proposer: uint32
    sum: uint256


_REGISTRY: immutable(INodeRegistry)
_BATCHES: immutable(IBatches)
_ROSTERS: immutable(IRosters)
_ACCOUNTS: immutable(IAccounts)


# id of a root => 1 + the depth of its tree, as the first answer showed it
_depths: HashMap[bytes32, uint256]
# ids of anchors that were not served
_cancelled: HashMap[bytes32, bool]


@deploy
def __init__(
    parameters: address,
    registry: address,
    staking: address,
    ifx: address,
    batches: address,
    rosters: address,
    accounts: address,
):
    """
    @notice Starts without disputes; needs no wiring.
    """
    governed.__init__(parameters)
    eip712.__init__(registry)
    bonds.__init__(registry, staking, ifx)
    penalties.__init__(registry, staking)
    dispute_words.__init__(registry)
    assert empty(address) not in [batches, rosters, accounts], "Availability: empty address"
    _REGISTRY = INodeRegistry(registry)
    _BATCHES = IBatches(batches)
    _ROSTERS = IRosters(rosters)
    _ACCOUNTS = IAccounts(accounts)


@external
def challenge(root: IAvailability.Root, chunk: uint32, node: uint32, block_hash: bytes32) -> bytes32:
    """
    @notice Asks for 64 leaves of a root: of a roster or accounts within their windows, of an anchor until `batch_window`
            after its seal. Once a chunk. Chunks beyond the tree may be asked for too: how wide it is, is for the
            proposer to show.
    @param node Whose stake is the bond; the caller is its owner or operator. 0: the caller's IFX.
    @param block_hash Of the block after an anchor's, as it went into the seed; zero for other roots.
    @return Id of the dispute.
    """
    assert chunk < MAX_CHUNKS, "Availability: no such chunk"
    assert self._find(root).proposer != 0, "Availability: no such root waits"
    id: bytes32 = self._id(root, chunk)
    dispute: IDisputes.Dispute = dispute_words._begin(id, node)
    if root.kind == ANCHOR:
        self._check_anchor(root, block_hash)
    elif root.kind == ROSTER:
        extcall _ROSTERS.open_dispute(convert(root.of, uint8), root.index)
    else:
        extcall _ACCOUNTS.open_dispute(root.index)
    bonds._take(node, dispute.bond)
    log IAvailability.RootDisputed(
        id=id,
        kind=root.kind,
        of=root.of,
        index=root.index,
        root=root.root,
        chunk=chunk,
        challenger=dispute.challenger,
        node=node,
        bond=dispute.bond,
        until=dispute.until,
    )
    return id


@external
def answer_anchor(
    root: IAvailability.Root,
    chunk: uint32,
    messages: DynArray[IAvailability.Message, 64],
    proof: DynArray[bytes32, 64],
):
    """
    @notice Posts the messages of the chunk that a dispute asks about. Anybody; what is won goes to the manager's owner.
    @param messages All of the chunk, or, of an anchor that ends before it, of the last one; each signed by a key that is
           or was its node's.
    @param proof Siblings from the chunk's subtree up; none when the whole anchor is one chunk.
    """
    assert root.kind == ANCHOR, "Availability: not an anchor"
    nodes: DynArray[IMerkleSum.SumNode, 64] = []
    for message: IAvailability.Message in messages:
        nodes.append(leaves._message(self._digest(message)))
    self._answer(root, chunk, nodes, proof)
    log IAvailability.MessagesPosted(
        manager=root.of,
        index=root.index,
        chunk=self._shown(chunk, proof),
        chunks=convert(1 << (len(proof) // 2), uint32),
        messages=messages,
    )


@external
def answer_roster(
    root: IAvailability.Root,
    chunk: uint32,
    chunk_leaves: DynArray[IRosters.RosterLeaf, 64],
    proof: DynArray[bytes32, 64],
):
    """
    @notice Posts a chunk of a roster, as `answer_anchor` does; an empty place is a leaf of node 0.
    """
    assert root.kind == ROSTER, "Availability: not a roster"
    nodes: DynArray[IMerkleSum.SumNode, 64] = []
    for leaf: IRosters.RosterLeaf in chunk_leaves:
        if self._is_placed(leaf.node, self._first(chunk, proof) + len(nodes)):
            nodes.append(leaves._roster(leaf))
        else:
            nodes.append(empty(IMerkleSum.SumNode))
    self._answer(root, chunk, nodes, proof)
    log IAvailability.RosterShown(
        of=root.of, index=root.index, chunk=self._shown(chunk, proof), leaves=chunk_leaves
    )


@external
def answer_accounts(
    root: IAvailability.Root,
    chunk: uint32,
    chunk_leaves: DynArray[IAccounts.AccountLeaf, 64],
    proof: DynArray[bytes32, 64],
):
    """
    @notice Posts a chunk of clients' accounts, as `answer_anchor` does; an empty place is a leaf of account 0.
    """
    assert root.kind == ACCOUNTS, "Availability: not of accounts"
    nodes: DynArray[IMerkleSum.SumNode, 64] = []
    for leaf: IAccounts.AccountLeaf in chunk_leaves:
        if self._is_placed(leaf.account, self._first(chunk, proof) + len(nodes)):
            nodes.append(leaves._account(leaf))
        else:
            nodes.append(empty(IMerkleSum.SumNode))
    self._answer(root, chunk, nodes, proof)
    log IAvailability.AccountsShown(index=root.index, chunk=self._shown(chunk, proof), leaves=chunk_leaves)


@external
def answer_nodes(
    root: IAvailability.Root,
    chunk: uint32,
    chunk_leaves: DynArray[IAccounts.NodeLeaf, 64],
    proof: DynArray[bytes32, 64],
):
    """
    @notice Posts a chunk of nodes' rewards, as `answer_anchor` does; an empty place is a leaf of node 0, but for place 0,
            which is that leaf's own.
    """
    assert root.kind == NODES, "Availability: not of nodes"
    nodes: DynArray[IMerkleSum.SumNode, 64] = []
    for leaf: IAccounts.NodeLeaf in chunk_leaves:
        place: uint256 = self._first(chunk, proof) + len(nodes)
        if place == 0 or self._is_placed(leaf.node, place):
            nodes.append(leaves._node(leaf))
        else:
            nodes.append(empty(IMerkleSum.SumNode))
    self._answer(root, chunk, nodes, proof)
    log IAvailability.NodesShown(index=root.index, chunk=self._shown(chunk, proof), leaves=chunk_leaves)


@external
def expire(root: IAvailability.Root, chunk: uint32):
    """
    @notice Ends a dispute that nobody answered in time: the root is cancelled. When it fell before, for whatever reason,
            the bond goes back at once. Anybody.
    """
    id: bytes32 = self._id(root, chunk)
    assert dispute_words._read(id).status == dispute_words.OPEN, "Disputes: not open"
    proposer: uint32 = self._find(root).proposer
    if proposer == 0:
        self._give_back(id, dispute_words.DROPPED)
        log IAvailability.RootDisputeDropped(id=id)
        return
    assert governed._clock() > convert(dispute_words._read(id).until, uint256), "Availability: answer window open"
    challenger: address = self._give_back(id, dispute_words.UPHELD)
    log IAvailability.RootDisputeUpheld(id=id)
    if root.kind == ANCHOR:
        self._cancelled[self._root_id(root)] = True
        log IAvailability.AnchorCancelled(manager=root.of, index=root.index)
    elif root.kind == ROSTER:
        extcall _ROSTERS.cancel(convert(root.of, uint8), root.index)
    else:
        extcall _ACCOUNTS.cancel(root.index)
    penalties._punish_poster(proposer, challenger)


@external
@view
def dispute_id(root: IAvailability.Root, chunk: uint32) -> bytes32:
    """
    @notice The one id that a dispute about this chunk of this root has.
    """
    return self._id(root, chunk)


@external
@view
def is_cancelled(manager: uint32, index: uint32, root: bytes32) -> bool:
    """
    @notice Whether an anchor was asked for and not served: then none of its messages counts.
    """
    return self._cancelled[
        self._root_id(IAvailability.Root(kind=ANCHOR, of=manager, index=index, root=root))
    ]


@external
@view
def bond() -> uint256:
    """
    @notice What a dispute costs its loser now [wei].
    """
    return bonds._amount()


@internal
def _answer(
    root: IAvailability.Root,
    chunk: uint32,
    nodes: DynArray[IMerkleSum.SumNode, 64],
    proof: DynArray[bytes32, 64],
):
    id: bytes32 = self._id(root, chunk)
    dispute_words._check_in_time(id)
    claim: Claim = self._find(root)
    assert claim.proposer != 0, "Availability: no such root waits"
    # A tree of more than one chunk has whole ones; else it is as high as its last leaf makes it.
    height: uint256 = CHUNK_HEIGHT
    if len(proof) == 0:
        height = 0
        for h: uint256 in range(CHUNK_HEIGHT):
            if 1 << h < len(nodes):
                height = h + 1
    subtree: IMerkleSum.SumNode = merkle_sum._fold(nodes, height)
    at: uint256 = self._first(chunk, proof) >> CHUNK_HEIGHT
    claimed: IMerkleSum.SumNode = IMerkleSum.SumNode(hash=root.root, sum=claim.sum)
    assert merkle_sum._verify(claimed, subtree, at, proof), "Availability: not the data of the root"
    self._check_depth(self._root_id(root), height + len(proof) // 2)
    dispute: IDisputes.Dispute = dispute_words._end(id, dispute_words.ANSWERED)
    if root.kind == ROSTER:
        extcall _ROSTERS.close_dispute(convert(root.of, uint8), root.index)
    elif root.kind != ANCHOR:
        extcall _ACCOUNTS.close_dispute(root.index)
    bonds._forfeit(dispute.node, dispute.bond, staticcall _REGISTRY.owner_of(claim.proposer))
    log IAvailability.RootServed(id=id)


@internal
def _check_depth(root_id: bytes32, depth: uint256):
    known: uint256 = self._depths[root_id]
    if known == 0:
        self._depths[root_id] = depth + 1
    else:
        assert known == depth + 1, "Availability: another depth than before"


@internal
def _give_back(id: bytes32, status: uint8) -> address:
    # The challenger's bond; returns the challenger.
    dispute: IDisputes.Dispute = dispute_words._end(id, status)
    bonds._give_back(dispute.challenger, dispute.node, dispute.bond)
    return dispute.challenger


@internal
@view
def _find(root: IAvailability.Root) -> Claim:
    # A roster or an accounts root as it waits now; an anchor always, until it is cancelled.
    if root.kind == ANCHOR:
        return Claim(proposer=0 if self._cancelled[self._root_id(root)] else root.of, sum=0)
    if root.kind == ROSTER:
        roster: IRosters.Roster = staticcall _ROSTERS.pending(convert(root.of, uint8))
        is_it: bool = roster.index == root.index and roster.root == root.root
        return Claim(
            proposer=roster.manager if is_it else 0, sum=merkle_sum._pack(convert(roster.total, uint256), 0)
        )
    assert root.kind in [ACCOUNTS, NODES] and root.of == 0, "Availability: no such kind"
    waiting: IAccounts.Root = staticcall _ACCOUNTS.pending()
    hash: bytes32 = waiting.accounts_root
    sum: uint256 = merkle_sum._pack(convert(waiting.spent, uint256), convert(waiting.reserved, uint256))
    if root.kind == NODES:
        hash = waiting.nodes_root
        sum = merkle_sum._pack(convert(waiting.matured, uint256), convert(waiting.vesting, uint256))
    return Claim(proposer=waiting.manager if waiting.index == root.index and hash == root.root else 0, sum=sum)


@internal
@view
def _check_anchor(root: IAvailability.Root, block_hash: bytes32):
    # Sealed, so that its seed shows its root; young, so that nobody has to keep what can no longer be disputed.
    assert staticcall _BATCHES.is_anchored(root.of, root.index, root.root, block_hash), "Availability: no such anchor"
    end: uint256 = (staticcall _BATCHES.sealed_at(root.of, root.index)) + governed._parameter(keccak256("batch_window"))
    assert block.timestamp < end, "Availability: window over"


@internal
@view
def _digest(message: IAvailability.Message) -> bytes32:
    # What was signed, and that it was. All kinds name their node third.
    if message.kind == 0:
        assert len(message.body) == 0 and len(message.signature) == 0, "Availability: no such message"
        return empty(bytes32)
    typehash: bytes32 = VOTE_TYPEHASH
    length: uint256 = 192
    if message.kind == ACCEPTANCE:
        typehash = ACCEPTANCE_TYPEHASH
        length = 128
    elif message.kind == RECEIPT:
        typehash = RECEIPT_TYPEHASH
        length = 160
    elif message.kind == OPENING:
        typehash = OPENING_TYPEHASH
        length = 160
    elif message.kind == PROBE:
        typehash = PROBE_TYPEHASH
        length = 128
    else:
        assert message.kind == VOTE, "Availability: no such message"
    assert len(message.body) == length, "Availability: length of a message"
    struct_hash: bytes32 = keccak256(concat(typehash, message.body))
    signer: address = eip712._recover(struct_hash, message.signature)
    node: uint256 = convert(extract32(message.body, 64), uint256)
    bound: uint256 = convert(staticcall _REGISTRY.node_of_operator(signer), uint256)
    assert node != 0 and bound == node, "Availability: not signed by the node"
    return eip712._digest(struct_hash)


@internal
@pure
def _first(chunk: uint32, proof: DynArray[bytes32, 64]) -> uint256:
    # Place of the first leaf of the chunk that is shown: the one asked for or, of a narrower tree, the last.
    last: uint256 = (1 << (len(proof) // 2)) - 1
    return min(convert(chunk, uint256), last) << CHUNK_HEIGHT


@internal
@pure
def _shown(chunk: uint32, proof: DynArray[bytes32, 64]) -> uint32:
    return convert(self._first(chunk, proof) >> CHUNK_HEIGHT, uint32)


@internal
@pure
def _is_placed(id: uint32, place: uint256) -> bool:
    # Whether a leaf is there, and not an empty place. One that stands elsewhere than its id says is no data of anything.
    assert id == 0 or convert(id, uint256) == place, "Availability: a leaf out of its place"
    return id != 0


@internal
@pure
def _root_id(root: IAvailability.Root) -> bytes32:
    return keccak256(abi_encode(root))


@internal
@pure
def _id(root: IAvailability.Root, chunk: uint32) -> bytes32:
    return keccak256(abi_encode(root, chunk))
