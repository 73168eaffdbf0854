# SPDX-License-Identifier: Apache-2.0
"""What every store of files can do, whoever keeps the disk.

A store keeps blocks under their CIDs; a file is the tree of blocks under its root (`inferix.storage.dag`). What a store
hands out is checked against its CID first. A block that no pin reaches may be collected: pin what must stay.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from inferix.storage.cid import Cid
from inferix.storage.dag import FileStat, Source, blocks_of, file_stat, read_file
from inferix.units import Seconds


class BlobStore(Protocol):
    """A store as its user sees it. Calls may raise any StorageError."""

    def get_block(self, cid: Cid) -> bytes:
        """The block, its hash checked. Raises BlockMissing, BlockCorrupt or TooLarge."""

    def get_block_within(self, cid: Cid, seconds: Seconds) -> bytes:
        """``get_block``; a store that asks its network gives up after so long."""
        return self.get_block(cid)

    def put_block(self, cid: Cid, data: bytes) -> None:
        """Keeps a block of at most 2 MiB; again is no error. Raises BlockCorrupt, TooLarge or StorageFull."""

    def missing(self, cids: Sequence[Cid]) -> list[Cid]:
        """Those of the blocks that are not here, in order; the others are kept as long as if put just now."""

    def has_block(self, cid: Cid) -> bool:
        """Whether the store itself holds the block, whatever its network could find."""

    def pin(self, cid: Cid) -> None:
        """Keeps a file until it is unpinned; again is no error. Raises BlockMissing unless all of it is here."""

    def fetch(self, cids: Sequence[Cid]) -> Iterator[bytes]:
        """The blocks in order; a store that is far away reads ahead."""
        return map(self.get_block, cids)

    def add(self, source: Source) -> Cid:
        """Stores a stream as a file and gives its root. Does not pin it."""
        for block in blocks_of(source):
            self.put_block(block.cid, block.data)
        return block.cid

    def open(self, cid: Cid, max_size: int) -> Iterator[bytes]:
        """The file in verified pieces of at most 2 MiB.

        Raises TooLarge at once for a file of more than ``max_size`` bytes; BlockMissing, BlockCorrupt or MalformedFile
        may come at any piece.
        """
        return read_file(cid, self.fetch, max_size)

    def stat(self, cid: Cid) -> FileStat:
        """How large the file is, from its root block alone."""
        return file_stat(cid, self.get_block(cid))


class OwnedStore(BlobStore, Protocol):
    """A store as the program sees it that runs it."""

    def block_size(self, cid: Cid) -> int | None:
        """Bytes of a block that the store itself holds; None if it does not."""

    def unpin(self, cid: Cid) -> None:
        """Lets a file go at the next collection; no error if it was not pinned. Pins are not counted."""

    def pins(self) -> Iterator[Cid]:
        """The roots that are pinned, in no order."""

    def gc(self) -> int:
        """Removes the blocks that no pin reaches; the number of them."""


def copy(cid: Cid, source: BlobStore, target: BlobStore, max_size: int) -> int:
    """Brings a file from one store to another and gives its size. Blocks that the target has are not sent again,
    so a copy that was cut off goes on where it stopped. Does not pin."""

    def fetch(cids: Sequence[Cid]) -> Iterator[bytes]:
        absent = set(target.missing(cids))
        arriving = source.fetch([cid for cid in cids if cid in absent])
        for wanted in cids:
            if wanted in absent:
                data = next(arriving)
                target.put_block(wanted, data)
                yield data
            else:
                yield target.get_block(wanted)

    return sum(len(piece) for piece in read_file(cid, fetch, max_size))
