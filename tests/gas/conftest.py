# SPDX-License-Identifier: Apache-2.0
"""Gas is measured once a run, in an environment of its own."""

from collections.abc import Iterator

import boa
import pytest

from tests.contracts.system import START
from tests.gas.sale import Counter
from tests.gas.scenario import Scenario
from tests.gas.served import Shelves


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/gas --update-gas` writes the measured figures as the new snapshot."""
    parser.addoption("--update-gas", action="store_true", help="write tests/gas/snapshot.json anew")


@pytest.fixture(scope="session")
def counter() -> Counter:
    """Purchases in the licence sale, measured."""
    with boa.swap_env(boa.Env()):
        boa.env.evm.patch.timestamp = START
        made = Counter()
        made.run()
    return made


@pytest.fixture(scope="session")
def figures(counter: Counter) -> Iterator[dict[str, int]]:
    """Transaction -> gas."""
    with boa.swap_env(boa.Env()):
        boa.env.evm.patch.timestamp = START
        served = Shelves().run()
    with boa.swap_env(boa.Env()):
        yield Scenario().run() | counter.figures | served
