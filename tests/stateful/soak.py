# SPDX-License-Identifier: Apache-2.0
"""Runs of the machine, seed after seed, until something is found, the acts are used up or the time is over.

Bugs are planted to see that they are found; most are, before any search, by acts that are written down (mutants/)."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.machine import Machine
from tests.stateful.stage import Stage
from tests.stateful.world import World

STEPS = 40
RUNS = 5  # of a seed
FINDINGS = (AssertionError,)
"""Contracts, mirror and model do not agree, or a law is broken: all of these are asserted. Whatever else is raised is a
mistake of the machine, and says nothing about the contracts."""


@dataclass
class Found:
    """How far a search came. ``failure``: of the first run that failed, else empty."""

    acts: int
    next_seed: int
    failure: str = ""


@dataclass
class Place:
    """Where the next search begins, and how many acts of whole seeds all searches did: kept in ``file``."""

    file: Path
    next_seed: int = 0
    acts: int = 0

    @classmethod
    def read(cls, file: Path) -> "Place":
        """What was kept; the beginning where nothing was."""
        return cls(file, **json.loads(file.read_text())) if file.exists() else cls(file)

    def passed(self, at: int, acts: int) -> None:
        """The seed ``at`` is through, without a finding. A program that is killed here keeps the one place or the other."""
        self.next_seed, self.acts = at + 1, self.acts + acts
        self.file.parent.mkdir(exist_ok=True)
        written = self.file.with_suffix(".new")
        written.write_text(json.dumps({"next_seed": self.next_seed, "acts": self.acts}) + "\n")
        written.replace(self.file)


def search(
    world: World,
    acts: int = 10**9,
    seconds: float = 10**9,
    place: Place | None = None,
    database: str | None = None,
    first: int = 0,
) -> Found:
    """Runs of seeds from ``place`` on, which is told of each; from ``first`` on without one. ``database``: folder that keeps what failed, to be tried
    first the next time. Raises what the machine itself does wrong."""
    Stage.world, Stage.total = world, 0
    kept: ExampleDatabase | None = DirectoryBasedExampleDatabase(database) if database else None
    phases = [Phase.reuse, Phase.generate] if database else [Phase.generate]
    # Nothing is shrunk: to explain a failure Hypothesis would trace the whole EVM, for minutes.
    terms = settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        deadline=None,
        database=kept,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    end, at = time.monotonic() + seconds, place.next_seed if place else first
    while Stage.total < acts and time.monotonic() < end:
        before = Stage.total
        try:
            run_state_machine_as_test(seed(at)(Machine), settings=terms)
        except FINDINGS as error:
            text = "\n".join([str(error), *getattr(error, "__notes__", [])])
            return Found(Stage.total, at, text or type(error).__name__)
        if place is not None:
            place.passed(at, Stage.total - before)
        at += 1
    return Found(Stage.total, at)
