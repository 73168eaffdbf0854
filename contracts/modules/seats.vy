# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title seats
@license AGPL-3.0-only
@author Inferix
@notice The panel of an appeal or objection: its seed, the draws that fill its seats, its votes.
        Draws come from the verifiers' roster when it is summoned, by a seed of the block after, so that nobody knows the panel
        before there is one to decide. Each draw is accounted for: whoever fills the seats shows every node that is hit for
        the first time, in order, misfits too; nobody can leave one out.
@custom:security A panel is complete when its seats are taken, when everybody with weight has been drawn, after 256 draws, or
                 after 64 different nodes: it always ends.
@custom:kill None.
"""

from ..interfaces import INodeRegistry
from ..interfaces import IPanels
from ..interfaces import IRosters
from . import draws
from . import eip712
from . import governed
from . import history

uses: eip712
uses: governed


PANEL_VOTE_TYPEHASH: constant(bytes32) = keccak256(
    "PanelVote(bytes32 dispute,uint32 node,bool upheld,bytes32 measured)"
)

ACTIVE: constant(uint8) = 1
# Ballots
SILENT: constant(uint8) = 1
UPHELD: constant(uint8) = 2
REVERSED: constant(uint8) = 3

# Different nodes that a panel's draws may meet; 15 of them at most sit
MAX_MET: constant(uint256) = 64
# A met node's share of the weights with this bit: it has a seat
_SEATED: constant(uint256) = 1 << 255

_LOW_8: constant(uint256) = 2**8 - 1
_LOW_16: constant(uint256) = 2**16 - 1
_LOW_40: constant(uint256) = 2**40 - 1


# Who may not sit: all nodes of these owners, and who voted
struct Parties:
    owners: DynArray[address, 5]
    voters: bytes32


_REGISTRY: immutable(INodeRegistry)


# case => total << 120 | block << 80 | seated_at << 40 | drawn << 24 | seats << 16 | voted << 8 | upheld
_words: HashMap[bytes32, uint256]
_seeds: HashMap[bytes32, bytes32]
_roots: HashMap[bytes32, bytes32]
# case => shares of the nodes met by the draws, in their order
_met: HashMap[bytes32, DynArray[uint256, 64]]
# case => node => ballot
_ballots: HashMap[bytes32, HashMap[uint32, uint8]]


@deploy
def __init__(registry: address):
    assert registry != empty(address), "seats: no registry"
    _REGISTRY = INodeRegistry(registry)


@external
@view
def panel(id: bytes32) -> IPanels.Panel:
    """
    @notice The panel of an appealed case, or of an objection.
    """
    return self._read(id)


@external
@view
def ballot(id: bytes32, node: uint32) -> uint8:
    """
    @notice 0 no seat, 1 silent, 2 upheld, 3 reversed.
    """
    return self._ballots[id][node]


@internal
def _summon(id: bytes32, roster: IRosters.Roster):
    """
    @dev A new panel. The roster is fixed before the seed is known.
    """
    self._roots[id] = roster.root
    panel: IPanels.Panel = empty(IPanels.Panel)
    panel.total = roster.total
    panel.block = convert(block.number, uint40)
    self._write(id, panel)


@internal
def _seal(id: bytes32):
    """
    @dev Makes the seed, or re-arms where the block's hash is out of reach.
    """
    panel: IPanels.Panel = self._read(id)
    assert panel.seed == empty(bytes32), "Panels: sealed already"
    at: uint256 = convert(panel.block, uint256)
    assert block.number > at + 1, "Panels: too young to seal"
    block_hash: bytes32 = history._hash(at + 1)
    if block_hash == empty(bytes32):
        panel.block = convert(block.number, uint40)
        self._write(id, panel)
        log IPanels.PanelRearmed(case=id, block=panel.block)
        return
    seed: bytes32 = keccak256(abi_encode(id, block_hash))
    self._seeds[id] = seed
    log IPanels.PanelSealed(case=id, seed=seed)


@internal
def _seat(
    id: bytes32,
    parties: Parties,
    members: DynArray[IRosters.RosterLeaf, 16],
    proofs: DynArray[DynArray[bytes32, 64], 16],
):
    """
    @dev Gives seats to the next nodes that the draws hit for the first time.
    """
    assert len(members) == len(proofs), "Panels: a proof for each member"
    panel: IPanels.Panel = self._read(id)
    assert panel.seed != empty(bytes32), "Panels: not sealed"
    assert panel.seated_at == 0, "Panels: the panel is complete"
    met: DynArray[uint256, 64] = []
    for share: uint256 in self._met[id]:
        met.append(share & ~_SEATED)
    wanted: uint256 = governed._parameter(keccak256("panel"))
    total: uint256 = convert(panel.total, uint256)
    drawn: uint256 = self._next(id, panel, met, convert(panel.drawn, uint256))
    for i: uint256 in range(len(members), bound=16):
        assert not self._is_complete(panel, met, drawn, wanted), "Panels: the panel is complete"
        share: uint256 = draws._share(panel.root, total, members[i], proofs[i])
        position: uint256 = draws._position(panel.seed, id, draws.PANEL, 0, drawn, total)
        assert draws._is_hit(share, position), "Panels: not the next draw"
        node: uint32 = members[i].node
        if self._is_fit(node, parties):
            share |= _SEATED
            panel.seats += 1
            self._ballots[id][node] = SILENT
            log IPanels.PanelSeated(case=id, node=node)
        met.append(share & ~_SEATED)
        self._met[id].append(share)
        drawn = self._next(id, panel, met, drawn + 1)
    panel.drawn = convert(drawn, uint16)
    if self._is_complete(panel, met, drawn, wanted):
        panel.seated_at = convert(governed._clock(), uint40)
        log IPanels.PanelCompleted(case=id, seats=panel.seats)
    self._write(id, panel)


@internal
def _vote(id: bytes32, node: uint32, upheld: bool, measured: bytes32, signature: Bytes[65]):
    """
    @dev Counts the signed vote of a seat, once.
    """
    panel: IPanels.Panel = self._read(id)
    assert self._ballots[id][node] != 0, "Panels: no seat"
    assert self._ballots[id][node] == SILENT, "Panels: voted already"
    struct_hash: bytes32 = keccak256(abi_encode(PANEL_VOTE_TYPEHASH, id, node, upheld, measured))
    signer: address = eip712._recover(struct_hash, signature)
    assert signer == staticcall _REGISTRY.operator_of(node), "Panels: not signed by the node's operator"
    panel.voted += 1
    if upheld:
        panel.upheld += 1
    self._ballots[id][node] = UPHELD if upheld else REVERSED
    self._write(id, panel)
    log IPanels.PanelVoted(case=id, node=node, upheld=upheld, measured=measured)


@internal
@view
def _silent(id: bytes32) -> DynArray[uint32, 16]:
    """
    @dev Seats without a vote.
    """
    silent: DynArray[uint32, 16] = []
    for share: uint256 in self._met[id]:
        node: uint32 = draws._node(share)
        if share & _SEATED != 0 and self._ballots[id][node] == SILENT:
            silent.append(node)
    return silent


@internal
@view
def _is_fit(node: uint32, parties: Parties) -> bool:
    if (staticcall _REGISTRY.terms(node)).status != ACTIVE:
        return False
    owner: address = staticcall _REGISTRY.owner_of(node)
    if owner in parties.owners:
        return False
    # Not the committee whose verdict is in question; who checked the redone attempt judged other pixels (decision 006)
    return not self._is_named(node, convert(parties.voters, uint256))


@internal
@pure
def _is_named(node: uint32, voters: uint256) -> bool:
    left: uint256 = voters
    for i: uint256 in range(8):
        if left >> 224 == convert(node, uint256):
            return True
        left <<= 32
    return False


@internal
@view
def _next(id: bytes32, panel: IPanels.Panel, met: DynArray[uint256, 64], drawn: uint256) -> uint256:
    # The next draw that hits a node not met yet; MAX_DRAWS when there is none.
    total: uint256 = convert(panel.total, uint256)
    weight: uint256 = 0
    for share: uint256 in met:
        weight += draws._weight(share)
    if weight == total:
        return draws.MAX_DRAWS
    for i: uint256 in range(drawn, draws.MAX_DRAWS, bound=256):
        position: uint256 = draws._position(panel.seed, id, draws.PANEL, 0, i, total)
        is_new: bool = True
        for share: uint256 in met:
            if draws._is_hit(share, position):
                is_new = False
                break
        if is_new:
            return i
    return draws.MAX_DRAWS


@internal
@pure
def _is_complete(panel: IPanels.Panel, met: DynArray[uint256, 64], drawn: uint256, wanted: uint256) -> bool:
    return convert(panel.seats, uint256) >= wanted or drawn >= draws.MAX_DRAWS or len(met) == MAX_MET


@internal
def _write(id: bytes32, panel: IPanels.Panel):
    self._words[id] = (
        convert(panel.total, uint256) << 120
        | convert(panel.block, uint256) << 80
        | convert(panel.seated_at, uint256) << 40
        | convert(panel.drawn, uint256) << 24
        | convert(panel.seats, uint256) << 16
        | convert(panel.voted, uint256) << 8
        | convert(panel.upheld, uint256)
    )


@internal
@view
def _read(id: bytes32) -> IPanels.Panel:
    word: uint256 = self._words[id]
    return IPanels.Panel(
        block=convert(word >> 80 & _LOW_40, uint40),
        seed=self._seeds[id],
        root=self._roots[id],
        total=convert(word >> 120, uint96),
        drawn=convert(word >> 24 & _LOW_16, uint16),
        seats=convert(word >> 16 & _LOW_8, uint8),
        voted=convert(word >> 8 & _LOW_8, uint8),
        upheld=convert(word & _LOW_8, uint8),
        seated_at=convert(word >> 40 & _LOW_40, uint40),
    )
