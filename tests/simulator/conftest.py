# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of the simulator: the file that comes with it, and the contracts."""

import pytest

from simulator.settings import Settings, load_settings
from tests.contracts.conftest import forget_traces
from tests.contracts.work.fixtures import network, populated_network

__all__ = ["forget_traces", "network", "populated_network"]


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load_settings()
