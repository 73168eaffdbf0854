# SPDX-License-Identifier: Apache-2.0
"""The seed audit: does a delivered frame hold one secret sample of its seed? Over every pixel. No program runs it.

The mean of N samples holds each of them with weight 1 / N. Who renders sample j alone, once with the frame's seed and
once with a decoy, and takes the difference, has its noise without the picture: a frame of that seed correlates with it,
another does not. Tiles see a little of the frame and see it exactly; this sees all of it, faintly.

It decides nothing. What is known of the score: without the seed its sign is a coin's, because sample and decoy could be
exchanged; but pixels beside one another are not independent, so it is **not** a standard normal deviate and makes no
p-value. On small frames (256x144) honest and forged scores overlap. A denoised frame has lost the noise and fails. A
worker that rendered fewer samples passes wherever it kept the sample asked for: hence another sample for each region.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inferix.proofs.draw import ByteStream
from inferix.proofs.rendering.compare import FloatArray
from inferix.proofs.rendering.tiles import Tile

_BT709: Final = np.array([0.2126, 0.7152, 0.0722])
_CELL: Final = 8  # pixels over which the noise's strength is taken
_LIMIT: Final = 3.0  # times that strength, so that single sparks do not decide


@dataclass(frozen=True, slots=True)
class AuditRegion:
    """A part of the frame, and which of its samples is asked for, from 0."""

    tile: Tile
    sample: int


@dataclass(frozen=True, slots=True)
class AuditMeasure:
    """``score``: sum of the products of noise and difference over the root of their squares; ``pixels``: how many had
    noise in both. 0 where nothing could be compared."""

    score: float
    pixels: int


def audit_plan(
    seed: bytes,
    task: bytes,
    attempt: int,
    verifier: int,
    frame: int,
    width: int,
    height: int,
    samples: int,
    rows: int = 4,
) -> tuple[AuditRegion, ...]:
    """``rows`` x ``rows`` regions that together are the frame, each with a sample of its own, drawn as tiles are.

    :raises ValueError: fewer pixels than regions, no sample, or a seed or task that is not 32 bytes.
    """
    if len(seed) != 32 or len(task) != 32 or min(samples, rows) < 1 or min(width, height) < rows:
        raise ValueError("seed and task have 32 bytes; a frame has samples, and more pixels than regions")
    place = attempt.to_bytes(1) + verifier.to_bytes(4) + frame.to_bytes(4, signed=True)
    stream = ByteStream(b"inferix/audit" + seed + task + place)
    found = []
    for row in range(rows):
        for column in range(rows):
            x, y = column * width // rows, row * height // rows
            right, bottom = (column + 1) * width // rows, (row + 1) * height // rows
            found.append(AuditRegion(Tile(x, y, right - x, bottom - y), stream.below(samples)))
    return tuple(found)


def measure_audit(submitted: FloatArray, sample: FloatArray, decoy: FloatArray) -> AuditMeasure:
    """One region: the delivered pixels, one's own render of the one sample, and the same with a decoy seed; each
    (height, width, 3 or 4) float32, linear. Never raises for what was submitted.

    :raises ValueError: sample and decoy are not of one shape.
    """
    if sample.shape != decoy.shape or sample.ndim != 3:
        raise ValueError(f"sample {sample.shape} and decoy {decoy.shape} are not of one region")
    if submitted.shape[:2] != sample.shape[:2] or min(sample.shape[:2]) < 3:
        return AuditMeasure(0.0, 0)
    light = np.nan_to_num(submitted[..., :3].astype(np.float64), posinf=0.0, neginf=0.0) @ _BT709
    around = (light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:]) / 4
    noise = _limited(light[1:-1, 1:-1] - around)
    difference = _limited(((sample[..., :3].astype(np.float64) - decoy[..., :3]) @ _BT709)[1:-1, 1:-1])
    products = noise * difference
    spread = float(np.sqrt((products**2).sum()))
    return AuditMeasure(float(products.sum()) / spread if spread > 0 else 0.0, int((products != 0).sum()))


def combine_audits(measures: Sequence[AuditMeasure]) -> AuditMeasure:
    """All regions as one: scores weigh as the roots of their pixels do."""
    pixels = sum(item.pixels for item in measures)
    total = sum(item.score * item.pixels**0.5 for item in measures)
    return AuditMeasure(total / pixels**0.5 if pixels else 0.0, pixels)


def _limited(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """In units of the strength around each pixel, and limited; 0 where there is none."""
    clean = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    rows, columns = (-(-side // _CELL) for side in clean.shape)
    padded = np.pad(clean, ((0, rows * _CELL - clean.shape[0]), (0, columns * _CELL - clean.shape[1])), mode="reflect")
    strength = np.sqrt((padded.reshape(rows, _CELL, columns, _CELL) ** 2).mean(axis=(1, 3)))
    spread = strength.repeat(_CELL, axis=0).repeat(_CELL, axis=1)[: clean.shape[0], : clean.shape[1]]
    scaled: NDArray[np.float64] = np.divide(clean, spread, out=np.zeros_like(clean), where=spread > 0)
    return scaled.clip(-_LIMIT, _LIMIT)
