# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all, and folders that go whatever is in them."""

import errno
import logging
import os
import secrets
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""What the system says where no more can be written."""


def write_atomic(path: Path, pieces: Iterable[bytes], via: Path | None = None) -> int:
    """Writes a file from a stream and gives its size; readers see the old file or the whole new one.

    The bytes are written beside the target (or in ``via``, a directory of the same file system), synced, then renamed.
    When the stream or the disk fails, nothing is left and the error passes through. The file is private to its owner.
    """
    handle, part = tempfile.mkstemp(prefix=".part-", dir=via or path.parent)
    size = 0
    try:
        with open(handle, "wb") as file:
            for piece in pieces:
                size += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
    return size


def sync_directory(path: Path) -> None:
    """Makes the names in a directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_folder(folder: Path) -> None:
    """Deletes a folder that a stranger's program has filled, however deep, once nothing writes to it any more.

    No link is followed; folders that forbid it are opened. What cannot be deleted stays, which the log says.
    """
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise NotADirectoryError(f"{folder} is no folder")
        os.chmod(folder, 0o700)
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            while names := os.listdir(root):
                for name in names:
                    _remove_entry(root, name)
        finally:
            os.close(root)
        os.rmdir(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("%s cannot be deleted (%s): delete it by hand", folder, error)


def _remove_entry(root: int, name: str) -> None:
    """A file, or a folder whose own folders move up to the root first: so no path grows with the depth."""
    if not _is_folder(root, name):
        os.unlink(name, dir_fd=root)
        return
    os.chmod(name, 0o700, dir_fd=root)
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
    try:
        for each in os.listdir(inner):
            if _is_folder(inner, each):
                os.chmod(each, 0o700, dir_fd=inner)  # who moves a folder writes to it
                os.rename(each, secrets.token_hex(16), src_dir_fd=inner, dst_dir_fd=root)
            else:
                os.unlink(each, dir_fd=inner)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=root)


def _is_folder(parent: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
