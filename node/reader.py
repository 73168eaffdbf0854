# SPDX-License-Identifier: Apache-2.0
"""Strangers' pictures, parsed in a sandbox of their own."""

from pathlib import Path

from inferix.proofs.assembly import ByteArray
from inferix.proofs.rendering import Tile
from node.engines import FloatArray, RenderSettings
from node.engines.crops import read_crops, read_picture


class SandboxedReader:
    """Reads through `node.engines.crops`. ``unsafe``: without isolation, for whoever trusts the files and says so."""

    def __init__(self, *, unsafe: bool = False) -> None:
        self._unsafe = unsafe

    def frame(self, exr: Path, settings: RenderSettings, work: Path) -> FloatArray:
        """All pixels of a raw frame, (height, width, 4) float32. Raises BadResult."""
        whole = Tile(0, 0, settings.width, settings.height)
        return read_crops(exr, settings, [whole], work, unsafe=self._unsafe)[0]

    def picture(self, png: Path, work: Path) -> ByteArray:
        """(height, width, 3 or 4) uint8. Raises BadResult."""
        return read_picture(png, work, unsafe=self._unsafe)
