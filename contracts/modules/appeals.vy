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

from ..interfaces import IIfxDollar
from ..interfaces import INodeRegistry
from ..interfaces import IPanels
from ..interfaces import IRosters
from . import bonds
from . import cases
from . import governed
from . import seats
from . import verdicts

uses: bonds
uses: cases
uses: governed
uses: seats
uses: verdicts


JAILED: constant(uint8) = 3

# Why a case was cleared
PANEL_REVERSED: constant(uint8) = 4
UNDECIDED: constant(uint8) = 5


_REGISTRY: immutable(INodeRegistry)
_IFX_DOLLAR: immutable(IIfxDollar)


@deploy
def __init__(registry: address, ifx_dollar: address):
    assert ifx_dollar != empty(address), "appeals: no IfxDollar"
    _REGISTRY = INodeRegistry(registry)
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)


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
    verdicts._summon(id)
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
    seats._seat(id, self._parties(self._check_appealed(id)), members, proofs)


@external
def vote(id: bytes32, node: uint32, upheld: bool, measured: bytes32, signature: Bytes[65]):
    """
    @notice Counts the vote of a seat, within the panel's window. Anybody.
    @param measured Digest of the measurement that the vote rests on.
    @param signature PanelVote, by the node's operator.
    """
    self._check_appealed(id)
    verdicts._vote(id, node, upheld, measured, signature)


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
        verdicts._check_silent(case.appealed_at)
        extcall _REGISTRY.set_status(case.node, JAILED)
        cases._clear(id, UNDECIDED)
        return
    verdict: uint8 = verdicts._count(id, case.appealed_at)
    if verdict == verdicts.NO_VERDICT:
        case.is_referred = True
        cases._write(id, case)
        log IPanels.CaseReferred(case=id)
    else:
        self._judge(id, verdict == verdicts.UPHELD)


@external
def decide(id: bytes32, upheld: bool):
    """
    @notice Decides a referred case, within 14 days of the appeal. Governor only.
    """
    case: IPanels.Case = self._check_appealed(id)
    verdicts._check_governor(case.is_referred, case.appealed_at)
    self._judge(id, upheld)


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
def _parties(case: IPanels.Case) -> seats.Parties:
    return seats.Parties(
        owners=[
            (staticcall _IFX_DOLLAR.account(case.account)).owner,
            staticcall _REGISTRY.owner_of(case.node),
            staticcall _REGISTRY.owner_of(case.redone_by),
        ],
        voters=case.voters,
    )


@internal
@view
def _is_appeal_over(case: IPanels.Case) -> bool:
    return verdicts._is_over(case.charged_at, governed._parameter(keccak256("appeal_window")))
