# SPDX-License-Identifier: Apache-2.0
"""``make bench-proof``: how often the proof of rendering errs. ``make bench-proof-full``: over three thousand frames.

A frame's results are on disk when it is done, in out/bench-proof: Ctrl-C, and the full run goes on there the next time.
Frames whose rows are published (benchmarks/proof/rows) are not rendered again; --publish puts one's own there.
The short one starts anew: equal seeds, equal results. Either ends with tables, report.json, calibration.json (as the
package reads it) and pictures.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.proof import counts, marks, outcome, scenes, slight
from benchmarks.proof.cases import EXTRAS, Case
from benchmarks.proof.journal import Journal, Row
from benchmarks.proof.outcome import CHOSEN_AT, FRAMES, MARKED, MARKS, OUT, SLIGHT
from benchmarks.proof.run import Run
from demo.say import line
from devnet.processes import ROOT, exit_on_sigterm
from inferix.errors import InferixError
from inferix.proofs.rendering import load_calibration, write_calibration
from node.gpu import load_probe

ROUND = len(scenes.NAMES) * len(EXTRAS)
"""Cases in which every scene meets every forgery."""

FULL = 112 * ROUND
"""A thousand frames of every class, three thousand honest ones."""
CHOSEN_ON = 36
"""Cases before this one are those that the thresholds in force come from: the full run counts others."""
MULTIPLE = 8
MARKED_OF_EACH = 3
"""Frames of each scene with ANGV's marks, in the full run; one in the short one. Each costs as much as ten others."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all that was asked for was measured."""
    asked = _parser().parse_args(arguments)
    exit_on_sigterm()
    kind = "full" if asked.full else "short"
    rules = load_calibration().without_slight().name  # votes by others do not add up
    folder = OUT / f"{kind}-{asked.width}x{asked.height}-{asked.samples}-{rules}"
    try:
        if asked.full:
            os.nice(19)
        if asked.calibrate:
            _calibrate(asked)
            return 0
        if asked.publish:
            line(f"{outcome.publish(folder)} frames published in {outcome.PUBLISHED / folder.name}")
            return 0
        if not asked.report:
            _measure(asked, folder)
        outcome.report(folder, no_gpu=load_probe().report().reason, page=asked.page)
    except KeyboardInterrupt:
        print(f"\nstopped; what was done is in {OUT.relative_to(ROOT)}; the full run and a calibration go on there")
        return 130
    except InferixError as error:
        print(f"\nthe benchmark failed: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.proof", description=__doc__)
    parser.add_argument("--full", action="store_true", help="go on with the long run, with the least priority")
    parser.add_argument("--cases", type=int, help=f"frames: {ROUND}, or {FULL} of the full run")
    parser.add_argument("--calibrate", action="store_true", help="count what the thresholds come from, and write them")
    parser.add_argument("--slight", action="store_true", help="count the whole rule between kernels, and nothing else")
    parser.add_argument("--shard", type=shard, default=(0, 1), metavar="I/N", help="every N-th frame, for N processes")
    parser.add_argument("--minutes", type=float, help="stop after these, whatever is left")
    parser.add_argument("--threads", type=int, help="of Blender: 2, or 1 in the full run")
    parser.add_argument("--end-to-end", metavar="SCENE", choices=scenes.NAMES, help="check one frame of 1080p by nodes")
    parser.add_argument("--report", action="store_true", help="no new frames, only the tables of those that are there")
    parser.add_argument("--page", action="store_true", help="put the tables into docs/proof-figures.md")
    parser.add_argument("--publish", action="store_true", help="keep the rows counted here with the project's")
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--height", type=int, default=144)
    parser.add_argument("--samples", type=int, default=16, help=f"a multiple of {MULTIPLE}")
    return parser


def shard(text: str) -> tuple[int, int]:
    """Which of how many processes, from "0/2"."""
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise argparse.ArgumentTypeError("write 0/2 and 1/2 for two processes")
    return int(index), int(count)


def _calibrate(asked: argparse.Namespace) -> None:
    """Count the cases that thresholds come from, and write them down once they are all there."""
    rows: list[Row] = []
    with TemporaryDirectory(prefix="inferix-bench-") as work, Run(Path(work), asked.threads or 1) as run:
        for size in CHOSEN_AT:
            journal = outcome.chosen(size, published=False)
            done, (index, shards) = journal.done(), asked.shard
            for number in range(CHOSEN_ON):
                if number not in done and number % shards == index:
                    row = run.do(Case(number, *size), check=number == index)
                    journal.add(row)
                    line(f"{size[-1]} samples, frame {number + 1} of {CHOSEN_ON}: {row['scene']}")
            rows += journal.rows()
    if len(rows) < CHOSEN_ON * len(CHOSEN_AT):
        line("this shard is done; the last one to end writes the calibration")
        return
    sizes = " and ".join(f"{width}x{height}, {samples} samples" for width, height, samples in CHOSEN_AT)
    source = f"make calibration: {CHOSEN_ON} frames of {len(scenes.NAMES)} scenes each at {sizes}"
    write_calibration(OUT / "calibration.json", counts.calibrate(rows, source, chosen=False))
    line(f"{(OUT / 'calibration.json').relative_to(ROOT)}: in force as inferix/proofs/rendering/calibration.json")


def _measure(asked: argparse.Namespace, folder: Path) -> None:
    if asked.samples % MULTIPLE or asked.samples < MULTIPLE or min(asked.width, asked.height) < 32:
        raise SystemExit(f"samples are a multiple of {MULTIPLE}, sides at least 32 pixels")
    if not asked.full:
        for name in (FRAMES, MARKS, SLIGHT):
            (folder / name).unlink(missing_ok=True)
    count = asked.cases or (FULL if asked.full else ROUND)
    threads = asked.threads or (1 if asked.full else 2)
    with TemporaryDirectory(prefix="inferix-bench-") as work, Run(Path(work), threads) as run:
        if asked.slight:
            _each(asked, outcome.slight_frames(folder), count, lambda number, _: slight.do(run, _case(asked, number)))
            return
        _cases(asked, folder, run, count)
        outcome.write_once(run, line, end_to_end=asked.end_to_end)


def _case(asked: argparse.Namespace, number: int) -> Case:
    return Case(number, asked.width, asked.height, asked.samples)


def _cases(asked: argparse.Namespace, folder: Path, run: Run, count: int) -> None:
    marked = outcome.marked_frames(folder)
    with_marks = marked.done()
    every = max(count // len(scenes.NAMES) // (MARKED_OF_EACH if asked.full else 1), 1)

    def do(number: int, is_first: bool) -> Row:
        row = run.do(_case(asked, number), check=is_first)
        if number % every == 0 and number // every not in with_marks:
            for found in marks.run(Case(number // every, *MARKED), run.worker):
                marked.add(found)
        return row

    _each(asked, outcome.frames(folder), count, do)


def _each(asked: argparse.Namespace, journal: Journal, count: int, do: Callable[[int, bool], Row]) -> None:
    """A row of every case that has none. ``do``: of a number, and whether it is this run's first."""
    done, began = journal.done(), time.monotonic()
    first = CHOSEN_ON if asked.full else 0
    index, shards = asked.shard
    left = [number for number in range(first, first + count) if number not in done and number % shards == index]
    if done:
        line(f"{len(done)} of {count} frames are there already")
    for new, number in enumerate(left, start=1):
        row = do(number, new == 1)
        journal.add(row)
        passed = time.monotonic() - began
        rest = passed / new * (len(left) - new)
        place = f"{new} of {len(left)}: {row['scene']}"
        line(f"{place}, {passed / new:.1f} s a frame, {_clock(rest)} to go")
        if asked.minutes and passed > asked.minutes * 60:
            line("the time is over")
            return


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


if __name__ == "__main__":
    sys.exit(main())
