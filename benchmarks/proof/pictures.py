# SPDX-License-Identifier: Apache-2.0
"""Charts as SVG, example tiles and the scenes as PNG."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.proof import cases, counts
from benchmarks.proof.cases import HONEST
from benchmarks.proof.forgeries import SHARES, WHERE
from benchmarks.proof.journal import Row
from benchmarks.proof.run import RULES, THRESHOLDS
from benchmarks.proof.votes import SEATS
from inferix.proofs.rendering import FloatArray
from simulator.svg import Panel, Points, figure

Bytes = NDArray[np.uint8]
_GAP: Final = 6
_SHOWN: Final = ("1/8 samples, denoised", "1/2 samples", "7/8 samples", "another seed", "3 bounces of 12", "fast GI")


def write_png(path: Path, pixels: Bytes) -> None:
    """(height, width, 3) uint8."""
    height, width, _ = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def shown(frame: FloatArray) -> Bytes:
    """Linear colours for a screen: highlights roll off, then sRGB."""
    light = 1 - np.exp(-1.5 * np.clip(frame[..., :3], 0, None).astype(np.float64))
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    levels: Bytes = np.rint(encoded * 255).astype(np.uint8)
    return levels


def difference(frame: FloatArray, own: FloatArray, gain: float = 8) -> Bytes:
    """How far two frames are apart, ``gain`` times, on black."""
    return shown(gain * np.abs(frame - own))


def grid(cells: Sequence[Sequence[Bytes]]) -> Bytes:
    """Rows of pictures, of one size each column, on white."""
    rows = [np.concatenate([part for cell in row for part in (cell, _gap(cell, 1))][:-1], axis=1) for row in cells]
    return np.concatenate([part for row in rows for part in (row, _gap(row, 0))][:-1], axis=0)


def example(frames: Sequence[FloatArray], x: int, y: int, side: int, zoom: int) -> list[Bytes]:
    """A square of ``frames`` (honest, forged, one's own), enlarged: both, and their differences from the last."""
    crops = [frame[y : y + side, x : x + side] for frame in frames]
    pictures = [shown(crops[0]), shown(crops[1]), difference(crops[0], crops[2]), difference(crops[1], crops[2])]
    return [picture.repeat(zoom, axis=0).repeat(zoom, axis=1) for picture in pictures]


def roc(rows: Sequence[Row]) -> str:
    """Tiles caught against honest tiles lost, threshold after threshold."""
    lines: dict[str, Points] = {}
    for name in (name for name in _SHOWN if name in counts.counted(rows)):
        pairs = [
            (counts.tiles(rows, HONEST, threshold=at).rate * 100, counts.tiles(rows, name, threshold=at).rate * 100)
            for at in THRESHOLDS
        ]
        lines[name] = sorted(pairs)
    over: dict[str, Points] = {
        name: [(at / 10_000, counts.tiles(rows, name, threshold=at).rate * 100) for at in THRESHOLDS]
        for name in (HONEST, *lines)
    }
    return figure(
        [
            Panel("Tiles caught, per cent", "honest tiles that fail, per cent", lines, low=0, high=100),
            Panel("Tiles that fail, per cent", "threshold: per cent of a tile's pixels", over, low=0, high=100),
        ],
        2,
    )


def over_share(rows: Sequence[Row]) -> str:
    """Detection over the share of the frame that is cheated."""
    panels = []
    for rule in RULES:
        lines: dict[str, Points] = {
            where: [
                (100 * share, 100 * counts.found(rows, cases.partial(where, share), rule).committee.rate)
                for share in SHARES
            ]
            for where in WHERE
        }
        title = f"Rejected by the committee, per cent: {rule}"
        panels.append(Panel(title, "cheated, per cent of the frame", lines, low=0, high=100))
    return figure(panels, 2)


def over_tiles(rows: Sequence[Row], share_of_tile: float) -> str:
    """Detection against cost: how many tiles a vote takes, were it a fixed number. ``share_of_tile``: of a render."""
    most = 40
    lines: dict[str, Points] = {}
    for share in SHARES:
        one = [1 - (1 - share) ** tiles for tiles in range(1, most + 1)]
        lines[f"{100 * share:.0f} % cheated"] = [
            (100 * SEATS * share_of_tile * tiles, 100 * counts.at_least(1, SEATS, rate))
            for tiles, rate in enumerate(one, start=1)
        ]
    title = "Rejected by the committee, per cent (formula)"
    return figure([Panel(title, "cost of five verifiers, per cent of the render", lines, low=0, high=100)], 1)


def _gap(cell: Bytes, axis: int) -> Bytes:
    shape = list(cell.shape)
    shape[axis] = _GAP
    return np.full(shape, 255, np.uint8)
