# SPDX-License-Identifier: Apache-2.0
"""The money paths of all contracts, the model and the mirror, driven together by generated acts: the same acts each time."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.machine import Machine
from tests.stateful.stage import Stage
from tests.stateful.world import World

RUNS = int(os.environ.get("MACHINE_RUNS", "50"))
STEPS = 40  # acts of a run, at most


@pytest.mark.timeout(3_600)
def test_contracts_mirror_and_model_agree_after_every_act(world: World) -> None:
    Stage.world = world
    same = settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=same)
