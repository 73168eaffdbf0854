# SPDX-License-Identifier: Apache-2.0
"""Lists that somebody writes down and contracts check: the roots and proofs of OpenZeppelin's StandardMerkleTree."""

from collections.abc import Sequence

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.errors import InvalidInput

Fields = Sequence[int | str]


class StandardTree:
    """A tree over rows of these ABI types. The order of the rows changes neither root nor proofs.

    :raises InvalidInput: no rows.
    """

    def __init__(self, types: Sequence[str], rows: Sequence[Fields]) -> None:
        if not rows:
            raise InvalidInput("a list has one row at least")
        hashes = [keccak(keccak(abi_encode(list(types), list(row)))) for row in rows]
        order = sorted(range(len(rows)), key=hashes.__getitem__)
        self._nodes = [b""] * (2 * len(rows) - 1)
        self._places = [0] * len(rows)
        for at, row in enumerate(order):
            self._places[row] = len(self._nodes) - 1 - at
            self._nodes[self._places[row]] = hashes[row]
        for at in reversed(range(len(rows) - 1)):
            self._nodes[at] = keccak(b"".join(sorted(self._nodes[2 * at + 1 : 2 * at + 3])))

    @property
    def root(self) -> bytes:
        """32 bytes."""
        return self._nodes[0]

    def proof(self, row: int) -> list[bytes]:
        """The siblings of a row, by its place among them, from the leaf upwards."""
        at, siblings = self._places[row], []
        while at:
            siblings.append(self._nodes[at + 1 if at % 2 else at - 1])
            at = (at - 1) // 2
        return siblings
