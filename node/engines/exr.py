# SPDX-License-Identifier: Apache-2.0
"""The raw frame on disk: one flat multi-layer EXR that any compositor opens.

    Combined.R G B A     float32   the noisy pass, exactly as rendered: this is what is committed and compared
    Albedo.R G B         float16   guides for the denoiser
    Normal.X Y Z         float16

Lossless ZIP, and nothing in the header that changes from run to run, so equal pixels make equal files. Reading runs
OpenEXR on the file: do it in a sandbox (node.engines.crops) when the file is a stranger's.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import OpenEXR  # type: ignore[import-not-found, unused-ignore]
from numpy.typing import NDArray

from inferix.errors import Corrupt
from inferix.proofs.rendering import Tile, as_stored

FloatArray = NDArray[np.float32]

_COMBINED: Final = ("Combined.R", "Combined.G", "Combined.B", "Combined.A")
_ALBEDO: Final = ("Albedo.R", "Albedo.G", "Albedo.B")
_NORMAL: Final = ("Normal.X", "Normal.Y", "Normal.Z")
_HALF_MAX: Final = 65504.0


class BadExr(Corrupt):
    """Not a raw frame of this format and size; the message says what is wrong with it."""

    code = "bad_result"  # how it crosses the border of a sandbox


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes of one frame, row 0 on top: combined (height, width, 4), albedo and normal (height, width, 3)."""

    combined: FloatArray
    albedo: FloatArray
    normal: FloatArray

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.combined.shape[1], self.combined.shape[0]


def pixels_sha256(combined: FloatArray) -> bytes:
    """SHA-256 of RGBA pixels as little-endian float32, row 0 on top."""
    return hashlib.sha256(np.ascontiguousarray(combined, dtype="<f4").tobytes()).digest()


def stored(passes: Passes) -> FloatArray:
    """(height, width, 10) float32: what `write_frame` keeps of these passes."""
    return as_stored(np.concatenate([passes.combined, passes.albedo, passes.normal], axis=2, dtype=np.float32))


def write_frame(path: Path, passes: Passes) -> None:
    """Write a raw frame; the same passes make the same bytes."""
    channels = _split(_COMBINED, passes.combined, np.float32)
    channels |= _split(_ALBEDO, passes.albedo, np.float16) | _split(_NORMAL, passes.normal, np.float16)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, channels).write(str(path))


def read_frame(path: Path, size: tuple[int, int] | None = None) -> Passes:
    """Read a raw frame; ``size`` (width, height) is checked before any pixel is read.

    :raises BadExr: it is not a raw frame of this format and size.
    """
    _check_header(path, size)
    try:
        channels = OpenEXR.File(str(path), separate_channels=True).channels()
        combined, albedo, normal = (_join(channels, names) for names in (_COMBINED, _ALBEDO, _NORMAL))
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise BadExr(f"{path.name}: the pixels cannot be read ({_said(error, path)})") from error
    if any(channels[name].pixels.dtype != np.float32 for name in _COMBINED):
        raise BadExr(f"{path.name}: the combined pass is not float32")
    return Passes(combined, albedo, normal)


def read_channels(path: Path) -> dict[str, FloatArray]:
    """What a renderer of ours wrote, one part a pass: (height, width) by pass and letter ("Combined.R").

    Names in the file begin with that of the layer, which may have dots.
    """
    return {
        ".".join(name.rsplit(".", 2)[-2:]): channel.pixels
        for part in OpenEXR.File(str(path), separate_channels=True).parts
        for name, channel in part.channels.items()
    }


def crop(pixels: FloatArray, tile: Tile) -> FloatArray:
    """The pixels of one tile of a frame, with all channels that are given.

    :raises BadExr: the tile is not inside the frame.
    """
    part = pixels[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
    if tile.x < 0 or tile.y < 0 or part.shape[:2] != (tile.height, tile.width):
        raise BadExr(f"{tile} is not inside a frame of {pixels.shape[1]}x{pixels.shape[0]}")
    return np.ascontiguousarray(part)


def _check_header(path: Path, size: tuple[int, int] | None) -> None:
    try:
        parts = OpenEXR.File(str(path), header_only=True).parts
        header = parts[0].header
        low, high = header["dataWindow"]
        found = (int(high[0]) - int(low[0]) + 1, int(high[1]) - int(low[1]) + 1)
        names = {str(channel.name) for channel in header["channels"]}
    except (RuntimeError, ValueError, KeyError, TypeError, IndexError) as error:
        raise BadExr(f"{path.name} is not an EXR file ({_said(error, path)})") from error
    if len(parts) != 1 or names != {*_COMBINED, *_ALBEDO, *_NORMAL}:
        raise BadExr(
            f"{path.name} holds {len(parts)} parts with {', '.join(sorted(names))[:200]}; expected one, the raw passes"
        )
    if header["compression"] != OpenEXR.ZIP_COMPRESSION:
        raise BadExr(f"{path.name} is compressed by {header['compression']}; expected lossless ZIP")
    if size is not None and found != size:
        raise BadExr(f"{path.name} has {found[0]}x{found[1]} pixels, expected {size[0]}x{size[1]}")


def _said(error: Exception, path: Path) -> str:
    return str(error).replace(str(path), path.name)[:300]


def _split(
    names: tuple[str, ...], pixels: FloatArray, kind: type[np.float32] | type[np.float16]
) -> dict[str, NDArray[np.float32 | np.float16]]:
    limited = pixels if kind is np.float32 else np.nan_to_num(pixels).clip(-_HALF_MAX, _HALF_MAX)
    return {name: np.ascontiguousarray(limited[..., index], dtype=kind) for index, name in enumerate(names)}


def _join(channels: dict[str, Any], names: tuple[str, ...]) -> FloatArray:
    return np.stack([channels[name].pixels.astype(np.float32) for name in names], axis=-1)
