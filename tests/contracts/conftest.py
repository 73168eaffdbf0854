# SPDX-License-Identifier: Apache-2.0
"""One deployment a session; titanoboa's plug-in rolls back what happened since a fixture was set up.

What lives as long as the session is rolled back by nothing: it is deployed in its own_time, and is nobody else's.
"""

import boa
import pytest

from tests.contracts.system import START, System, own_time


@pytest.fixture(autouse=True)
def forget_traces() -> None:
    """titanoboa shows a contract's maps, when a call reverts, by slots that it once saw written at that address. After a
    rollback another contract may be there, whose maps are of other types: it ends on them (0.2.8)."""
    boa.env.sstore_trace.clear()


@pytest.fixture(scope="session", autouse=True)
def start() -> None:
    """Who is drawn follows from hashes of times: by the wall clock each run would draw others."""
    boa.env.evm.patch.timestamp = START


@pytest.fixture(scope="session")
def deployed() -> System:
    with own_time():
        return System()


@pytest.fixture
def system(deployed: System) -> System:
    """The same, rolled back after each test."""
    deployed.resume()
    return deployed
