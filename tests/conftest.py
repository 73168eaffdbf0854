# SPDX-License-Identifier: Apache-2.0
"""Markers and the network rule: a unit test opens no socket, an integration test reaches nothing but this machine."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

MARKERS = {
    "unit": "needs nothing but the code; the default",
    "integration": "runs on real services of this machine; the default under tests/integration",
    "slow": "takes minutes; only run by `make soak`",
}
LOOPBACK = ["127.0.0.0/8", "::1", "localhost"]
INTEGRATION = Path(__file__).parent / "integration"

# A loaded machine is no bug: no deadlines. In CI the same examples each time, so that a failure can be repeated.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; an unknown one is an error (--strict-markers)."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its default marker, before `-m` chooses; pytest-socket (see pyproject.toml) reads allow_hosts."""
    for item in items:
        if INTEGRATION in item.path.parents:
            item.add_marker("integration")
        if item.get_closest_marker("integration"):
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
        elif not item.get_closest_marker("slow"):
            item.add_marker("unit")
