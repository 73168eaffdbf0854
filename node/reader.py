# SPDX-License-Identifier: Apache-2.0
"""Strangers' pictures, parsed in a sandbox of their own."""

from pathlib import Path

from inferix.proofs.assembly import ByteArray
from node.engines.crops import read_movie_frame, read_picture


class SandboxedReader:
    """Reads through `node.engines.crops`. ``unsafe``: without isolation, for whoever trusts the files and says so."""

    def __init__(self, *, unsafe: bool = False) -> None:
        self._unsafe = unsafe

    def picture(self, png: Path, work: Path, size: tuple[int, int] | None = None) -> ByteArray:
        """(height, width, 3 or 4) uint8; ``size``: (width, height). Raises BadResult, ReaderStopped."""
        return read_picture(png, work, size=size, unsafe=self._unsafe)

    def movie_frame(self, movie: Path, work: Path, at: int, frames: int, size: tuple[int, int]) -> ByteArray:
        """As `read_movie_frame`."""
        return read_movie_frame(movie, work, at, frames, size, unsafe=self._unsafe)
