# SPDX-License-Identifier: Apache-2.0
"""Documents and sealed files, between this node's disk and the network's storage.

Two kinds of trouble are kept apart, because one is somebody's fault: what cannot be had now (`NotFound`, `Unavailable`,
or bytes that a server garbled) says nothing about who stored it; a `BadFile` was had, and is not what was committed to.
"""

import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from inferix.errors import Corrupt, LimitExceeded, Unavailable
from inferix.models.document import MAX_DOCUMENT, Document
from inferix.models.result import FileRef
from inferix.sealing import JobKey, SealError, open_stream, seal_stream, sealed_size
from inferix.storage.blobs import BlobStore
from inferix.storage.cid import Cid, Codec
from inferix.storage.errors import BlockCorrupt, InvalidCid, MalformedFile, TooLarge
from inferix.storage.files import write_atomic

AnyDocument = TypeVar("AnyDocument", bound=Document)
LINE_SECONDS: Final = 2.0
FREE_BYTES: Final = 1 << 30
"""What stays free of a disk: journal and engine write there too."""
_PIECE: Final = 1024 * 1024
log = logging.getLogger(__name__)


class BadFile(Corrupt):
    """A document or a sealed file that was had is not what was committed to: blame whoever committed to it."""


class Vault:
    """What a node reads and writes in a store."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def document(self, kind: type[AnyDocument], digest: bytes) -> AnyDocument:
        """The document of a digest. Raises BadFile when its bytes are no such document."""
        try:
            data = self._store.get_block(Cid(Codec.RAW, digest))
        except BlockCorrupt as error:
            raise Unavailable(f"storage garbles a document: {error}") from error
        except TooLarge as error:
            raise BadFile(f"{digest.hex()} has more than {MAX_DOCUMENT:,} bytes: no {kind.__name__}") from error
        try:
            return kind.decode(data, digest)
        except Corrupt as error:
            raise BadFile(str(error)) from error

    def fetch(self, cid: str, key: JobKey, size: int, target: Path) -> bytes:
        """Decrypt a sealed file of ``size`` plain bytes to ``target``, whole or not at all; SHA-256 of its plain bytes.

        :raises BadFile: it is not a file, not sealed with ``key``, or of another size. LimitExceeded: no room for it.
        """
        free, needed = shutil.disk_usage(target.parent).free, size + FREE_BYTES
        if free < needed:
            raise LimitExceeded(f"{cid} needs {needed:,} bytes at {target.parent}, {free:,} are free: free some")
        digest = hashlib.sha256()
        try:
            sealed = self._store.open(Cid.parse(cid), sealed_size(size))
            found = write_atomic(target, _watched(open_stream(key, sealed), digest.update, "fetching", size))
        except BlockCorrupt as error:
            raise Unavailable(f"storage garbles {cid}: {error}") from error
        except (InvalidCid, SealError, MalformedFile, TooLarge) as error:
            raise BadFile(f"{cid}: {error}") from error
        if found != size:
            target.unlink()
            raise BadFile(f"{cid} holds {found:,} bytes, not {size:,}")
        return digest.digest()

    def fetch_file(self, ref: FileRef, key: JobKey, limit: int, target: Path) -> None:
        """Decrypt what a Result names to ``target``; ``limit``: bytes that such a file can have at most.

        A ``target`` that is there was checked when it was fetched. :raises BadFile: as in `fetch`, or another SHA-256.
        """
        if target.exists():
            return
        if ref.size > limit:
            raise BadFile(f"{ref.cid} claims {ref.size:,} bytes; at most {limit:,} make sense")
        if self.fetch(ref.cid, key, ref.size, target) != ref.sha256:
            target.unlink()
            raise BadFile(f"{ref.cid} is not the file that was committed to: its SHA-256 differs")

    def store_file(self, path: Path, key: JobKey) -> FileRef:
        """Seal a file, store it and pin it: when this returns, all of it is with the network."""
        digest = hashlib.sha256()
        size = path.stat().st_size
        cid = self._store.add(seal_stream(key, _watched(_pieces(path), digest.update, "storing", size)))
        self._store.pin(cid)
        return FileRef(cid=str(cid), sha256=digest.digest(), size=size)

    def store_bytes(self, data: bytes, key: JobKey) -> str:
        """Seal and store something short-lived, not pinned; its CID."""
        return str(self._store.add(seal_stream(key, [data])))

    def fetch_plain(self, cid: str, limit: int, target: Path) -> None:
        """A file that is no secret, such as a sample scene."""
        write_atomic(target, self._store.open(Cid.parse(cid), limit))

    def store_plain(self, path: Path) -> FileRef:
        """Store and pin a file that is no secret."""
        digest = hashlib.sha256()
        size = path.stat().st_size
        cid = self._store.add(_watched(_pieces(path), digest.update, "storing", size))
        self._store.pin(cid)
        return FileRef(cid=str(cid), sha256=digest.digest(), size=size)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _watched(pieces: Iterator[bytes], update: Callable[[bytes], None], action: str, total: int) -> Iterator[bytes]:
    """The pieces, each hashed; a line every few seconds while it lasts."""
    done, next_line = 0, time.monotonic() + LINE_SECONDS
    for piece in pieces:
        update(piece)
        done += len(piece)
        if time.monotonic() >= next_line:
            next_line = time.monotonic() + LINE_SECONDS
            log.info("%s: %s of %s bytes", action, f"{done:,}", f"{total:,}")
        yield piece
