# SPDX-License-Identifier: Apache-2.0
"""Gas is measured once a run, each part in an environment of its own."""

import pytest

from tests.gas.parts import PARTS, alone
from tests.gas.sale import Counter


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/gas --update-gas` writes the measured figures as the new snapshot."""
    parser.addoption("--update-gas", action="store_true", help="write tests/gas/snapshot.json anew")


@pytest.fixture(scope="session")
def counter() -> Counter:
    """Purchases in the licence sale, measured."""
    with alone():
        made = Counter({})
        made.run()
    return made


@pytest.fixture(scope="session")
def figures(counter: Counter) -> dict[str, int]:
    """Transaction -> gas."""
    found = dict(counter.figures)
    for part in PARTS:
        with alone():
            part(found).run()
    return found
