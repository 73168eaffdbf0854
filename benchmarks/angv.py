# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.angv``: what ANGV costs on the demo scene at 1920x1080, beside what its paper says.

benchmarks/angv_timings.csv: the timings of the network's whitepaper (three scenes of Blender's, an i5 of 2.5 GHz,
elapsed seconds; n is the number of marks), as it prints them. Ours are processor seconds. Insertion is preview, placing
and embedding; verification is the matched filter on a decoded picture. Blender runs in this process, unisolated: the
scene is this project's own.
"""

import csv
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.table import Sheet, show
from devnet.processes import ROOT
from inferix.proofs.rendering.angv import TARGET, Box, Mark, luma, matched

T = TypeVar("T")
TIMINGS: Final = Path(__file__).with_name("angv_timings.csv")
SCENE: Final = ROOT / "assets" / "scenes" / "demo.blend"
NUMBERS: Final = (2, 10, 20, 40)
WIDTH, HEIGHT, FRAME, REPEATS = 1920, 1080, 4, 3


def published(count: int) -> tuple[str, str]:
    """Least and most seconds of insertion and of verification that the paper has for so many marks."""
    with TIMINGS.open() as file:
        rows = [row for row in csv.DictReader(file) if int(row["vector_length"]) == count]

    def span(name: str) -> str:
        values = [float(row[name]) for row in rows]
        return f"{min(values):.2f}-{max(values):.2f}" if values else "-"

    return span("insertion_s"), span("verification_s")


def measured(scene: Any, counts: Sequence[int], width: int, height: int) -> list[tuple[float, float, int]]:
    """Processor seconds of insertion and verification, and marks that were placed, for each number of marks."""
    from benchmarks import marking

    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    found = []
    for count in counts:
        insertions, verifications = [], []
        for number in range(REPEATS):
            key = bytes([number]) * 32
            embed = partial(marking.embed, scene, FRAME, key, width, height, count=count, target=TARGET)
            seconds, made = _timed(embed)
            insertions.append(seconds)
            marks = [(mark, box) for mark, box, _ in made.placed]
            verifications.append(_timed(partial(_detect, picture, marks))[0])
            made.remove()
        found.append((median(insertions), median(verifications), len(marks)))
    return found


def main() -> int:
    """0 when everything was measured."""
    from node.engines.blender.inside import scene

    opened = scene.load(str(SCENE))
    with TemporaryDirectory(prefix="inferix-angv-") as folder:
        os.chdir(folder)  # where Blender's temporary files go
        rows = [
            (
                str(count),
                f"{insertion:.2f}",
                published(count)[0],
                f"{verification:.3f}",
                published(count)[1],
                str(placed),
            )
            for count, (insertion, verification, placed) in zip(
                NUMBERS, measured(opened, NUMBERS, WIDTH, HEIGHT), strict=True
            )
        ]
        os.chdir(ROOT)
    columns = ["marks", "insertion, core s", "paper, s", "verification, core s", "paper, s", "placed"]
    show(Sheet("ANGV, 1920x1080", columns, list(rows), []))
    return 0


def _detect(picture: NDArray[np.uint8], marks: Sequence[tuple[Mark, Box]]) -> float:
    return matched(luma(picture), marks)


def _timed(step: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    result = step()
    return time.process_time() - began, result


if __name__ == "__main__":
    sys.exit(main())
