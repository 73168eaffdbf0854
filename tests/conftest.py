# SPDX-License-Identifier: Apache-2.0
"""Markers and the network rule: a unit test opens no socket, an integration test reaches nothing but this machine."""

import os
from collections.abc import Iterator
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
LONGEST = Path(__file__).parent / "stateful" / "test_long.py"
"""Handed out first, so that it runs beside all others and not after them."""

# A loaded machine is no bug: no deadlines. In CI the same examples each time, so that a failure can be repeated.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; an unknown one is an error (--strict-markers)."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


RUNNING = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Marks the time between set-up and teardown."""
    item.stash[RUNNING] = True
    try:
        return (yield)
    finally:
        item.stash[RUNNING] = False


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> None:
    """No fixture is set up by a test that runs.

    titanoboa takes a snapshot at each fixture and another at each test. One within the other is gone when the test ends,
    and the fixture's end then fails, if the fixture lives longer: on some orders of tests, in a test that did nothing.
    """
    if request._pyfuncitem.stash.get(RUNNING, False):
        pytest.fail(
            f"fixture {request.fixturename} set up while the test runs: make it an argument, or a fixture's own",
            pytrace=False,
        )


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
    items.sort(key=lambda item: item.path != LONGEST)
