# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title verdicts
@license AGPL-3.0-only
@author Inferix
@notice What a panel comes to, and when: the majority of its votes, if most of its seats voted; a tie reverses. Where it comes to
        nothing, the governor decides until 14 days after it was summoned.
@custom:kill None: what waits for a panel must be able to end. The windows stand still while the protocol is paused.
"""

from ..interfaces import IPanels
from ..interfaces import IRosters
from ..interfaces import IStaking
from . import governed
from . import seats

uses: governed
uses: seats


VERIFIERS: constant(uint8) = 2

NO_VERDICT: constant(uint8) = 0
UPHELD: constant(uint8) = 1
REVERSED: constant(uint8) = 2

BPS: constant(uint256) = 10_000
# Of a verifier's required bond, what silence on a panel costs
SILENCE_BPS: constant(uint256) = 500
# From the appeal or objection to the last day of the governor
DECISION_TERM: constant(uint256) = 14 * 86400


_STAKING: immutable(IStaking)
_ROSTERS: immutable(IRosters)


@deploy
def __init__(staking: address, rosters: address):
    assert rosters != empty(address), "verdicts: no Rosters"
    _STAKING = IStaking(staking)
    _ROSTERS = IRosters(rosters)


@internal
def _summon(id: bytes32):
    """
    @dev A new panel, from the verifiers' roster that is the newest final one now.
    """
    seats._summon(id, staticcall _ROSTERS.newest(VERIFIERS))


@internal
def _vote(id: bytes32, node: uint32, upheld: bool, measured: bytes32, signature: Bytes[65]):
    """
    @dev Counts the vote of a seat, within the panel's window.
    """
    panel: IPanels.Panel = seats._read(id)
    assert panel.seated_at != 0, "Panels: panel not complete"
    assert not self._is_vote_over(panel), "Panels: voting is over"
    seats._vote(id, node, upheld, measured, signature)


@internal
def _count(id: bytes32, since: uint40) -> uint8:
    """
    @dev Once, when all seats voted or their time is over, or when no panel came about: NO_VERDICT, then it is the governor's. Who
         stayed silent where most had something to say loses 5 % of its required bond: where most are silent, somebody may have
         kept from them what they would judge by.
    @param since When the panel was summoned, on the protocol's clock.
    """
    panel: IPanels.Panel = seats._read(id)
    if panel.seated_at == 0:
        window: uint256 = governed._parameter(keccak256("panel_window"))
        assert self._is_over(since, window), "Panels: may still be seated"
        return NO_VERDICT
    if convert(panel.seats, uint256) < governed._parameter(keccak256("panel_minimum")):
        return NO_VERDICT
    assert panel.voted == panel.seats or self._is_vote_over(panel), "Panels: voting goes on"
    voted: uint256 = convert(panel.voted, uint256)
    if 2 * voted <= convert(panel.seats, uint256):
        return NO_VERDICT
    silent: DynArray[uint32, 16] = seats._silent(id)
    for node: uint32 in silent:
        taken: uint256 = extcall _STAKING.slash(node, staticcall _STAKING.required(node) * SILENCE_BPS // BPS, 0)
        log IPanels.SilencePenalised(case=id, node=node, amount=taken)
    return UPHELD if 2 * convert(panel.upheld, uint256) > voted else REVERSED


@internal
@view
def _check_governor(is_referred: bool, since: uint40):
    """
    @dev The governor may decide now.
    """
    governed._check_governor()
    assert is_referred, "Panels: not referred"
    assert not self._is_over(since, DECISION_TERM), "Panels: too late to decide"


@internal
@view
def _check_silent(since: uint40):
    """
    @dev The governor may decide no more.
    """
    assert self._is_over(since, DECISION_TERM), "Panels: governor may yet decide"


@internal
@view
def _is_over(since: uint40, term: uint256) -> bool:
    return governed._clock() > convert(since, uint256) + term


@internal
@view
def _is_vote_over(panel: IPanels.Panel) -> bool:
    return self._is_over(panel.seated_at, governed._parameter(keccak256("panel_window")))
