# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.pictures``: how often ANGV and the check of finished pictures err, and their thresholds.

--calibrate counts what the thresholds come from (`make calibration` does so, too) and writes out/bench-pictures/
pictures.json, as the package reads it. Without it other frames are counted by the thresholds in force, into the tables
of docs/proof-figures.md (--page). Either goes on where it was stopped. Rows that are published
(benchmarks/proof/rows) are not counted again, but by a calibration, which has its own; --publish puts one's own there.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import finished, keys
from benchmarks.proof import marks, scenes, tables
from benchmarks.proof.__main__ import CHOSEN_ON, shard
from benchmarks.proof.blender import Blender
from benchmarks.proof.cases import Case
from benchmarks.proof.journal import Journal, Row
from benchmarks.proof.outcome import PAGE, between
from benchmarks.proof.outcome import PUBLISHED as ROWS
from benchmarks.table import Sheet, show
from demo.say import line
from devnet.processes import ROOT, exit_on_sigterm
from inferix.errors import InferixError
from inferix.proofs.pictures import Pictures, write_pictures

OUT: Final = ROOT / "out" / "bench-pictures"
PUBLISHED: Final = ROWS / "pictures"
THRESHOLDS: Final = OUT / "pictures.json"
BEGIN: Final = "<!-- tables: python -m benchmarks.pictures --report --page -->"
CHOSEN: Final = 2 * len(scenes.NAMES)
"""Frames that thresholds come from, two of every scene, and their keys; none of them is counted again."""
FRAMES: Final = 6 * len(scenes.NAMES)
"""Frames that are counted by the thresholds in force."""
SIZE: Final = (256, 144, 8)
"""Width, height and samples of all of them."""
STRENGTHS: Final = marks.TARGETS[:1]

Steps = dict[str, Callable[[int, Blender, Blender], Sequence[Row]]]


def chosen() -> Steps:
    """What thresholds come from, by journal."""
    return {
        "chosen-keys.jsonl": lambda at, one, _: [keys.run(Case(at, *SIZE), one)],
        "chosen-finished.jsonl": lambda at, one, other: [finished.run(Case(at, *SIZE), one, other)],
    }


def counted() -> Steps:
    """What is counted by them."""
    return {
        "keys.jsonl": lambda at, one, _: [keys.run(Case(at, *SIZE), one)],
        "marks.jsonl": lambda at, one, _: marks.run(Case(at, *SIZE), one, STRENGTHS),
    }


def journal(name: str, *, published: bool = True) -> Journal:
    """The rows of one, by its file's name. ``published``: with those that this project brings along."""
    return Journal(OUT / name, PUBLISHED / Path(name).stem if published else None)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all that was asked for was counted."""
    asked = _parser().parse_args(arguments)
    exit_on_sigterm()
    try:
        if asked.calibrate:
            _count(chosen(), range(CHOSEN), asked)
            _calibrate()
            return 0
        if asked.publish:
            rows = sum(journal(name).publish() for name in (*chosen(), *counted()))
            line(f"{rows} rows published in {PUBLISHED}")
            return 0
        if not asked.report:
            _count(counted(), range(CHOSEN_ON, CHOSEN_ON + asked.frames), asked)
        return 0 if _report(page=asked.page) else 1
    except KeyboardInterrupt:
        print(f"\nstopped; what was done is in {OUT.relative_to(ROOT)}, and goes on there")
        return 130
    except InferixError as error:
        print(f"\nthe benchmark failed: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.pictures", description=__doc__)
    parser.add_argument("--calibrate", action="store_true", help="count what the thresholds come from, and write them")
    parser.add_argument("--shard", type=shard, default=(0, 1), metavar="I/N", help="every N-th frame, for N processes")
    parser.add_argument("--frames", type=int, default=FRAMES, help="to count by the thresholds in force")
    parser.add_argument("--report", action="store_true", help="no new frames, only the tables of those that are there")
    parser.add_argument("--page", action="store_true", help="put the tables into docs/proof-figures.md")
    parser.add_argument("--publish", action="store_true", help="keep the rows counted here with the project's")
    return parser


def _count(steps: Steps, numbers: range, asked: argparse.Namespace) -> None:
    index, shards = asked.shard
    with TemporaryDirectory(prefix="inferix-bench-") as work:
        folder = Path(work)
        with Blender(folder / "one") as one, Blender(folder / "other", threads=2) as other:
            for name, step in steps.items():
                rows = journal(name, published=not asked.calibrate)
                done = rows.done()
                for number in numbers:
                    if number in done or number % shards != index:
                        continue
                    began = time.monotonic()
                    for row in step(number, one, other):
                        rows.add(row)
                    line(f"{name}: {number - numbers[0] + 1} of {len(numbers)}, {time.monotonic() - began:.0f} s")


def _calibrate() -> None:
    by_keys, by_pictures = (journal(name, published=False).rows() for name in chosen())
    if min(len(by_keys), len(by_pictures)) < CHOSEN:
        line("this shard is done; the last one to end writes the thresholds")
        return
    width, height, samples = SIZE
    source = f"make calibration: {CHOSEN} frames of {len(scenes.NAMES)} scenes at {width}x{height}, {samples} samples"
    found = Pictures(finished.calibrate(by_pictures), keys.calibrate(by_keys), source)
    write_pictures(THRESHOLDS, found)
    show(finished.sheet(by_pictures))
    line(f"the matched filter's threshold is {found.keys.threshold:g}")
    line(f"{THRESHOLDS.relative_to(ROOT)}: in force as inferix/proofs/rendering/pictures.json")


def _report(*, page: bool) -> bool:
    """False where there is nothing to show."""
    by_keys, marked, by_pictures = (
        journal(name).rows() for name in ("keys.jsonl", "marks.jsonl", "chosen-finished.jsonl")
    )
    sheets: list[Sheet] = [keys.sheet(by_keys)] if by_keys else []
    sheets += marks.sheets(marked, tables.percent, tables.interval, STRENGTHS) if marked else []
    sheets += [finished.sheet(by_pictures)] if by_pictures else []
    for sheet in sheets:
        show(sheet)
    if not sheets:
        line("there are no rows yet: nothing to report; without --report they are counted")
    if page and sheets:
        text = "\n".join(map(tables.markdown, sheets))
        PAGE.write_text(between(PAGE.read_text(), f"{text}\n", BEGIN))
    return bool(sheets)


if __name__ == "__main__":
    sys.exit(main())
