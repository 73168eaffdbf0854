# SPDX-License-Identifier: Apache-2.0
"""No transaction may cost more than the committed snapshot says, nor more than its bound and what it is known to exceed it
by. Measured on titanoboa's py-evm under the rules of Prague; see meter.py."""

import json
from pathlib import Path

import pytest

from benchmarks.gas import as_sent
from deploy.packages import FILES
from deploy.plan import make_plan
from deploy.settings import load_settings
from tests.contracts.system import CONTRACTS as SOURCES
from tests.contracts.system import deployer, key
from tests.gas.bounds import BOUNDS, Bound
from tests.gas.scenario import all_in, all_in_parts

SNAPSHOT = Path(__file__).parent / "snapshot.json"
DEV = Path(__file__).parents[2] / "deploy" / "dev.json"
DEPLOYER = key("deployer").address
MAX_CODE = 24_576
CONTRACTS = sorted(
    str(next(SOURCES.rglob(f"{creation.contract}.vy")).relative_to(SOURCES))
    for creation in make_plan(load_settings(DEV), DEPLOYER, now=1).creations
    if creation.contract not in FILES
)


@pytest.fixture(scope="session")
def snapshot(figures: dict[str, int], request: pytest.FixtureRequest) -> dict[str, int]:
    if request.config.getoption("--update-gas", default=False):
        SNAPSHOT.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    committed: dict[str, int] = json.loads(SNAPSHOT.read_text())
    return committed


def test_no_transaction_costs_more_than_before(figures: dict[str, int], snapshot: dict[str, int]) -> None:
    assert figures.keys() == snapshot.keys(), "run pytest tests/gas --update-gas and look at the difference"
    risen = {name: (snapshot[name], gas) for name, gas in figures.items() if gas > snapshot[name]}
    assert not risen, "gas has risen"


def test_snapshot_is_no_looser_than_needed(figures: dict[str, int], snapshot: dict[str, int]) -> None:
    """Else a later rise would hide in what was saved: run pytest tests/gas --update-gas."""
    assert {name: gas for name, gas in snapshot.items() if gas > figures[name]} == {}


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.figure)
def test_bound(figures: dict[str, int], bound: Bound) -> None:
    gas = figures[bound.figure] / bound.units
    assert gas <= bound.limit + bound.over
    assert (gas > bound.limit) == bool(bound.why), "what is over its bound says why; what is not, does not"


def test_all_in_gas_of_a_task(figures: dict[str, int]) -> None:
    assert all_in(figures, tasks_a_job=5) <= 2_420
    assert all_in(figures, tasks_a_job=200) <= 1_390


def test_all_in_gas_of_a_task_as_keepers_send_it(figures: dict[str, int]) -> None:
    """Anchors are less full than they were designed for, and rewards are claimed by claim_chunk, as designed."""
    sent = {size: sum(as_sent(all_in_parts(figures, size), figures).values()) for size in (5, 200)}
    assert sent[5] <= 3_440
    assert sent[200] <= 2_410


@pytest.mark.parametrize("path", CONTRACTS)
def test_contract_fits_on_chain(path: str) -> None:
    """EIP-170. What is deployed has the immutables behind it."""
    data = deployer(path).compiler_data
    assert len(data.bytecode_runtime) + data.global_ctx.immutable_section_bytes <= MAX_CODE
