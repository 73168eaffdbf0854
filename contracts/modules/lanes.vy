# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title lanes
@license AGPL-3.0-only
@author Inferix
@notice Storage of lanes of batches, packed by hand: a word a lane, a word a batch. A batch's word is kept for ever, under
        its commitment. A batch that stands alone, outside its lane's order, has sequence 0.
@custom:kill None: storage.
"""

# Places for commitments of a lane, one more than it may have open: the newest final one is kept too, to be followed.
RING: constant(uint32) = 512
# Bounds what cancelling the oldest open one costs
MAX_OPEN: constant(uint32) = 511

PROPOSED: constant(uint8) = 1
FINAL: constant(uint8) = 2
CANCELLED: constant(uint8) = 3

MAX_LIMIT: constant(uint256) = 2**64 - 1
_LOW_16: constant(uint256) = 2**16 - 1
_LOW_24: constant(uint256) = 2**24 - 1
_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1
_LOW_64: constant(uint256) = 2**64 - 1
_LOW_96: constant(uint256) = 2**96 - 1


# A lane: checked_at << 192 | limit << 128 | open << 64 | final << 32 | batches
struct Row:
    # Live batches, and how many of them are final
    batches: uint32
    final: uint32
    # nano-USD proposed and not final, and how much of it there may be
    open: uint256
    limit: uint256
    # When the bond was last looked at [s]
    checked_at: uint256


# A batch: epoch << 218 | is_cancelled << 217 | has_voids << 216 | disputes << 200 | charge << 104 | proposed_at << 64
#          | sequence << 32 | manager
struct Entry:
    manager: uint32
    sequence: uint32
    # Protocol time [s]; 0 where there is no such batch
    proposed_at: uint256
    # nano-USD
    charge: uint256
    # Open ones
    disputes: uint256
    has_voids: bool
    is_cancelled: bool
    # In which it became final, from 1; 0 while it is not
    epoch: uint256


_rows: HashMap[uint32, uint256]
# manager => sequence mod RING => commitment: the newest live ones of the lane
_commitments: HashMap[uint32, HashMap[uint32, bytes32]]
_entries: HashMap[bytes32, uint256]


@internal
@pure
def _status(entry: Entry) -> uint8:
    if entry.proposed_at == 0:
        return 0
    if entry.is_cancelled:
        return CANCELLED
    if entry.epoch != 0:
        return FINAL
    return PROPOSED


@internal
@view
def _commitment(manager: uint32, sequence: uint32) -> bytes32:
    # Of a live batch among the newest RING; zero before the first.
    if sequence == 0:
        return empty(bytes32)
    return self._commitments[manager][sequence % RING]


@internal
@view
def _read(manager: uint32) -> Row:
    word: uint256 = self._rows[manager]
    return Row(
        batches=convert(word & _LOW_32, uint32),
        final=convert(word >> 32 & _LOW_32, uint32),
        open=word >> 64 & _LOW_64,
        limit=word >> 128 & _LOW_64,
        checked_at=word >> 192,
    )


@internal
def _write(manager: uint32, row: Row):
    self._rows[manager] = (
        row.checked_at << 192
        | row.limit << 128
        | row.open << 64
        | convert(row.final, uint256) << 32
        | convert(row.batches, uint256)
    )


@internal
@view
def _read_entry(commitment: bytes32) -> Entry:
    word: uint256 = self._entries[commitment]
    return Entry(
        manager=convert(word & _LOW_32, uint32),
        sequence=convert(word >> 32 & _LOW_32, uint32),
        proposed_at=word >> 64 & _LOW_40,
        charge=word >> 104 & _LOW_96,
        disputes=word >> 200 & _LOW_16,
        has_voids=word >> 216 & 1 == 1,
        is_cancelled=word >> 217 & 1 == 1,
        epoch=word >> 218,
    )


@internal
def _write_entry(commitment: bytes32, entry: Entry):
    assert entry.disputes <= _LOW_16, "lanes: too many disputes"
    assert entry.epoch <= _LOW_24, "lanes: epoch too large"
    self._entries[commitment] = (
        entry.epoch << 218
        | convert(entry.is_cancelled, uint256) << 217
        | convert(entry.has_voids, uint256) << 216
        | entry.disputes << 200
        | entry.charge << 104
        | entry.proposed_at << 64
        | convert(entry.sequence, uint256) << 32
        | convert(entry.manager, uint256)
    )
