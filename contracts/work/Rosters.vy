# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title Rosters
@license AGPL-3.0-only
@author Inferix
@notice The weighted lists that draws are made from, as Merkle-sum roots: kind 1 workers, 2 verifiers. A roster is a function
        of NodeRegistry, Staking and final reputation alone, so anybody can check one in its window. Draws use the
        newest final one. The governor sets the first, and one at once when a false one must go.
@custom:kill The governor's `post` replaces a roster at once. Posting does not ask for the pause: without new rosters, draws
             go on from the last one.
"""

from ..interfaces import IParameters
from ..interfaces import IRosters
from ..modules import courts
from ..modules import governed
from ..modules import managers

implements: IRosters
initializes: courts
initializes: governed
initializes: managers


exports: (governed.parameters, governed.wired, courts.is_court)


WORKERS: constant(uint8) = 1
VERIFIERS: constant(uint8) = 2


_newest: HashMap[uint8, IRosters.Roster]
_pending: HashMap[uint8, IRosters.Roster]
# Rosters posted so far, of each kind
_counts: HashMap[uint8, uint32]
# kind => index => a roster that was final, and its total << 80 | since << 40 | until: votes are judged by the one they
# were drawn from
_roots: HashMap[uint8, HashMap[uint32, bytes32]]
_terms: HashMap[uint8, HashMap[uint32, uint256]]


@deploy
def __init__(parameters: address, registry: address, staking: address):
    """
    @notice Starts without rosters.
    """
    governed.__init__(parameters)
    managers.__init__(registry, staking)


@external
def wire(courts_: DynArray[address, 8]):
    """
    @notice Names the courts. The deployer, once.
    """
    governed._wire_once()
    courts._name(courts_)


@external
def post(kind: uint8, root: bytes32, total: uint96, count: uint32, data: bytes32):
    """
    @notice Posts a roster: it waits its window, and the one before it must have ended its own. The operator of a bonded
            manager. From the governor it is final at once, and whatever waits is dropped.
    @param total Sum of the weights.
    @param count Leaves, node 0 among them.
    @param data Digest of the document that holds the leaves.
    """
    self._check_kind(kind)
    assert root != empty(bytes32) and total != 0 and count > 1, "Rosters: empty roster"
    is_governor: bool = msg.sender == staticcall IParameters(governed._PARAMETERS.address).governor()
    manager: uint32 = 0
    if is_governor:
        self._drop(kind)
    else:
        manager = managers._check_caller()
        self._settle(kind)
        assert self._pending[kind].index == 0, "Rosters: another one waits"
    self._counts[kind] += 1
    roster: IRosters.Roster = IRosters.Roster(
        root=root,
        total=total,
        count=count,
        data=data,
        index=self._counts[kind],
        manager=manager,
        posted_at=convert(governed._clock(), uint40),
        final_at=0,
        disputes=0,
    )
    log IRosters.RosterPosted(
        kind=kind, index=roster.index, root=root, total=total, count=count, data=data, manager=manager
    )
    if is_governor:
        self._make_final(kind, roster)
    else:
        self._pending[kind] = roster


@external
def finalize(kind: uint8):
    """
    @notice Makes the waiting roster final when its window is over. Anybody.
    """
    assert self._pending[kind].index != 0, "Rosters: none waits"
    assert self._pending[kind].disputes == 0, "Rosters: dispute open"
    assert self._is_due(kind), "Rosters: window not over"
    self._settle(kind)


@external
def cancel(kind: uint8, index: uint32):
    """
    @notice Drops this roster while it waits. A court.
    """
    self._check_waiting(kind, index)
    self._drop(kind)


@external
def open_dispute(kind: uint8, index: uint32):
    """
    @notice Counts a dispute, which holds up the waiting roster; within its window only. A court.
    """
    self._check_waiting(kind, index)
    assert not self._is_due(kind), "Rosters: window over"
    self._set_disputes(kind, self._pending[kind].disputes + 1)


@external
def close_dispute(kind: uint8, index: uint32):
    """
    @notice Takes one dispute off the count. A court.
    """
    self._check_waiting(kind, index)
    assert self._pending[kind].disputes != 0, "Rosters: no dispute open"
    self._set_disputes(kind, self._pending[kind].disputes - 1)


@external
@view
def newest(kind: uint8) -> IRosters.Roster:
    """
    @notice The newest final roster; empty before the first.
    """
    return self._newest[kind]


@external
@view
def term(kind: uint8, index: uint32) -> IRosters.Term:
    """
    @notice A roster that was final, by its index, and when draws were made from it; empty when it never was.
    """
    word: uint256 = self._terms[kind][index]
    return IRosters.Term(
        root=self._roots[kind][index],
        total=convert(word >> 80, uint96),
        since=convert(word >> 40 & (2**40 - 1), uint40),
        until=convert(word & (2**40 - 1), uint40),
    )


@external
@view
def pending(kind: uint8) -> IRosters.Roster:
    """
    @notice The roster that waits; empty when none does.
    """
    return self._pending[kind]


@internal
@pure
def _check_kind(kind: uint8):
    assert kind in [WORKERS, VERIFIERS], "Rosters: no such kind"


@internal
@view
def _check_waiting(kind: uint8, index: uint32):
    # By its index: what waits may have been replaced since the court named it.
    courts._check_court()
    assert index != 0 and self._pending[kind].index == index, "Rosters: not the one that waits"


@internal
def _set_disputes(kind: uint8, count: uint16):
    self._pending[kind].disputes = count
    log IRosters.RosterDisputeCounted(kind=kind, index=self._pending[kind].index, open=count)


@internal
@view
def _is_due(kind: uint8) -> bool:
    end: uint256 = convert(self._pending[kind].posted_at, uint256) + governed._parameter(keccak256("roster_window"))
    return governed._clock() >= end


@internal
def _settle(kind: uint8):
    # Makes what waits final when it is due and undisputed; nothing otherwise.
    if self._pending[kind].index != 0 and self._pending[kind].disputes == 0 and self._is_due(kind):
        self._make_final(kind, self._pending[kind])
        self._pending[kind] = empty(IRosters.Roster)


@internal
def _drop(kind: uint8):
    if self._pending[kind].index != 0:
        log IRosters.RosterCancelled(kind=kind, index=self._pending[kind].index)
        self._pending[kind] = empty(IRosters.Roster)


@internal
def _make_final(kind: uint8, roster: IRosters.Roster):
    last: uint32 = self._newest[kind].index
    if last != 0:
        self._terms[kind][last] |= block.timestamp
    self._roots[kind][roster.index] = roster.root
    self._terms[kind][roster.index] = convert(roster.total, uint256) << 80 | block.timestamp << 40
    self._newest[kind] = roster
    self._newest[kind].final_at = convert(block.timestamp, uint40)
    log IRosters.RosterFinalized(kind=kind, index=roster.index)
