# SPDX-License-Identifier: Apache-2.0
"""No transaction may cost more than the committed snapshot says, nor more than its bound and what it is known to exceed it
by. Measured on titanoboa's py-evm under the rules of Prague; see meter.py."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contracts.system import deployer
from tests.gas.scenario import MANY, ORDERS, TASKS, all_in

SNAPSHOT = Path(__file__).parent / "snapshot.json"
MAX_CODE = 24_576
CONTRACTS = [
    "work/Orders.vy",
    "work/Batches.vy",
    "work/Rosters.vy",
    "work/Accounts.vy",
    "issuance/BurnMintWork.vy",
    "issuance/FeeBurner.vy",
    "issuance/ReferenceMarket.vy",
]


@dataclass(frozen=True)
class Bound:
    """Gas a unit; `over` is what a rule costs beyond it, and why."""

    figure: str
    units: int
    limit: int
    over: int = 0
    why: str = ""


PERMANENT = "a word a batch for ever: an old task that is repeated must be provable"
PAUSE = "the pause stops clocks, kept in three words of Parameters"
VOTES = "sums in the proof, status and owner from NodeRegistry, two delegates of a token with votes"

BOUNDS = [
    Bound("anchor and seal", 1, 60_000),
    Bound(
        "propose", 1, 75_000, 10_100, f"{PERMANENT}; {PAUSE}; a ring of commitments, so that cancelling needs no list"
    ),
    Bound("propose 1000 root only", TASKS, 85, 3, f"{PERMANENT}; {PAUSE}"),
    Bound("propose 1000 with records", TASKS, 540),
    Bound("orders of fifty", ORDERS, 6_000),
    Bound("finalize", 1, 45_000, 12_600, f"{PAUSE}; charges counted by coin, epoch and manager"),
    Bound("accounts", 1, 110_000, 4_900, f"{PAUSE}; the poster's bond is looked at"),
    Bound("claim", 1, 65_000, 15_800, VOTES),
    Bound("claim_many of fifty", MANY, 32_000, 9_000, f"{VOTES}: keepers use claim_chunk"),
    Bound("claim_chunk of 64", 64, 32_000),
]


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


@pytest.mark.parametrize("path", CONTRACTS)
def test_contract_fits_on_chain(path: str) -> None:
    """EIP-170."""
    assert len(deployer(path).compiler_data.bytecode_runtime) < MAX_CODE
