# SPDX-License-Identifier: Apache-2.0
"""The money paths of all contracts, the model and the mirror, driven together by generated acts."""

import os
from collections.abc import Iterator
from pathlib import Path

import boa
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.machine import Machine
from tests.stateful.model.basics import DAY
from tests.stateful.model.work import LEASES
from tests.stateful.soak import search
from tests.stateful.stage import Stage
from tests.stateful.world import World

MINUTES = float(os.environ.get("SOAK_MINUTES", "8"))
KEPT = Path(".hypothesis")
NEXT = KEPT / "stateful-seed"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with boa.swap_env(boa.Env()):
        yield World()


def test_contracts_mirror_and_model_agree_after_every_act(world: World) -> None:
    Stage.world = world
    few = settings(
        max_examples=5,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=few)


def test_leases_agree_from_order_to_payment(world: World) -> None:
    """Always, and not only where the generated acts come by."""
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        machine.busy_leases([3 * 10**9 + 1, 10**7], manager=0, pick=0, days=0)
        docket, work = machine.docket, machine.bench.model.work
        assert [batch.coin for batch, _ in work.leases()] == [LEASES + 1, LEASES + 2]
        machine.agrees()
        assert not docket.pay_lease(*work.leases()[0]), "not final"
        machine._pass(DAY)
        for batch in docket.live():
            assert docket.finalize(batch)
        for batch, leaf in work.leases():
            assert not docket.pay_lease(batch, leaf, is_signed=False)
            assert docket.pay_lease(batch, leaf)
            assert not docket.pay_lease(batch, leaf), "paid before"
            machine.agrees()
        machine.lease(0, "usd", 10**9, 1, 0, forged=True)
        machine.agrees()
    finally:
        machine.teardown()


@pytest.mark.slow
@pytest.mark.timeout(60 * MINUTES + 900)
def test_they_agree_for_as_long_as_there_is_time(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    first = int(NEXT.read_text()) if NEXT.exists() else 0
    found = search(world, seconds=60 * MINUTES, first=first, database=str(KEPT / "examples"))
    KEPT.mkdir(exist_ok=True)
    NEXT.write_text(str(found.next_seed))
    with capsys.disabled():
        print(f"\nstateful: {found.acts} acts, seeds {first} to {found.next_seed}")
    assert not found.failure, found.failure
