# SPDX-License-Identifier: Apache-2.0
"""ANGV beside the proof of rendering: what the published test and the matched filter make of marked frames.

Marks are put into the scene, twelve a frame, with a fresh key: planes, as published (benchmarks/marking.py), and baked
into its surfaces, as clients order them. What is tested is an 8-bit sRGB picture, as a client would have it.
"Accepted" means: taken for a frame of this task. "Taken out": by a cheat who has the scene and no key.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from statistics import fmean
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.proof import forgeries, pictures
from benchmarks.proof.blender import Blender
from benchmarks.proof.cases import Case
from benchmarks.proof.counts import Share
from benchmarks.proof.journal import Row
from benchmarks.table import SECTION, Sheet
from benchmarks.table import Row as Cells
from inferix.proofs.pictures import load_pictures
from inferix.proofs.rendering import FloatArray
from inferix.proofs.rendering.angv import (
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

KINDS: Final = ("planes", "baked")
TARGETS: Final = (10, 14)
PASTED: Final = "unmarked, half size, 1/8 samples, marks pasted"
TAKEN_OUT: Final = "marks taken out, denoised"
HONEST: Final = ("honest, raw", "honest, denoised", "honest, denoised, JPEG 90")
TESTS: Final = ("published", "matched")
_JPEG: Final = 90
_PASTED: Final = 1.5  # times the contrast that was ordered: a cheat need not care how it looks to a detector


def run(case: Case, worker: Blender, targets: Sequence[int] = TARGETS) -> list[Row]:
    """A case's rows, one a kind: for each strength and picture, whether published test and matched filter accept it."""
    unmarked = worker.render(case.shot)
    chance = case.chance()
    same = {
        "unmarked, raw": eight_bits(unmarked),
        "unmarked, denoised": eight_bits(worker.denoised(unmarked)),
        "black and white noise": eight_bits(forgeries.black_and_white(unmarked[..., :4], chance)),
        "uniform noise": eight_bits(forgeries.uniform_noise(unmarked[..., :4], chance)),
    }
    cheap = eight_bits(forgeries.upscaled(worker.denoised(_half(case, worker)), case.height, case.width))
    rows: list[Row] = []
    for kind in KINDS:
        row: Row = {"case": case.number, "kind": kind, "scene": case.shot.scene, "marks": {}, "tests": {}, "found": {}}
        for target in targets:
            _of_strength(case, worker, row, target, same, cheap)
        rows.append(row)
    return rows


def _of_strength(case: Case, worker: Blender, row: Row, target: int, same: Mapping[str, Bytes], cheap: Bytes) -> None:
    """Fill in a row. ``same``: pictures of the scene without marks; ``cheap``: what marks are pasted on."""
    kind, at = row["kind"], str(target)
    placed = worker.mark(kind, case.shot, _key(case, f"own/{target}"), target)
    try:
        found = {**dict(_marked(case, worker)), **same, PASTED: pasted_marks(cheap, placed, target)}
        row["found"][at] = worker.take_out(kind)
        raw = worker.render(case.shot)
        found[TAKEN_OUT] = eight_bits(worker.denoised(raw))
    finally:
        worker.unmark()
    [others] = worker.places(kind, case.shot, [_key(case, f"another/{target}")], target)
    tests = {name: _test(picture, placed) for name, picture in found.items()}
    tests["marked for another key"] = _test(found[HONEST[1]], others)
    row["tests"][at], row["marks"][at] = tests, len(placed)


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


def example(case: Case, worker: Blender) -> Bytes:
    """A denoised frame without marks, with planes, and with baked marks, side by side."""
    shown = [pictures.shown(worker.denoised(worker.render(case.shot)))]
    for kind in KINDS:
        worker.mark(kind, case.shot, _key(case, "example"), TARGETS[0])
        try:
            shown.append(pictures.shown(worker.denoised(worker.render(case.shot))))
        finally:
            worker.unmark()
    return pictures.grid([shown])


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


def accepted(rows: Sequence[Row], kind: str, target: int, name: str) -> dict[str, Share]:
    """By test: how many of a class's pictures were accepted. A row that names no kind is of planes."""
    mine = [row["tests"].get(str(target), {}) for row in rows if row.get("kind", KINDS[0]) == kind]
    found = [tests[name] for tests in mine if name in tests]
    threshold = load_pictures().keys.threshold
    passes = {TESTS[0]: [bool(item[0]) for item in found], TESTS[1]: [item[1] > threshold for item in found]}
    return {test: Share(sum(results), len(results)) for test, results in passes.items()}


def sheets(rows: Sequence[Row], percent: Any, interval: Any, targets: Sequence[int] = TARGETS) -> list[Sheet]:
    """The tables of marks, one a test, kinds side by side; ``percent``, ``interval``: how shares are written."""
    columns = [f"{kind}, t = {target}" for kind in KINDS for target in targets]
    made = []
    for test in TESTS:
        body: list[Cells] = []
        for name in dict.fromkeys(name for row in rows for name in row["tests"][str(targets[0])]):
            shares = [accepted(rows, kind, target, name)[test] for kind in KINDS for target in targets]
            frames = ", ".join(str(share.trials) for share in shares[:: len(targets)])
            cells = [f"{percent(share.rate)} {interval(share)}" if share.trials else "-" for share in shares]
            body.append([name, frames, *cells])
            body += [SECTION] if name == HONEST[-1] else []
        title = f"ANGV, {test} test: accepted as a frame of this task, per cent"
        made.append(Sheet(title, ("picture", "frames of each kind", *columns), body, _notes(rows, test)))
    return made


def _notes(rows: Sequence[Row], test: str) -> list[str]:
    rule = {TESTS[0]: "every error at least 5", TESTS[1]: f"score above {load_pictures().keys.threshold:g}"}[test]
    notes = [f"95 % intervals over frames; {rule}; t: error of a mark before the pixel filter, in levels of 255"]
    for kind in KINDS:
        counts = sorted(count for row in rows if row.get("kind", KINDS[0]) == kind for count in row["marks"].values())
        if counts:
            notes.append(f"{kind}: marks placed, of 12: {counts[0]} to {counts[-1]}, {fmean(counts):.1f} on average")
    return notes
