# SPDX-License-Identifier: Apache-2.0
"""Runs of the machine, seed after seed, until something is found, the acts are used up or the time is over."""

import time
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.machine import Machine
from tests.stateful.stage import Stage
from tests.stateful.world import World

STEPS = 40
RUNS = 5  # of a seed


@dataclass
class Found:
    """How far a search came. ``failure``: of the first run that failed, else empty."""

    acts: int
    next_seed: int
    failure: str = ""


def search(
    world: World, acts: int = 10**9, seconds: float = 10**9, first: int = 0, database: str | None = None
) -> Found:
    """Runs of seeds from ``first`` on. ``database``: folder that keeps what failed, to be tried first the next time."""
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
        suppress_health_check=list(HealthCheck),
    )
    end, at = time.monotonic() + seconds, first
    while Stage.total < acts and time.monotonic() < end:
        try:
            run_state_machine_as_test(seed(at)(Machine), settings=terms)
        except Exception as error:
            text = "\n".join([str(error), *getattr(error, "__notes__", [])])
            return Found(Stage.total, at, text or type(error).__name__)
        at += 1
    return Found(Stage.total, at)
