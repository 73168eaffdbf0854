# SPDX-License-Identifier: Apache-2.0
"""What a store refuses.

    StorageError
      + InvalidCid         (InvalidInput)   not a CID that this network uses
      + BlockMissing       (NotFound)       the store does not hold the block
      + BlockCorrupt       (Corrupt)        the bytes do not hash to their CID
      + MalformedFile      (Corrupt)        the blocks are sound, but not a well-formed file
      + TooLarge           (LimitExceeded)  a block or a file exceeds the caller's limit
      + StorageFull        (LimitExceeded)  no room on the store's disk
      + QuotaExceeded      (LimitExceeded)  this caller has stored its share; has retry_after
      + StorageRefused     (Refused)        the store does not let this caller do that
      + StorageUnavailable (Unavailable)    the store does not answer; has retry_after

In brackets the kind of `inferix.errors` that each one also is.
"""

from inferix.errors import (
    Corrupt,
    InferixError,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Refused,
    Unavailable,
)


class StorageError(InferixError):
    """Root of what goes wrong with stored data."""


class InvalidCid(StorageError, InvalidInput):
    """The text or the bytes are not a CIDv1 of a raw or dag-pb block with a sha2-256 hash."""


class BlockMissing(StorageError, NotFound):
    """The store does not hold the block, and cannot get it within its time limit."""


class BlockCorrupt(StorageError, Corrupt):
    """The bytes do not hash to the CID they were asked for or sent under."""


class MalformedFile(StorageError, Corrupt):
    """Sound blocks whose links, sizes or fields are not those of a UnixFS file."""


class TooLarge(StorageError, LimitExceeded):
    """A block or a file is larger than the caller accepts."""


class StorageFull(StorageError, LimitExceeded):
    """The disk of the store has no room; nothing was left half-written."""


class QuotaExceeded(StorageError, LimitExceeded):
    """The caller has stored its share; ``retry_after`` seconds until it may store more."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageRefused(StorageError, Refused):
    """The store does not let this caller do that."""


class StorageUnavailable(StorageError, Unavailable):
    """The store does not answer, or asks us to wait ``retry_after`` seconds."""
