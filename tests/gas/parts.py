# SPDX-License-Identifier: Apache-2.0
"""All that is measured, each part in an environment of its own: measuring fixes storage for good."""

from collections.abc import Iterator
from contextlib import contextmanager

import boa

from tests.contracts.system import START
from tests.gas.courts import Disputes, Escapes
from tests.gas.everyday import Clients, Nodes
from tests.gas.hearings import Cases, Hearings
from tests.gas.holders import Holders
from tests.gas.scenario import Scenario
from tests.gas.served import Shelves

PARTS = (Scenario, Shelves, Disputes, Escapes, Cases, Hearings, Nodes, Clients, Holders)
"""Beside the licence sale, of which more is told than its gas."""


@contextmanager
def alone() -> Iterator[None]:
    """An empty chain at a fixed time: who is drawn, and so what it costs, hangs on the time."""
    with boa.swap_env(boa.Env()):
        boa.env.evm.patch.timestamp = START
        yield
