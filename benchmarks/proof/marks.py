# SPDX-License-Identifier: Apache-2.0
"""ANGV beside the proof of rendering: what the published test and the matched filter make of marked frames.

Marks are put into the scene (benchmarks/marking.py), twelve a frame, with a fresh key; what is tested is an 8-bit sRGB
picture, as a client would have it. "Accepted" means: taken for a frame of this task.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.proof import forgeries
from benchmarks.proof.blender import Blender
from benchmarks.proof.cases import Case
from benchmarks.proof.counts import Share
from benchmarks.proof.journal import Row
from benchmarks.table import SECTION, Sheet
from benchmarks.table import Row as Cells
from inferix.proofs.rendering import FloatArray
from inferix.proofs.rendering.angv import (
    MATCHED_THRESHOLD,
    Box,
    Mark,
    angv_key,
    contrast_levels,
    luma,
    matched,
    passes_published,
)

Bytes = NDArray[np.uint8]
Placed = Sequence[tuple[Mark, Box]]

TARGETS: Final = (10, 14)
HONEST: Final = ("honest, raw", "honest, denoised", "honest, denoised, JPEG 90")
TESTS: Final = ("published", "matched")
_JPEG: Final = 90
_PASTED: Final = 1.5  # times the contrast that was ordered: a cheat need not care how it looks to a detector


def run(case: Case, worker: Blender) -> Row:
    """A case's row: for each strength and each picture, whether the published test and the matched filter accept it."""
    unmarked = worker.render(case.shot)
    cheap = worker.denoised(_half(case, worker))
    row: Row = {"case": case.number, "scene": case.shot.scene, "marks": {}, "tests": {}}
    for target in TARGETS:
        key = _key(case, f"own/{target}")
        placed = worker.mark(case.shot, key, target)
        try:
            pictures = dict(_marked(case, worker))
        finally:
            worker.unmark()
        pictures["unmarked, raw"], pictures["unmarked, denoised"] = map(
            eight_bits, (unmarked, worker.denoised(unmarked))
        )
        large = eight_bits(forgeries.upscaled(cheap, case.height, case.width))
        pictures["unmarked, half size, 1/8 samples, marks pasted"] = pasted_marks(large, placed, target)
        chance = case.chance()
        pictures["black and white noise"] = eight_bits(forgeries.black_and_white(unmarked[..., :4], chance))
        pictures["uniform noise"] = eight_bits(forgeries.uniform_noise(unmarked[..., :4], chance))
        others = worker.mark(case.shot, _key(case, f"another/{target}"), target)
        worker.unmark()
        tests = {name: _test(picture, placed) for name, picture in pictures.items()}
        tests["marked for another key"] = _test(pictures[HONEST[1]], others)
        row["tests"][str(target)], row["marks"][str(target)] = tests, len(placed)
    return row


def _marked(case: Case, worker: Blender) -> Iterator[tuple[str, Bytes]]:
    """Pictures of the scene while the marks are in it."""
    raw = worker.render(case.shot)
    clean = eight_bits(worker.denoised(raw))
    yield HONEST[0], eight_bits(raw)
    yield HONEST[1], clean
    yield HONEST[2], worker.jpeg(clean, _JPEG)
    eighth = worker.render(case.shot, subset=(0, case.samples // 8))
    yield "1/8 samples, denoised", eight_bits(worker.denoised(eighth))
    half = forgeries.upscaled(worker.denoised(_half(case, worker, 1)), case.height, case.width)
    yield "half width and height, denoised", eight_bits(half)


def _half(case: Case, worker: Blender, fraction: int = 8) -> FloatArray:
    settings = case.shot.settings
    small = replace(
        settings, width=-(-case.width // 2), height=-(-case.height // 2), samples=max(case.samples // fraction, 1)
    )
    return worker.render(replace(case.shot, settings=small))


def pasted_marks(picture: Bytes, placed: Placed, target: float) -> Bytes:
    """A picture with marks drawn in by one who found them in the scene."""
    changed = picture.astype(np.float64)
    for mark, box in placed:
        step = mark.sign * _PASTED * contrast_levels(mark, target)
        changed[box.y : box.y + box.height, box.x : box.x + box.width] += step
    drawn: Bytes = np.rint(changed.clip(0, 255)).astype(np.uint8)
    return drawn


def eight_bits(frame: FloatArray) -> Bytes:
    """Linear colours as an 8-bit sRGB picture, (height, width, 3)."""
    light = np.nan_to_num(frame[..., :3]).clip(0, 1).astype(np.float64)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    levels: Bytes = np.rint(encoded * 255).astype(np.uint8)
    return levels


def _test(picture: Bytes, placed: Placed) -> list[float]:
    """Whether the published test accepts it, and the matched filter's score."""
    levels = luma(picture)
    return [int(passes_published(levels, [box for _, box in placed])), round(matched(levels, placed), 2)]


def _key(case: Case, purpose: str) -> bytes:
    secret, scene = (sha256(f"{text}/{case.number}".encode()).digest() for text in (f"marks/{purpose}", "scene"))
    return angv_key(secret, scene, case.shot.frame)


def accepted(rows: Sequence[Row], target: int, name: str) -> dict[str, Share]:
    """By test: how many of a class's pictures were accepted."""
    found = [row["tests"][str(target)][name] for row in rows if name in row["tests"].get(str(target), {})]
    passes = {TESTS[0]: [bool(item[0]) for item in found], TESTS[1]: [item[1] > MATCHED_THRESHOLD for item in found]}
    return {test: Share(sum(results), len(results)) for test, results in passes.items()}


def sheet(rows: Sequence[Row], percent: Any, interval: Any) -> Sheet:
    """The table of marks; ``percent``, ``interval``: how shares are written."""
    body: list[Cells] = []
    for name in dict.fromkeys(name for row in rows for name in row["tests"][str(TARGETS[0])]):
        cells = [name, str(accepted(rows, TARGETS[0], name)[TESTS[0]].trials)]
        for test in TESTS:
            for target in TARGETS:
                share = accepted(rows, target, name)[test]
                cells.append(f"{percent(share.rate)} {interval(share)}")
        body.append(cells)
        body += [SECTION] if name == HONEST[-1] else []
    columns = [f"{test}, t = {target}" for test in TESTS for target in TARGETS]
    placed = sorted(count for row in rows for count in row["marks"].values())
    return Sheet(
        "ANGV: accepted as a frame of this task, per cent",
        ("picture", "frames", *columns),
        body,
        [
            "95 % intervals over frames; t: error of a mark before the pixel filter, in levels of 255",
            f"published: every error at least 5; matched: score above {MATCHED_THRESHOLD}; "
            f"marks placed, of 12: {placed[0]} to {placed[-1]}",
        ],
    )
