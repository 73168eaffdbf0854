# SPDX-License-Identifier: Apache-2.0
"""One deployment a session; titanoboa's plug-in rolls back what happened since a fixture was set up."""

import pytest

from tests.contracts.system import System


@pytest.fixture(scope="session")
def deployed() -> System:
    return System()


@pytest.fixture
def system(deployed: System) -> System:
    """The same, rolled back after each test."""
    return deployed
