# SPDX-License-Identifier: Apache-2.0
"""One deployment a session, rolled back after each test."""

from collections.abc import Iterator

import boa
import pytest

from tests.contracts.system import System


@pytest.fixture(scope="session")
def deployed() -> System:
    return System()


@pytest.fixture
def system(deployed: System) -> Iterator[System]:
    with boa.env.anchor():
        yield deployed
