# SPDX-License-Identifier: Apache-2.0
"""A store in a directory of this machine, for programs that run no IPFS node.

    blocks/3f/<cid>   one file a block, spread by the first byte of its hash
    pins/<cid>        one empty file a pinned root
    damaged/<cid>     blocks whose bytes no longer match their name, put aside
    parts/            blocks being written
    lock              flock: held shared to keep a block, exclusively to remove some

Any number of processes and threads may share the directory, on a local file system.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from inferix.storage.blobs import OwnedStore
from inferix.storage.cid import Cid
from inferix.storage.dag import MAX_BLOCK, checked_block, reachable
from inferix.storage.errors import (
    BlockCorrupt,
    BlockMissing,
    StorageError,
    StorageFull,
    StorageUnavailable,
    TooLarge,
)
from inferix.storage.files import NO_ROOM, sync_directory, write_atomic
from inferix.units import Seconds

DEFAULT_RESERVE = 256 * 1024 * 1024
DEFAULT_GRACE = Seconds(24 * 3_600)


class EmbeddedStore(OwnedStore):
    """Blocks as files.

    ``reserve``: bytes of the disk that stay free; a block that would take them raises StorageFull.
    ``grace``: seconds that a block outlives its last put, missing or pin call without being pinned.
    """

    def __init__(self, directory: Path, *, reserve: int = DEFAULT_RESERVE, grace: Seconds = DEFAULT_GRACE) -> None:
        self._root = directory
        self._reserve = reserve
        self._grace = grace
        with _disk_errors("create the store"):
            for name in ("blocks", "pins", "damaged", "parts"):
                (directory / name).mkdir(parents=True, exist_ok=True)

    def get_block(self, cid: Cid) -> bytes:
        path = self._path(cid)
        with _disk_errors(f"read {cid}"):
            try:
                with path.open("rb") as file:
                    data = file.read(MAX_BLOCK + 1)
            except FileNotFoundError:
                raise BlockMissing(f"{cid} is not in {self._root}; fetch it from another store") from None
        try:
            return checked_block(cid, data)
        except (BlockCorrupt, TooLarge) as error:
            self._put_aside(path)
            raise BlockCorrupt(f"{cid} was damaged on disk and is put aside; put it again from a copy") from error

    def put_block(self, cid: Cid, data: bytes) -> None:
        checked_block(cid, data)
        path = self._path(cid)
        with _disk_errors(f"keep {cid}"):
            with self._locked(fcntl.LOCK_SH):
                if self._refresh(path):
                    return
            room = os.statvfs(self._root)
            if room.f_bavail * room.f_frsize - len(data) < self._reserve:
                raise StorageFull(f"{self._root} keeps {self._reserve:,} bytes free and has no more; free some disk")
            path.parent.mkdir(exist_ok=True)
            write_atomic(path, (data,), via=self._root / "parts")

    def missing(self, cids: Sequence[Cid]) -> list[Cid]:
        with _disk_errors("look for blocks"), self._locked(fcntl.LOCK_SH):
            return [cid for cid in cids if not self._refresh(self._path(cid))]

    def has_block(self, cid: Cid) -> bool:
        return self.block_size(cid) is not None

    def block_size(self, cid: Cid) -> int | None:
        with _disk_errors(f"look for {cid}"):
            try:
                return self._path(cid).stat().st_size
            except FileNotFoundError:
                return None

    def pin(self, cid: Cid) -> None:
        folders = set()
        with _disk_errors(f"pin {cid}"), self._locked(fcntl.LOCK_SH):
            for block in reachable([cid], self.get_block):
                path = self._path(block)
                if not self._refresh(path):
                    raise BlockMissing(f"{cid} cannot be pinned: its block {block} is not here; put it first")
                folders.add(path.parent)
            for folder in (*folders, self._root / "blocks"):
                sync_directory(folder)
            (self._root / "pins" / str(cid)).touch()
            sync_directory(self._root / "pins")

    def unpin(self, cid: Cid) -> None:
        with _disk_errors(f"unpin {cid}"):
            (self._root / "pins" / str(cid)).unlink(missing_ok=True)

    def pins(self) -> Iterator[Cid]:
        with _disk_errors("list the pins"):
            return map(Cid.parse, os.listdir(self._root / "pins"))

    def gc(self) -> int:
        """Removes the blocks that no pin reaches and nobody touched within the grace.

        A pinned file with a damaged or missing node stops the collection: what lies beneath cannot be told from litter.
        """
        with _disk_errors("collect"):
            with self._locked(fcntl.LOCK_EX):
                before = time.time_ns() - self._grace * 10**9
                roots = list(self.pins())
            kept = {str(cid) for cid in self._pinned_blocks(roots)}
            removed = sum(self._sweep(folder, kept, before) for folder in (self._root / "blocks").iterdir())
            self._sweep(self._root / "parts", set(), before - 3_600 * 10**9)
            return removed

    def _pinned_blocks(self, roots: list[Cid]) -> Iterator[Cid]:
        try:
            yield from reachable(roots, self.get_block)
        except StorageError as error:
            raise StorageUnavailable(f"nothing was removed: a pinned file has lost a node; {error}") from error

    def _sweep(self, folder: Path, kept: set[str], before: int) -> int:
        removed = 0
        with self._locked(fcntl.LOCK_EX), os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # a reader may have put it aside
                    if entry.name not in kept and entry.stat().st_mtime_ns < before:
                        os.unlink(entry.path)
                        removed += 1
        return removed

    def _path(self, cid: Cid) -> Path:
        return self._root / "blocks" / f"{cid.digest[0]:02x}" / str(cid)

    def _refresh(self, path: Path) -> bool:
        """Starts a block's grace anew; False if it is not here. The kernel's own stamp is too coarse."""
        now = time.time_ns()
        try:
            os.utime(path, ns=(now, now))
        except FileNotFoundError:
            return False
        return True

    def _put_aside(self, path: Path) -> None:
        with _disk_errors("put a damaged block aside"), suppress(FileNotFoundError):  # another reader was first
            os.replace(path, self._root / "damaged" / path.name)

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        handle = os.open(self._root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, kind)
            yield
        finally:
            os.close(handle)


@contextmanager
def _disk_errors(action: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(f"no room to {action}: {error.strerror}; free some disk") from error
        raise StorageUnavailable(f"cannot {action}: {error}; check the disk and its permissions") from error
