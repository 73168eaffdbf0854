# SPDX-License-Identifier: Apache-2.0
"""How often ANGV takes a frame for marked that bears no mark: random keys, very many, over few frames.

A key costs a millisecond and no render: where its marks would be, as planes, follows from a preview. (Places on
surfaces take seconds a key: baked marks are not tried.) A frame counts as taken for marked when its raw or its denoised
picture is; keys whose marks find no place are no trial. Given the frames, keys are independent of one another, so that
intervals over keys hold for the mean rate on these frames.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import numpy as np

from benchmarks.proof.blender import Blender
from benchmarks.proof.cases import Case
from benchmarks.proof.counts import Share
from benchmarks.proof.journal import Row
from benchmarks.proof.marks import KINDS, TARGETS, eight_bits
from benchmarks.table import SECTION, Sheet
from benchmarks.table import Row as Cells
from inferix.proofs.pictures import Keys, load_pictures
from inferix.proofs.rendering.angv import PUBLISHED_THRESHOLD, Detector, luma

GRID: Final = tuple(range(2_000, 8_001, 250))
"""Thresholds of the matched filter that are counted, in thousandths."""
ALPHA_PPM: Final = 100
"""Keys of a million that may take an unmarked frame for theirs."""
OF_EACH: Final = 4_000
"""Keys a frame."""


def run(case: Case, worker: Blender, count: int = OF_EACH) -> Row:
    """A case's row: how many keys were tried, and how many of them the frame seems to bear the marks of.

    "above": by threshold of `GRID`; "published": keys that pass the published test; "deviation": of scores.
    """
    raw = worker.render(case.shot)
    pictures = [Detector(luma(eight_bits(frame))) for frame in (raw, worker.denoised(raw))]
    keys = [sha256(f"inferix/bench-keys/planes/{case.number}/{number}".encode()).digest() for number in range(count)]
    tried = [placed for placed in worker.places(KINDS[0], case.shot, keys, TARGETS[0]) if placed]
    scores = np.array([[picture.matched(placed) for picture in pictures] for placed in tried]).reshape(len(tried), -1)
    boxes = [[box for _, box in placed] for placed in tried]
    return {
        "case": case.number,
        "scene": case.shot.scene,
        "keys": len(tried),
        "above": [int((scores * 1_000 > at).any(axis=1).sum()) for at in GRID],
        "published": sum(any(picture.passes_published(found) for picture in pictures) for found in boxes),
        "deviation": round(float(scores.std()), 3) if tried else 0.0,
    }


def calibrate(rows: Sequence[Row]) -> Keys:
    """Thresholds that follow.

    :raises ValueError: too few keys.
    """
    above = [sum(row["above"][at] for row in rows) for at in range(len(GRID))]
    return Keys(ALPHA_PPM, sum(row["keys"] for row in rows), tuple(zip(GRID, above, strict=True)))


def matched(rows: Sequence[Row]) -> Share:
    """Keys by which the filter takes a frame for marked, at the threshold in force."""
    at = GRID.index(round(load_pictures().keys.threshold * 1_000))
    return Share(sum(row["above"][at] for row in rows), sum(row["keys"] for row in rows))


def published(rows: Sequence[Row]) -> Share:
    """The same of the published test."""
    return Share(sum(row["published"] for row in rows), sum(row["keys"] for row in rows))


def sheet(rows: Sequence[Row]) -> Sheet:
    """Keys by which a frame is taken for marked, in parts per million, by scene."""
    scenes = dict.fromkeys(row["scene"] for row in rows)
    body = [_cells(scene, [row for row in rows if row["scene"] == scene]) for scene in scenes]
    body += [SECTION, _cells("all", rows)]
    in_force = load_pictures().keys
    columns = ("scene", "frames", "keys", "matched, ppm", "95 %", "published, ppm", "95 %", "widest deviation")
    notes = [
        f"matched: score above {in_force.threshold:g}; calibrated on other frames: at most {in_force.alpha_ppm} ppm",
        f"published: every error at least {PUBLISHED_THRESHOLD:g}; either: the raw or the denoised picture passes",
        "deviation: of a frame's scores, the frame that has most; 1 if they were standard normal deviates",
    ]
    return Sheet("ANGV: keys by which an unmarked frame is taken for marked", columns, body, notes)


def _cells(name: str, rows: Sequence[Row]) -> Cells:
    shares = matched(rows), published(rows)
    cells = [cell for share in shares for cell in (f"{share.rate * 1e6:,.0f}", _interval(share))]
    return (name, f"{len(rows)}", f"{shares[0].trials:,}", *cells, f"{max(row['deviation'] for row in rows):.2f}")


def _interval(share: Share) -> str:
    return "[{:,.0f}, {:,.0f}]".format(*(end * 1e6 for end in share.interval))
