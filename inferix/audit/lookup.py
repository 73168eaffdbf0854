# SPDX-License-Identifier: Apache-2.0
"""Documents out of storage, for an audit."""

from collections.abc import Callable, Iterator, Mapping

from inferix.errors import InferixError, Unavailable


class Lookup(Mapping[bytes, bytes]):
    """Documents fetched when they are asked for, each once; what is not in storage is absent.

    A storage that does not answer says nothing about anybody: its Unavailable passes through.
    """

    def __init__(self, fetch: Callable[[bytes], bytes]) -> None:
        self._fetch = fetch
        self._known: dict[bytes, bytes | None] = {}

    def __getitem__(self, digest: bytes) -> bytes:
        if digest not in self._known:
            try:
                self._known[digest] = self._fetch(digest)
            except Unavailable:
                raise
            except InferixError:
                self._known[digest] = None
        found = self._known[digest]
        if found is None:
            raise KeyError(digest)
        return found

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
