# SPDX-License-Identifier: Apache-2.0
"""Proof of rendering. See docs/proof-of-rendering.md.

A path tracer's noise is a function of its seed, so a re-rendered tile of the raw pass repeats bit for bit on the same
kernel and within a small tolerance on another. A frame of another seed, with fewer samples, cleaned by a denoiser or
scaled up differs in nearly every noisy pixel. The worker commits to its file before anybody can know the tiles.

    tiles      where a verifier looks, drawn after the commitment
    compare    a tile beside its re-render: numbers, no verdict
    sequence   thresholds on these numbers, tile after tile, until it is sure
    audit      the seed, over every pixel at once: no program runs it
    angv       marks that bind a frame to its task, never a proof of work

Pure: NumPy and the standard library. Error rates come from ``inferix.proofs.calibration``.
"""

from inferix.proofs.calibration import (
    MILLION,
    Calibration,
    Counted,
    Pair,
    Rule,
    Slight,
    Tolerance,
    load_calibration,
    read_calibration,
    write_calibration,
)
from inferix.proofs.rendering.compare import (
    CHANNELS,
    COLOUR,
    BoolArray,
    FloatArray,
    Reference,
    TileMeasure,
    as_stored,
    measure,
)
from inferix.proofs.rendering.sequence import DRAWN, TileTest, Verdict, confirms, judge
from inferix.proofs.rendering.tiles import (
    GUIDE_ROWS,
    SEED_LIMIT,
    TILE_SIZE,
    Tile,
    another_seed,
    canary_seed,
    frame_seed,
    guide_rows,
    noise_cells,
    reads_whole,
    redo_frame,
    tile_plan,
)

__all__ = [
    "CHANNELS",
    "COLOUR",
    "DRAWN",
    "GUIDE_ROWS",
    "MILLION",
    "SEED_LIMIT",
    "TILE_SIZE",
    "BoolArray",
    "Calibration",
    "Counted",
    "FloatArray",
    "Pair",
    "Reference",
    "Rule",
    "Slight",
    "Tile",
    "TileMeasure",
    "TileTest",
    "Tolerance",
    "Verdict",
    "another_seed",
    "as_stored",
    "canary_seed",
    "confirms",
    "frame_seed",
    "guide_rows",
    "judge",
    "load_calibration",
    "measure",
    "noise_cells",
    "read_calibration",
    "reads_whole",
    "redo_frame",
    "tile_plan",
    "write_calibration",
]
