# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title claims
@license AGPL-3.0-only
@author Inferix
@notice Claims on the newest final root. A node's leaf says what has matured (a), what is vesting (P) and the sum of each
        grant times its start (Q). At time t, `a + clamp((t * P - Q) / vesting time, 0, P)` is earned, and t stops at the
        root's cut-off plus the horizon: without new roots nothing is paid that nobody counted. What was claimed is
        cumulative too, so nothing is paid twice, whichever root it is claimed by. Of a node that others delegated to,
        Delegation says which part is theirs, and gets it.
@custom:kill None: claims always work. A frozen node waits; a banned one loses what has not vested.
"""

from ..interfaces import IAccounts
from ..interfaces import IDelegation
from ..interfaces import IIFX
from ..interfaces import IMerkleSum
from ..interfaces import INodeRegistry
from . import leaves
from . import merkle_sum
from . import roots

uses: roots


FROZEN: constant(uint8) = 2
BANNED: constant(uint8) = 4
# Beside what was claimed: delegators have a part in it. So a node without them pays for no look
_SHARED: constant(uint256) = 2**255


_REGISTRY: immutable(INodeRegistry)
_IFX: immutable(IIFX)
_PENALTY_POOL: immutable(address)
_DELEGATION: immutable(IDelegation)


# node => wei paid or forfeited, cumulative, never falls; and _SHARED
_claimed: HashMap[uint32, uint256]


@deploy
def __init__(registry: address, ifx: address, penalty_pool: address, delegation: address):
    assert empty(address) not in [registry, ifx, penalty_pool, delegation], "claims: empty address"
    _REGISTRY = INodeRegistry(registry)
    _IFX = IIFX(ifx)
    _PENALTY_POOL = penalty_pool
    _DELEGATION = IDelegation(delegation)


@external
@nonreentrant
def claim(leaf: IAccounts.NodeLeaf, proof: DynArray[bytes32, 64]) -> uint256:
    """
    @notice Pays a node's owner, and Delegation for its delegators, what is earned by the newest final root and not yet claimed;
            leaf 0 pays the penalty pool. Of a banned node, what has not vested goes to the penalty pool. Anybody; refused
            for a frozen node.
    @return Wei paid to both.
    """
    stream: roots.Stream = self._check_root(
        merkle_sum._locate(leaves._node(leaf), convert(leaf.node, uint256), proof).root
    )
    status: uint8 = self._status(leaf.node)
    assert status != FROZEN, "claims: node frozen"
    before: uint256 = self._claimed[leaf.node]
    due: uint256 = self._pay(leaf, stream, status)
    assert self._claimed[leaf.node] != before, "claims: nothing to claim"
    return due


@external
@nonreentrant
def claim_many(leaves_: DynArray[IAccounts.NodeLeaf, 50], proofs: DynArray[DynArray[bytes32, 64], 50]) -> uint256:
    """
    @notice Claims for many nodes; those that are frozen or have nothing to claim are passed over. Anybody.
    @return Wei paid to owners and Delegation.
    """
    assert len(leaves_) == len(proofs), "claims: leaves and proofs differ in number"
    stream: roots.Stream = empty(roots.Stream)
    first: IMerkleSum.SumNode = empty(IMerkleSum.SumNode)
    total: uint256 = 0
    for i: uint256 in range(len(leaves_), bound=50):
        leaf: IAccounts.NodeLeaf = leaves_[i]
        root: IMerkleSum.SumNode = merkle_sum._locate(
            leaves._node(leaf), convert(leaf.node, uint256), proofs[i]
        ).root
        if i == 0:
            stream = self._check_root(root)
            first = root
        assert root.hash == first.hash and root.sum == first.sum, "claims: not in the root"
        total += self._try(leaf, stream)
    return total


@external
@nonreentrant
def claim_chunk(
    first: uint32, height: uint256, leaves_: DynArray[IAccounts.NodeLeaf, 64], proof: DynArray[bytes32, 64]
) -> uint256:
    """
    @notice Claims for a whole subtree of neighbours under one proof; those that are frozen or have nothing to claim are
            passed over. Anybody.
    @param first Id of the first node, a multiple of 2**height.
    @param height At most 6.
    @param leaves_ In order; a place without a leaf is given as a leaf of node 0, but for place 0, which always has one.
    @return Wei paid to owners and Delegation.
    """
    start: uint256 = convert(first, uint256)
    assert start & ((1 << height) - 1) == 0, "claims: not the first of a subtree"
    nodes: DynArray[IMerkleSum.SumNode, 64] = []
    for i: uint256 in range(len(leaves_), bound=64):
        node: uint256 = convert(leaves_[i].node, uint256)
        if node == 0 and start + i != 0:
            nodes.append(empty(IMerkleSum.SumNode))
        else:
            assert node == start + i, "claims: not neighbours"
            nodes.append(leaves._node(leaves_[i]))
    stream: roots.Stream = self._check_root(
        merkle_sum._locate(merkle_sum._fold(nodes, height), start >> height, proof).root
    )
    total: uint256 = 0
    for i: uint256 in range(len(leaves_), bound=64):
        if leaves_[i].node != 0 or start + i == 0:
            total += self._try(leaves_[i], stream)
    return total


@external
def set_shared(node: uint32, shared: bool):
    """
    @notice Whether delegators have a part in a node's claims. Delegation.
    """
    assert msg.sender == _DELEGATION.address, "claims: not Delegation"
    self._claimed[node] = self._claimed[node] & ~_SHARED | (_SHARED if shared else 0)


@external
@view
def claimed(node: uint32) -> uint256:
    """
    @notice Wei paid or forfeited so far.
    """
    return self._claimed[node] & ~_SHARED


@external
@view
def claimable(leaf: IAccounts.NodeLeaf) -> uint256:
    """
    @notice What `claim` would pay for this leaf now, if it is in the newest final root [wei].
    """
    state: roots.State = roots._read_state()
    if state.newest == 0 or self._status(leaf.node) == FROZEN:
        return 0
    return self._due(leaf, roots._read_stream(state.place))


@internal
@view
def _check_root(root: IMerkleSum.SumNode) -> roots.Stream:
    # What a proof led to is the newest final root; returns the terms it streams on.
    state: roots.State = roots._read_state()
    assert state.newest != 0, "claims: no final root"
    stream: roots.Stream = roots._read_stream(state.place)
    assert root.hash == roots._nodes_roots[state.place], "claims: not in the root"
    assert root.sum == merkle_sum._pack(stream.matured, stream.vesting), "claims: not in the root"
    return stream


@internal
@view
def _status(node: uint32) -> uint8:
    # Of leaf 0 there is no node: 0.
    if node == 0:
        return 0
    return (staticcall _REGISTRY.terms(node)).status


@internal
@view
def _due(leaf: IAccounts.NodeLeaf, stream: roots.Stream) -> uint256:
    # No overflow: times are under 2**40, grants under 2**96, matured and vested under 2**97.
    vesting: uint256 = convert(leaf.vesting, uint256)
    vested: uint256 = 0
    grown: uint256 = min(block.timestamp, stream.until) * vesting
    if grown > leaf.start:
        vested = min((grown - leaf.start) // stream.vesting_time, vesting)
    earned: uint256 = convert(leaf.matured, uint256) + vested
    claimed: uint256 = self._claimed[leaf.node] & ~_SHARED
    if earned <= claimed:
        return 0
    return earned - claimed


@internal
def _try(leaf: IAccounts.NodeLeaf, stream: roots.Stream) -> uint256:
    # Pays what there is to pay, if anything, to a node that may be paid.
    status: uint8 = self._status(leaf.node)
    if status == FROZEN:
        return 0
    return self._pay(leaf, stream, status)


@internal
def _pay(leaf: IAccounts.NodeLeaf, stream: roots.Stream, status: uint8) -> uint256:
    due: uint256 = self._due(leaf, stream)
    word: uint256 = self._claimed[leaf.node]
    claimed: uint256 = (word & ~_SHARED) + due
    forfeited: uint256 = 0
    if status == BANNED:
        total: uint256 = convert(leaf.matured, uint256) + convert(leaf.vesting, uint256)
        forfeited = max(total, claimed) - claimed
    if due + forfeited == 0:
        return 0
    self._claimed[leaf.node] = word & _SHARED | claimed + forfeited
    if due != 0:
        part: uint256 = 0
        if word & _SHARED != 0:
            part = self._share_out(leaf.node, due)
        owner: address = _PENALTY_POOL if leaf.node == 0 else staticcall _REGISTRY.owner_of(leaf.node)
        assert extcall _IFX.transfer(owner, due - part), "claims: transfer failed"
        log IAccounts.Claimed(node=leaf.node, owner=owner, amount=due)
    if forfeited != 0:
        assert extcall _IFX.transfer(_PENALTY_POOL, forfeited), "claims: transfer failed"
        log IAccounts.Forfeited(node=leaf.node, amount=forfeited)
    return due


@internal
def _share_out(node: uint32, due: uint256) -> uint256:
    # The delegators' part, credited and transferred. The token calls nobody back.
    epoch: uint256 = roots._read_ledger(roots._read_state().place).epoch
    part: uint256 = extcall _DELEGATION.share_out(node, due, convert(epoch, uint32))
    if part != 0:
        assert extcall _IFX.transfer(_DELEGATION.address, part), "claims: transfer failed"
    return part
