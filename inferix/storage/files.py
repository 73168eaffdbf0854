# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all."""

import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

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
