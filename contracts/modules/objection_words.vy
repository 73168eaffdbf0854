# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title objection_words
@license AGPL-3.0-only
@author Inferix
@notice Storage of objections, packed by hand and kept for ever: what was objected to once is not objected to again.
@custom:kill None: storage.
"""

from ..interfaces import IObjections


OPEN: constant(uint8) = 1
UPHELD: constant(uint8) = 2
REJECTED: constant(uint8) = 3
UNDECIDED: constant(uint8) = 4
DROPPED: constant(uint8) = 5

_LOW_8: constant(uint256) = 2**8 - 1
_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1
_LOW_160: constant(uint256) = 2**160 - 1


# id => index << 200 | place << 168 | manager << 136 | node << 104 | opened_at << 64 | of << 24 | is_referred << 16 | kind << 8 | status
_words: HashMap[bytes32, uint256]
# id => bond << 160 | challenger
_bonds: HashMap[bytes32, uint256]
_subjects: HashMap[bytes32, bytes32]
# id => of upheld outcomes, a bit for each place whose leaf is not void yet
_unvoided: HashMap[bytes32, uint256]


@external
@view
def objection(id: bytes32) -> IObjections.Objection:
    """
    @notice An objection; status 0 when there is none.
    """
    return self._read(id)


@internal
def _begin(id: bytes32, opened: IObjections.Objection):
    """
    @dev A new one, open.
    """
    assert self._words[id] == 0, "Objections: objected before"
    assert opened.bond < 1 << 96, "Objections: bond too large"
    objection: IObjections.Objection = opened
    objection.status = OPEN
    self._bonds[id] = objection.bond << 160 | convert(objection.challenger, uint256)
    self._subjects[id] = objection.subject
    self._write(id, objection)


@internal
def _write(id: bytes32, objection: IObjections.Objection):
    """
    @dev What may change: status, is_referred.
    """
    self._words[id] = (
        convert(objection.index, uint256) << 200
        | convert(objection.place, uint256) << 168
        | convert(objection.manager, uint256) << 136
        | convert(objection.node, uint256) << 104
        | convert(objection.opened_at, uint256) << 64
        | convert(objection.of, uint256) << 24
        | convert(objection.is_referred, uint256) << 16
        | convert(objection.kind, uint256) << 8
        | convert(objection.status, uint256)
    )


@internal
@view
def _read(id: bytes32) -> IObjections.Objection:
    word: uint256 = self._words[id]
    bond: uint256 = self._bonds[id]
    return IObjections.Objection(
        kind=convert(word >> 8 & _LOW_8, uint8),
        status=convert(word & _LOW_8, uint8),
        subject=self._subjects[id],
        of=convert(word >> 24 & _LOW_8, uint8),
        index=convert(word >> 200 & _LOW_32, uint32),
        place=convert(word >> 168 & _LOW_32, uint32),
        manager=convert(word >> 136 & _LOW_32, uint32),
        opened_at=convert(word >> 64 & _LOW_40, uint40),
        challenger=convert(convert(bond & _LOW_160, uint160), address),
        node=convert(word >> 104 & _LOW_32, uint32),
        bond=bond >> 160,
        is_referred=word >> 16 & 1 == 1,
        unvoided=self._count(self._unvoided[id]),
    )


@internal
@pure
def _count(bits: uint256) -> uint8:
    count: uint8 = 0
    left: uint256 = bits
    for i: uint256 in range(64):
        if left == 0:
            break
        # The lowest bit that is set
        left &= left - 1
        count += 1
    return count
