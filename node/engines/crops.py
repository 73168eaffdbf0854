# SPDX-License-Identifier: Apache-2.0
"""Reads pictures that a stranger made, in a sandbox of its own: parsers have bugs, and here they meet hostile files.

A file is bad where its parser says so. Where the parser ends instead, by a limit or a crash, its file may be innocent.
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.rendering import CHANNELS, Tile
from node.engines.base import BadResult, EngineSettings, EngineStopped, FloatArray, ReaderStopped, RenderSettings
from node.engines.launch import start_python
from node.engines.process import JsonProcess
from node.engines.serve import Report, serve
from node.watchdog import GIB, Limits

ByteArray = NDArray[np.uint8]

_LIMITS: Final = Limits(memory_bytes=16 * GIB, wall_seconds=300, cpu_seconds=600)
_MAX_SIDE: Final = 16_384
_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS: Final = {2: 3, 6: 4}


def read_crops(
    exr: Path, settings: RenderSettings, tiles: Sequence[Tile], work: Path, *, unsafe: bool = False
) -> list[FloatArray]:
    """These tiles of a raw frame, each (height, width, 10) float32. ``work``: a private folder, made if absent.

    :raises BadResult: it is not a raw frame of this size, or a tile is outside of it. ReaderStopped.
    """
    counts = [tile.width * tile.height * CHANNELS for tile in tiles]
    boxes = [(tile.x, tile.y, tile.width, tile.height) for tile in tiles]
    process = start_python("node.engines.crops", work, EngineSettings(limits=_LIMITS, unsafe=unsafe))
    try:
        size = (settings.width, settings.height)
        data = _fetch(process, "crops", "crops.f32", source=process.give(exr), size=size, tiles=boxes)
    finally:
        process.close()
    if len(data) != sum(counts) * 4:
        raise BadResult(f"{exr.name}: its tiles have {len(data)} bytes, expected {sum(counts) * 4}")
    parts = np.split(np.frombuffer(data, "<f4").astype(np.float32), np.cumsum(counts)[:-1])
    return [part.reshape(tile.height, tile.width, CHANNELS) for part, tile in zip(parts, tiles, strict=True)]


def read_picture(png: Path, work: Path, *, size: tuple[int, int] | None = None, unsafe: bool = False) -> ByteArray:
    """An 8-bit PNG as (height, width, 3 or 4) uint8. ``size`` (width, height) is checked before any pixel is unpacked.

    :raises BadResult: it is none, or of another size. ReaderStopped.
    """
    width, height, channels = _png_shape(png)
    if size is not None and (width, height) != size:
        raise BadResult(f"{png.name} has {width}x{height} pixels, expected {size[0]}x{size[1]}")
    process = start_python("node.engines.blender.inside", work, EngineSettings(limits=_LIMITS, unsafe=unsafe))
    try:
        data = _fetch(process, "picture", "picture.u8", source=process.give(png), size=(width, height))
    finally:
        process.close()
    if len(data) != width * height * 4:
        raise BadResult(f"{png.name}: it has {len(data)} bytes of pixels, expected {width * height * 4}")
    return np.frombuffer(data, np.uint8).reshape(height, width, 4)[..., :channels]


def read_movie_frame(
    movie: Path, work: Path, at: int, frames: int, size: tuple[int, int], *, unsafe: bool = False
) -> ByteArray:
    """Frame ``at``, from 0, of a movie of ``frames`` stills of ``size`` (width, height), without an odd last row and
    column: (height, width, 3) uint8.

    :raises BadResult: it does not play, or has another size or number of frames. ReaderStopped.
    """
    process = start_python("node.engines.blender.inside", work, EngineSettings(limits=_LIMITS, unsafe=unsafe))
    try:
        asked = {"at": at, "frames": frames, "size": size}
        data = _fetch(process, "movie_frame", "frame.u8", source=process.give(movie), **asked)
    finally:
        process.close()
    width, height = size[0] // 2 * 2, size[1] // 2 * 2
    if len(data) != width * height * 4:
        raise BadResult(f"{movie.name}: it has {len(data)} bytes of pixels, expected {width * height * 4}")
    return np.frombuffer(data, np.uint8).reshape(height, width, 4)[..., :3]


def _fetch(process: JsonProcess, operation: str, name: str, **arguments: Any) -> bytes:
    try:
        process.call(operation, output=name, **arguments)
        path, _ = process.take(name)
    except EngineStopped as error:
        raise ReaderStopped(f"a file could not be read here: {error}") from error
    data = path.read_bytes()
    path.unlink()
    return data


def _png_shape(png: Path) -> tuple[int, int, int]:
    """Width, height and channels from the header."""
    try:
        with png.open("rb") as file:
            head = file.read(26)
    except OSError as error:
        raise ReaderStopped(f"{png.name} could not be read here: {error.strerror}") from error
    if len(head) < 26 or not head.startswith(_PNG_MAGIC) or head[12:16] != b"IHDR":
        raise BadResult(f"{png.name} is not a PNG file")
    width, height, depth, colour = struct.unpack(">IIBB", head[16:26])
    if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE) or depth != 8 or colour not in _PNG_CHANNELS:
        raise BadResult(f"{png.name} has {width}x{height} pixels of kind {depth}/{colour}; expected 8-bit RGB or RGBA")
    return width, height, _PNG_CHANNELS[colour]


class _Reading:
    """What the sandboxed process offers."""

    def crops(self, source: str, size: Sequence[int], tiles: Sequence[Sequence[int]], output: str) -> object:
        from node.engines import exr

        pixels = exr.stored(exr.read_frame(Path(source), (size[0], size[1])))
        with Path(output).open("wb") as file:
            for tile in tiles:
                file.write(exr.crop(pixels, Tile(*tile)).astype("<f4").tobytes())
        return {}


def main() -> None:
    """Serve in the sandbox."""

    def make(report: Report) -> object:
        return _Reading()

    serve(make)
