# SPDX-License-Identifier: Apache-2.0
"""Where a verifier looks: small squares of the frame, drawn from a seed that nobody knew before the commitment.

Half of the tiles are drawn anywhere, half where the delivered frame has noise, because only noise tells one seed from
another. The noise is read off the delivered frame itself, in a few strips that are drawn too: a worker who smooths
parts of it moves the guided tiles elsewhere, and gains nothing against the others.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.draw import ByteStream
from inferix.proofs.rendering.compare import FloatArray

SEED_LIMIT: Final = 2**31 - 1
TILE_SIZE: Final = 8  # divides the 16 lines of a raw file's blocks; few pixels with noise tell as much as many
GUIDE_ROWS: Final = 4
WHOLE_ONE_IN: Final = 16
_OVERLAP_TRIES: Final = 64
_WEIGHT_STEPS: Final = 255  # noise is rounded to integers, so that a draw does not hang on the last bit of a float
_DARK: Final = 0.05  # noise is relative to the brightness, but not in the dark
_NOISE_LIMIT: Final = 1.0  # of a cell, so that one bright spark does not draw all tiles


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle in pixels; (0, 0) is the top left corner of the frame."""

    x: int
    y: int
    width: int
    height: int

    def overlaps(self, other: "Tile") -> bool:
        """Whether they share a pixel."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


def frame_seed(task_key: bytes, attempt: int, worker: int, frame: int) -> int:
    """Seed of one frame, in [0, 2**31 - 1): nobody without the task's key knows it, no two attempts share it.

    ``HMAC-SHA256(key = task_key, "inferix/frame-seed" || uint8 attempt || uint32 worker || int32 frame)``, integers
    big-endian; the first 8 bytes as a big-endian integer, modulo 2**31 - 1.

    :raises ValueError: the key is not 32 bytes; OverflowError: an integer does not fit.
    """
    if len(task_key) != 32:
        raise ValueError(f"a task key has 32 bytes, not {len(task_key)}")
    message = b"inferix/frame-seed" + attempt.to_bytes(1) + worker.to_bytes(4) + frame.to_bytes(4, signed=True)
    return int.from_bytes(hmac.digest(task_key, message, "sha256")[:8]) % SEED_LIMIT


def canary_seed(seed: int, salt: bytes) -> int:
    """What a canary's frame is rendered with in place of its seed: another one, so that neither the time that it took
    nor the noise in it tells a verifier to look. ``salt``: of the canary's opening."""
    other = int.from_bytes(hmac.digest(salt, seed.to_bytes(4, "big"), "sha256"), "big") % (SEED_LIMIT - 1)
    return other + (other >= seed)


def another_seed(seed: int) -> int:
    """What a tile is rendered with once more, to see its noise: anything but the frame's own."""
    return (seed + 1) % SEED_LIMIT


def tile_plan(
    seed: bytes,
    task: bytes,
    attempt: int,
    verifier: int,
    frame: int,
    width: int,
    height: int,
    count: int = 10,
    size: int = TILE_SIZE,
    noise: FloatArray | None = None,
) -> tuple[Tile, ...]:
    """The tiles that ``verifier`` re-renders, in order: ``count`` squares of ``size`` pixels, less where the frame is.

    ``seed``: 32 bytes that became known after the receipt. ``noise``: (rows, columns) >= 0, one number for each cell of
    a tile's size, as `noise_cells` gives it; every second tile is then drawn where it is high, the others anywhere.
    Without any noise in it all are drawn anywhere. A tile's top is a multiple of its height, but for the last row,
    which ends with the frame; its left side is anywhere.
    Tiles do not overlap unless the frame is too small for that. The same arguments give the same tiles everywhere, and
    a longer plan begins with the shorter one.

    :raises ValueError: a size or count below 1, noise of another shape, or a seed or task that is not 32 bytes.
    """
    if min(width, height, size, count) < 1:
        raise ValueError(f"a frame, tile size and count are at least 1, not {width}x{height}, {size}, {count}")
    stream = _stream(b"inferix/tiles", seed, task, attempt, verifier, frame)
    shape = (min(size, width), min(size, height))
    weights = _weights(noise, (-(-height // shape[1]), -(-width // shape[0])))
    tiles: list[Tile] = []
    for index in range(count):
        guide = weights if index % 2 else None
        for _ in range(_OVERLAP_TRIES):
            tile = _draw_tile(stream, width, height, shape, guide)
            if not any(tile.overlaps(other) for other in tiles):
                break
        tiles.append(tile)
    return tuple(tiles)


def guide_rows(
    seed: bytes,
    task: bytes,
    attempt: int,
    verifier: int,
    frame: int,
    height: int,
    count: int = GUIDE_ROWS,
    size: int = TILE_SIZE,
) -> tuple[int, ...]:
    """Tops of the strips in which noise is looked for, ascending: ``count`` different rows of tiles, or all there are.

    :raises ValueError: as `tile_plan`.
    """
    if min(height, size, count) < 1:
        raise ValueError(f"a height, size and count are at least 1, not {height}, {size}, {count}")
    stream = _stream(b"inferix/guide-rows", seed, task, attempt, verifier, frame)
    left = list(range(-(-height // size)))
    rows = [left.pop(stream.below(len(left))) for _ in range(min(count, len(left)))]
    return tuple(row * size for row in sorted(rows))


def noise_cells(strips: Mapping[int, FloatArray], width: int, height: int, size: int = TILE_SIZE) -> FloatArray:
    """(rows, columns) float32 in [0, 1]: how noisy each ``size`` x ``size`` cell of a frame is; 0 where no strip is.

    ``strips``: top -> (lines, width, 3 or 4) of the delivered frame, tops as `guide_rows` gives them. The noise of a
    pixel is its difference from the mean of its four neighbours over its brightness; never raises for what it finds.
    """
    lines, columns = min(size, height), min(size, width)
    cells = np.zeros((-(-height // lines), -(-width // columns)), np.float32)
    for top, pixels in strips.items():
        if pixels.shape[0] < 3 or pixels.shape[1] < 3:
            continue
        with np.errstate(all="ignore"):
            noise = _high_pass(pixels[..., :3].astype(np.float64)).mean(axis=(0, 2))
        places = np.minimum((np.arange(noise.size) + 1) // columns, cells.shape[1] - 1)
        sums, counts = (np.bincount(places, part, cells.shape[1]) for part in (noise, np.ones_like(noise)))
        cells[top // lines] = sums / np.maximum(counts, 1)
    return cells


def reads_whole(seed: bytes, task: bytes, attempt: int, verifier: int, frame: int) -> bool:
    """Whether ``verifier`` reads all of this file, not its tiles' blocks alone: one in `WHOLE_ONE_IN`."""
    return _stream(b"inferix/whole", seed, task, attempt, verifier, frame).below(WHOLE_ONE_IN) == 0


def redo_frame(seed: bytes, task: bytes, attempt: int, verifier: int, frames: Sequence[int]) -> int:
    """The frame of an assemble task that ``verifier`` redoes, drawn from a seed known after the receipt."""
    domain = b"inferix/redo" + seed + task + attempt.to_bytes(1) + verifier.to_bytes(4)
    return frames[ByteStream(domain).below(len(frames))]


def _stream(purpose: bytes, seed: bytes, task: bytes, attempt: int, verifier: int, frame: int) -> ByteStream:
    if len(seed) != 32 or len(task) != 32:
        raise ValueError("seed and task have 32 bytes each")
    place = attempt.to_bytes(1) + verifier.to_bytes(4) + frame.to_bytes(4, signed=True)
    return ByteStream(purpose + seed + task + place)


def _high_pass(colour: NDArray[np.float64]) -> NDArray[np.float64]:
    centre = colour[1:-1, 1:-1]
    around = (colour[:-2, 1:-1] + colour[2:, 1:-1] + colour[1:-1, :-2] + colour[1:-1, 2:]) / 4
    noise = np.abs(centre - around) / (_DARK + np.abs(centre))
    limited: NDArray[np.float64] = np.nan_to_num(noise, nan=_NOISE_LIMIT, posinf=_NOISE_LIMIT).clip(0, _NOISE_LIMIT)
    return limited


def _weights(noise: FloatArray | None, cells: tuple[int, int]) -> NDArray[np.int64] | None:
    if noise is None:
        return None
    if noise.shape != cells:
        raise ValueError(f"noise is in {cells[0]} rows of {cells[1]} cells, not {noise.shape}")
    clean = np.nan_to_num(noise, nan=0.0, posinf=0.0, neginf=0.0).clip(min=0)
    peak = float(clean.max())
    return np.floor(clean * (_WEIGHT_STEPS / peak)).astype(np.int64) if peak > 0 else None


def _draw_tile(
    stream: ByteStream, width: int, height: int, shape: tuple[int, int], weights: NDArray[np.int64] | None
) -> Tile:
    columns, lines = width - shape[0] + 1, height - shape[1]
    if weights is None:
        return Tile(stream.below(columns), min(stream.below(-(-height // shape[1])) * shape[1], lines), *shape)
    totals = np.cumsum(weights.ravel())
    row, column = divmod(int(np.searchsorted(totals, stream.below(int(totals[-1])), side="right")), weights.shape[1])
    # It is centred, from left to right, on a point of that cell.
    x = column * shape[0] + stream.below(min(shape[0], width - column * shape[0])) - shape[0] // 2
    return Tile(min(max(x, 0), columns - 1), min(row * shape[1], lines), *shape)
