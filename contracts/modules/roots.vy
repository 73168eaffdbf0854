# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title roots
@license AGPL-3.0-only
@author Inferix
@notice Storage of accounts roots, packed by hand: the newest final one and the one that waits have a place each, and change
        places when the waiting one becomes final, so that nothing is copied.
@custom:kill None: storage.
"""

from ..interfaces import IAccounts


_LOW_16: constant(uint256) = 2**16 - 1
_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1
# IFX ever minted is under 2**90 wei
_LOW_92: constant(uint256) = 2**92 - 1
_LOW_96: constant(uint256) = 2**96 - 1


# place << 192 | disputes << 176 | posted_at << 136 | final_at << 96 | count << 64 | pending << 32 | newest
struct State:
    # Indices of the roots, from 1; 0 is none
    newest: uint256
    pending: uint256
    # Roots posted so far
    count: uint256
    # When the newest became final [s], and when the waiting one was posted [protocol time]
    final_at: uint256
    posted_at: uint256
    # Open ones on the waiting root
    disputes: uint256
    # Where the newest is, 0 or 1
    place: uint256


# What a claim needs of a root: vesting_time << 224 | until << 184 | vesting << 92 | matured
struct Stream:
    # Sums of the node tree's lanes [wei]
    matured: uint256
    vesting: uint256
    # Until when the root streams, and how long a grant vests [s]
    until: uint256
    vesting_time: uint256


# What accounts spent and reserved [nano-USD]: manager << 224 | epoch << 192 | reserved << 96 | spent
struct Ledger:
    spent: uint256
    reserved: uint256
    epoch: uint256
    manager: uint256


_state: uint256
_accounts_roots: bytes32[2]
_nodes_roots: bytes32[2]
_data: bytes32[2]
_streams: uint256[2]
_ledgers: uint256[2]


@internal
@view
def _read_state() -> State:
    word: uint256 = self._state
    return State(
        newest=word & _LOW_32,
        pending=word >> 32 & _LOW_32,
        count=word >> 64 & _LOW_32,
        final_at=word >> 96 & _LOW_40,
        posted_at=word >> 136 & _LOW_40,
        disputes=word >> 176 & _LOW_16,
        place=word >> 192,
    )


@internal
def _write_state(state: State):
    assert state.count <= _LOW_32 and state.disputes <= _LOW_16, "roots: too many"
    self._state = (
        state.place << 192
        | state.disputes << 176
        | state.posted_at << 136
        | state.final_at << 96
        | state.count << 64
        | state.pending << 32
        | state.newest
    )


@internal
@view
def _read_stream(place: uint256) -> Stream:
    word: uint256 = self._streams[place]
    return Stream(
        matured=word & _LOW_92,
        vesting=word >> 92 & _LOW_92,
        until=word >> 184 & _LOW_40,
        vesting_time=word >> 224,
    )


@internal
def _write_stream(place: uint256, stream: Stream):
    assert stream.matured <= _LOW_92 and stream.vesting <= _LOW_92, "roots: more than was ever minted"
    assert stream.until <= _LOW_40 and stream.vesting_time <= _LOW_32, "roots: beyond the calendar"
    self._streams[place] = (
        stream.vesting_time << 224 | stream.until << 184 | stream.vesting << 92 | stream.matured
    )


@internal
@view
def _read_ledger(place: uint256) -> Ledger:
    word: uint256 = self._ledgers[place]
    return Ledger(
        spent=word & _LOW_96,
        reserved=word >> 96 & _LOW_96,
        epoch=word >> 192 & _LOW_32,
        manager=word >> 224,
    )


@internal
def _write_ledger(place: uint256, ledger: Ledger):
    # Lanes are uint96 and uint32 where they come from.
    self._ledgers[place] = ledger.manager << 224 | ledger.epoch << 192 | ledger.reserved << 96 | ledger.spent
