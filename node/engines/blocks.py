# SPDX-License-Identifier: Apache-2.0
"""Reads a few lines of a stranger's raw frame, and nothing else of it.

A verifier compares sixteen lines here and there; parsing 30 MB in a sandbox for them would cost more than its tiles do.
Raw files are of one format (`node.engines.exr`), stored in blocks of 16 lines that unpack one by one. This reader takes
that format and refuses all others: it is Python, NumPy and zlib, in which a hostile file has no memory to corrupt, and
everything it says about sizes is checked against what was ordered before a byte is reserved for it.
"""

import hashlib
import os
import struct
import zlib
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.rendering import CHANNELS, COLOUR, Tile
from node.engines.base import BadResult, FloatArray, ReaderStopped

LINES: Final = 16  # of a block
_HEAD: Final = struct.pack("<II", 20000630, 2)  # OpenEXR's magic, version 2, one part of scan lines
_MAX_HEADER: Final = 1 << 16
_MAX_ATTRIBUTES: Final = 64
_HALF, _FLOAT = 1, 2
_SIZES: Final = {_HALF: 2, _FLOAT: 4}
_ZIP: Final = b"\x03"
_CHANNELS: Final = {
    **{f"Albedo.{letter}": _HALF for letter in "BGR"},
    **{f"Combined.{letter}": _FLOAT for letter in "ABGR"},
    **{f"Normal.{letter}": _HALF for letter in "XYZ"},
}
_PIXEL: Final = sum(_SIZES[kind] for kind in _CHANNELS.values())
_ORDER: Final = (
    *(f"Combined.{letter}" for letter in "RGBA"),
    *(f"Albedo.{letter}" for letter in "RGB"),
    *(f"Normal.{letter}" for letter in "XYZ"),
)
_TYPES: Final = {_HALF: "<f2", _FLOAT: "<f4"}


class RawBlocks:
    """A raw frame of ``size`` (width, height), open for reading; use ``with``.

    :raises BadResult: it is not a raw frame of this format and size. ReaderStopped: it cannot be opened here.
    """

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self._name, self._width, self._height = path.name, *size
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise ReaderStopped(f"{path.name} could not be read here: {error.strerror}") from error
        try:
            self._length = os.fstat(self._file).st_size
            self._seen: dict[int, FloatArray] = {}
            self._offsets = self._open()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def lines(self, top: int, count: int) -> FloatArray:
        """(count, width, 10) float32 from line ``top`` on, linear: RGBA, albedo, normal.

        :raises BadResult: these lines do not unpack. ValueError: they are not inside the frame.
        """
        if not (top >= 0 and count >= 1 and top + count <= self._height):
            raise ValueError(f"lines {top} to {top + count} are not inside a frame of {self._height} lines")
        first, last = top // LINES, (top + count - 1) // LINES
        for number in range(first, last + 1):
            if number not in self._seen:
                self._seen[number] = self._block(number)
        blocks = np.concatenate([self._seen[number] for number in range(first, last + 1)])
        return blocks[top - first * LINES :][:count]

    def crop(self, tile: Tile) -> FloatArray:
        """The (height, width, 10) pixels of one tile. :raises BadResult, ValueError: as `lines`."""
        if not (tile.x >= 0 and tile.width >= 1 and tile.x + tile.width <= self._width):
            raise ValueError(f"{tile} is not inside a frame {self._width} pixels wide")
        return np.ascontiguousarray(self.lines(tile.y, tile.height)[:, tile.x : tile.x + tile.width])

    def pixels_sha256(self) -> bytes:
        """As `node.engines.exr.pixels_sha256` of the whole frame, which is read block by block. :raises BadResult."""
        digest = hashlib.sha256()
        for number in range(len(self._offsets)):
            digest.update(self._block(number)[..., :COLOUR].astype("<f4").tobytes())
        return digest.digest()

    def _block(self, number: int) -> FloatArray:
        """The (lines, width, 10) pixels of one block."""
        top = number * LINES
        lines = min(LINES, self._height - top)
        whole = lines * self._width * _PIXEL
        at = int(self._offsets[number])
        found, size = struct.unpack("<iI", self._read(at, 8))
        if found != top or size > whole:
            raise self._bad(f"block {number} says it is line {found} in {size} bytes")
        packed = self._read(at + 8, size)
        data = packed if size == whole else self._unpack(packed, whole)
        table, place = np.frombuffer(data, np.uint8).reshape(lines, self._width * _PIXEL), 0
        pixels = np.empty((lines, self._width, CHANNELS), np.float32)
        for name, kind in _CHANNELS.items():
            end = place + self._width * _SIZES[kind]
            pixels[..., _ORDER.index(name)] = np.ascontiguousarray(table[:, place:end]).view(_TYPES[kind])
            place = end
        return pixels

    def _unpack(self, packed: bytes, whole: int) -> bytes:
        """Undo ZIP as OpenEXR uses it: deflate, differences of bytes, odd bytes behind even ones."""
        stream = zlib.decompressobj()
        try:
            data = stream.decompress(packed, whole)
            beyond = stream.decompress(stream.unconsumed_tail, 1)  # reads the checksum, too
        except zlib.error as error:
            raise self._bad(f"a block does not unpack ({error})") from error
        if len(data) != whole or beyond or not stream.eof:
            raise self._bad(f"a block unpacks to another size than {whole} bytes")
        steps: NDArray[np.uint8] = np.frombuffer(data, np.uint8) - np.uint8(128)
        steps[0] = data[0]
        halves = np.cumsum(steps, dtype=np.uint8)
        out = np.empty(whole, np.uint8)
        out[0::2], out[1::2] = halves[: (whole + 1) // 2], halves[(whole + 1) // 2 :]
        return out.tobytes()

    def _open(self) -> NDArray[np.uint64]:
        """Check the header; the places of the blocks."""
        head = os.pread(self._file, min(_MAX_HEADER, self._length), 0)
        if not head.startswith(_HEAD):
            raise self._bad("it is not an EXR file of scan lines in one part")
        attributes, at = self._attributes(head)
        self._check(attributes)
        count = -(-self._height // LINES)
        offsets = np.frombuffer(self._read(at, 8 * count), "<u8")
        if bool((offsets < at + 8 * count).any()) or bool((offsets > self._length).any()):
            raise self._bad("a block lies outside the file")
        return offsets

    def _attributes(self, head: bytes) -> tuple[dict[str, tuple[str, bytes]], int]:
        """The header's attributes, each with its kind, and where it ends."""
        found: dict[str, tuple[str, bytes]] = {}
        at = len(_HEAD)
        for _ in range(_MAX_ATTRIBUTES):
            name, at = self._text(head, at)
            if not name:
                return found, at
            kind, at = self._text(head, at)
            size = int.from_bytes(head[at : at + 4], "little")
            found[name] = kind, head[at + 4 : at + 4 + size]
            at += 4 + size
        raise self._bad("its header does not end")

    def _text(self, head: bytes, at: int) -> tuple[str, int]:
        end = head.find(b"\0", at, at + 256)
        if end < 0:
            raise self._bad("its header is cut off")
        return head[at:end].decode("latin-1"), end + 1

    def _check(self, attributes: dict[str, tuple[str, bytes]]) -> None:
        """Its header is that of `node.engines.exr` to the byte: what OpenEXR refuses would be accepted here, paid, and
        never be assembled."""
        box = struct.pack("<4i", 0, 0, self._width - 1, self._height - 1)
        wanted = {
            "compression": ("compression", _ZIP),
            "lineOrder": ("lineOrder", b"\0"),
            "channels": ("chlist", _channel_list()),
            "dataWindow": ("box2i", box),
            "displayWindow": ("box2i", box),
            "pixelAspectRatio": ("float", struct.pack("<f", 1)),
            "screenWindowCenter": ("v2f", bytes(8)),
            "screenWindowWidth": ("float", struct.pack("<f", 1)),
            "type": ("string", b"scanlineimage"),
        }
        differ = {name for name in wanted.keys() | attributes if wanted.get(name) != attributes.get(name)}
        if differ & {"compression", "lineOrder"}:
            raise self._bad("it is not lossless ZIP from the top down")
        if "channels" in differ:
            raise self._bad("it does not hold the raw passes")
        if "dataWindow" in differ:
            window = attributes.get("dataWindow", ("", b""))[1]
            sides = struct.unpack("<4i", window) if len(window) == 16 else (0, 0, -1, -1)
            found = f"{sides[2] - sides[0] + 1}x{sides[3] - sides[1] + 1}"
            raise self._bad(f"it has {found} pixels, expected {self._width}x{self._height}")
        if differ:
            raise self._bad(f"its header differs in {', '.join(sorted(differ))[:200]}")

    def _read(self, at: int, size: int) -> bytes:
        data = os.pread(self._file, size, at) if at + size <= self._length else b""
        if len(data) != size:
            raise self._bad("it is cut off")
        return data

    def _bad(self, what: str) -> BadResult:
        return BadResult(f"{self._name} is not an EXR raw frame: {what}")


def _channel_list() -> bytes:
    """The attribute as it has to be: names in order, kind, linear flag, one sample a pixel."""
    rows = (name.encode() + b"\0" + struct.pack("<I4xii", kind, 1, 1) for name, kind in _CHANNELS.items())
    return b"".join(rows) + b"\0"
