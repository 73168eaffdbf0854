# SPDX-License-Identifier: Apache-2.0
"""Runs `benchmarks.plain` and reads what it took; compares its pictures with the network's."""

import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.machine import busy_seconds
from benchmarks.plain import ENCODED
from demo.say import line
from devnet.processes import ROOT, running, start
from inferix.errors import Corrupt, Unavailable
from inferix.proofs.assembly import measure_picture
from node.engines.crops import read_picture

POLL: Final = 0.02
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Plain:
    """What plain Blender took, from the start of its process to its end.

    ``steps``: as it wrote them down; ``others``: processor seconds of what else ran on this machine meanwhile.
    """

    seconds: float
    core_seconds: float
    others: float
    steps: list[dict[str, Any]]

    @property
    def frame_seconds(self) -> float:
        """Of the frame in the middle: rendered, denoised, saved."""
        return float(median(step["seconds"] for step in self.steps if step["step"].startswith("frame")))

    @property
    def encode_seconds(self) -> float:
        """Of the movie."""
        return float(next(step["seconds"] for step in self.steps if step["step"] == ENCODED))


def render(order: dict[str, Any], folder: Path) -> Plain:
    """Renders ``order`` (see benchmarks/plain.py) below ``folder``. Raises Unavailable."""
    folder.mkdir(parents=True)
    path, log = folder / "order.json", folder / "plain.log"
    path.write_text(json.dumps({**order, "out": str(folder)}))
    before, busy, own, began = _children(), busy_seconds(), time.process_time(), time.monotonic()
    with running(start("plain Blender", [sys.executable, "-m", "benchmarks.plain", path], log=log, cwd=ROOT)) as child:
        told = 0
        while child.running:
            told = _tell(folder, told)
            time.sleep(POLL)
        seconds = time.monotonic() - began
    if child.process.returncode:
        raise Unavailable(f"plain Blender ended with {child.process.returncode}:\n{child.log_tail()}")
    _tell(folder, told)
    core = _children() - before
    others = busy_seconds() - busy - core - (time.process_time() - own)
    return Plain(seconds, core, max(0.0, others), _steps(folder))


def _children() -> float:
    """Processor seconds of this process's children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _steps(folder: Path) -> list[dict[str, Any]]:
    path = folder / "steps.jsonl"
    return [json.loads(row) for row in path.read_text().splitlines()] if path.exists() else []


def _tell(folder: Path, told: int) -> int:
    steps = _steps(folder)
    for step in steps[told:]:
        line(f"plain Blender: {step['step']} in {step['seconds']:.1f} s")
    return len(steps)


def difference(ours: Sequence[Path], theirs: Sequence[Path], work: Path) -> float:
    """Share of pixels in which two series of stills differ, by the measure of the proof of assembly; worst still."""
    if len(ours) != len(theirs) or not ours:
        raise Corrupt(f"{len(ours)} stills are not the {len(theirs)} of plain Blender")
    shares = []
    for at, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        pictures = read_picture(one, work / f"{at}-one"), read_picture(other, work / f"{at}-other")
        shares.append(measure_picture(*pictures).share_ppm / MILLION)
    return max(shares)
