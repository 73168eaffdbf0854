# SPDX-License-Identifier: Apache-2.0
"""Uniform integers from a secret that everybody who knows it can repeat."""

import hashlib


class ByteStream:
    """``SHA-256(domain || uint64 counter)`` for counter 0, 1, ..., read in words of 8 bytes."""

    def __init__(self, domain: bytes) -> None:
        self._domain = domain
        self._counter = 0
        self._words: list[int] = []

    def below(self, limit: int) -> int:
        """The next integer in [0, limit), without bias: words from the incomplete last round are skipped.

        :raises ValueError: limit is not in [1, 2**64].
        """
        if not 1 <= limit <= 2**64:
            raise ValueError(f"limit must be in [1, 2**64], not {limit}")
        whole = 2**64 - 2**64 % limit
        while True:
            word = self._word()
            if word < whole:
                return word % limit

    def _word(self) -> int:
        if not self._words:
            block = hashlib.sha256(self._domain + self._counter.to_bytes(8)).digest()
            self._words = [int.from_bytes(block[at : at + 8]) for at in (24, 16, 8, 0)]
            self._counter += 1
        return self._words.pop()
