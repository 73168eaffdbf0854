# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
# pragma nonreentrancy on
"""
@title Strikes
@license AGPL-3.0-only
@author Inferix
@notice Each false result costs a worker a part of its stake (Panels). Whose results were found false three times within thirty
        days loses all that is left, and is banned for ever: what one fine does not deter, the third one ends.
@custom:security A time is not a task. A broken graphics card spoils all that was under way before the first rejection took the
                 worker out of work: those are one time. The next begins with a case that was opened after its owner
                 had the whole time to appeal against the one before, so after it was told, and went back to work.
                 Nothing is kept here: Panels has the cases, and who is banned is struck out no more.
@custom:kill None. The days stand still while the protocol is paused.
"""

from ..interfaces import INodeRegistry
from ..interfaces import IPanels
from ..interfaces import IStaking
from ..interfaces import IStrikes
from ..modules import governed

implements: IStrikes
initializes: governed


exports: governed.parameters


SLASHED: constant(uint8) = 4
BANNED: constant(uint8) = 4

# From the first case's opening to the third's
TERM: public(constant(uint256)) = 30 * 86400


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)
_PANELS: immutable(IPanels)


@deploy
def __init__(parameters: address, registry: address, staking: address, panels: address):
    """
    @notice Needs no wiring.
    """
    governed.__init__(parameters)
    assert empty(address) not in [registry, staking, panels], "Strikes: empty address"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)
    _PANELS = IPanels(panels)


@external
def strike_out(cases: bytes32[3]) -> uint256:
    """
    @notice Takes all stake of a worker, bonded and unbonding, and bans it. Anybody; nobody is paid for it.
    @param cases Three cases of the worker that ended with a slash, in the order of their opening.
    @return Wei taken.
    """
    appeal: uint256 = governed._parameter(keccak256("appeal_window"))
    first: IPanels.Case = self._slashed(cases[0])
    before: IPanels.Case = first
    for id: bytes32 in [cases[1], cases[2]]:
        case: IPanels.Case = self._slashed(id)
        assert case.node == first.node, "Strikes: of two workers"
        told: uint256 = convert(before.charged_at, uint256) + appeal
        assert convert(case.frozen_at, uint256) > told, "Strikes: not a time of its own"
        before = case
    assert convert(before.frozen_at - first.frozen_at, uint256) <= TERM, "Strikes: more than thirty days"
    assert (staticcall _REGISTRY.terms(first.node)).status != BANNED, "Strikes: banned already"
    taken: uint256 = extcall _STAKING.slash(first.node, max_value(uint256), 0)
    extcall _REGISTRY.set_status(first.node, BANNED)
    log IStrikes.StruckOut(node=first.node, cases=cases, amount=taken)
    return taken


@internal
@view
def _slashed(id: bytes32) -> IPanels.Case:
    case: IPanels.Case = staticcall _PANELS.case(id)
    assert case.status == SLASHED, "Strikes: not slashed"
    return case
