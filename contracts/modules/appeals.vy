# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title appeals
@license AGPL-3.0-only
@author Inferix
@notice From the appeal of an accused worker to its end: a panel of verifiers drawn after the appeal, the governor where no
        panel comes about, and the worker's own again where the governor is silent too. Every step is anybody's to make.
@custom:kill None: an appeal must be able to end. The windows stand still while the protocol is paused.
"""

from ..interfaces import INodeRegistry
from ..interfaces import IPanels
from ..interfaces import IRosters
from ..interfaces import IStaking
from . import bonds
from . import cases
from . import governed
from . import seats

uses: bonds
uses: cases
uses: governed
uses: seats


JAILED: constant(uint8) = 3
VERIFIERS: constant(uint8) = 2

# Why a case was cleared
PANEL_REVERSED: constant(uint8) = 4
UNDECIDED: constant(uint8) = 5

BPS: constant(uint256) = 10_000
# Of a verifier's required bond, what silence on a panel costs
SILENCE_BPS: constant(uint256) = 500
# From the appeal to the last day of the governor
DECISION_TERM: constant(uint256) = 14 * 86400


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)
_ROSTERS: immutable(IRosters)


@deploy
def __init__(registry: address, staking: address, rosters: address):
    assert rosters != empty(address), "appeals: no Rosters"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)
    _ROSTERS = IRosters(rosters)


@external
def appeal(id: bytes32):
    """
    @notice Asks for a panel, within the appeal window. The dispute bond is frozen out of the node's stake: lost if the
            panel upholds. The accused's owner.
    """
    case: IPanels.Case = cases._read(id)
    assert case.status == cases.STATUS_SLASHABLE, "Panels: not slashable"
    assert msg.sender == staticcall _REGISTRY.owner_of(case.node), "Panels: not the node's owner"
    assert not self._is_appeal_over(case), "Panels: appeal window over"
    case.status = cases.STATUS_APPEALED
    case.appealed_at = convert(governed._clock(), uint40)
    case.bond = bonds._amount()
    cases._write(id, case)
    seats._summon(id, staticcall _ROSTERS.newest(VERIFIERS))
    bonds._take(case.node, case.bond)
    log IPanels.CaseAppealed(case=id, block=convert(block.number, uint40))


@external
def seal(id: bytes32):
    """
    @notice Makes the panel's seed out of the hash of the block after the appeal; where that is out of reach, this block
            takes the appeal's place. Anybody, from the second block after the appeal on.
    """
    self._check_appealed(id)
    seats._seal(id)


@external
def seat(id: bytes32, members: DynArray[IRosters.RosterLeaf, 16], proofs: DynArray[DynArray[bytes32, 64], 16]):
    """
    @notice Fills the panel's seats in the order of the draws. Misfits (not active, an owner of a party, a voter of the
            rejected attempt) are shown too, and get none. Anybody.
    @param members The next nodes of the verifiers' roster that the draws hit for the first time. Possibly none, to
           complete a panel whose draws are used up.
    @param proofs Of each member.
    """
    seats._seat(id, self._check_appealed(id), members, proofs)


@external
def vote(id: bytes32, node: uint32, upheld: bool, measured: bytes32, signature: Bytes[65]):
    """
    @notice Counts the vote of a seat, within the panel's window. Anybody.
    @param measured Digest of the measurement that the vote rests on.
    @param signature PanelVote, by the node's operator.
    """
    self._check_appealed(id)
    panel: IPanels.Panel = seats._read(id)
    assert panel.seated_at != 0, "Panels: the panel is not complete"
    assert not self._is_vote_over(panel), "Panels: voting is over"
    seats._vote(id, node, upheld, measured, signature)


@external
def resolve(id: bytes32):
    """
    @notice Ends an appeal when all seats voted or their time is over: by the majority of the votes, if most seats voted; a
            tie acquits. Who stayed silent loses 5 % of its required bond. Where no panel came about, or too few voted,
            the case is referred to the governor; where that one is silent too, the stake is free, the reward kept
            back and the node jailed. Anybody.
    """
    case: IPanels.Case = self._check_appealed(id)
    if case.is_referred:
        assert self._is_over(case.appealed_at, DECISION_TERM), "Panels: the governor may still decide"
        extcall _REGISTRY.set_status(case.node, JAILED)
        cases._clear(id, UNDECIDED)
        return
    panel: IPanels.Panel = seats._read(id)
    if panel.seated_at == 0:
        window: uint256 = governed._parameter(keccak256("panel_window"))
        assert self._is_over(case.appealed_at, window), "Panels: the panel may still be seated"
        self._refer(id, case)
    elif convert(panel.seats, uint256) < governed._parameter(keccak256("panel_minimum")):
        self._refer(id, case)
    else:
        assert panel.voted == panel.seats or self._is_vote_over(panel), "Panels: voting goes on"
        self._count(id, case, panel)


@external
def decide(id: bytes32, upheld: bool):
    """
    @notice Decides a referred case, within 14 days of the appeal. Governor only.
    """
    governed._check_governor()
    case: IPanels.Case = self._check_appealed(id)
    assert case.is_referred, "Panels: not referred"
    assert not self._is_over(case.appealed_at, DECISION_TERM), "Panels: too late to decide"
    self._judge(id, upheld)


@internal
def _refer(id: bytes32, case: IPanels.Case):
    referred: IPanels.Case = case
    referred.is_referred = True
    cases._write(id, referred)
    log IPanels.CaseReferred(case=id)


@internal
def _count(id: bytes32, case: IPanels.Case, panel: IPanels.Panel):
    silent: DynArray[uint32, 16] = seats._silent(id)
    for node: uint32 in silent:
        taken: uint256 = extcall _STAKING.slash(node, staticcall _STAKING.required(node) * SILENCE_BPS // BPS, 0)
        log IPanels.SilencePenalised(case=id, node=node, amount=taken)
    voted: uint256 = convert(panel.voted, uint256)
    if 2 * voted <= convert(panel.seats, uint256):
        self._refer(id, case)
    else:
        self._judge(id, 2 * convert(panel.upheld, uint256) > voted)


@internal
def _judge(id: bytes32, upheld: bool):
    if upheld:
        cases._slash(id)
    else:
        cases._clear(id, PANEL_REVERSED)


@internal
@view
def _check_appealed(id: bytes32) -> IPanels.Case:
    case: IPanels.Case = cases._read(id)
    assert case.status == cases.STATUS_APPEALED, "Panels: not appealed"
    return case


@internal
@view
def _is_over(since: uint40, term: uint256) -> bool:
    return governed._clock() > convert(since, uint256) + term


@internal
@view
def _is_appeal_over(case: IPanels.Case) -> bool:
    return self._is_over(case.charged_at, governed._parameter(keccak256("appeal_window")))


@internal
@view
def _is_vote_over(panel: IPanels.Panel) -> bool:
    return self._is_over(panel.seated_at, governed._parameter(keccak256("panel_window")))
