# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of delegation."""

from collections.abc import Iterator
from copy import copy

import boa
import pytest

from tests.contracts.nodes.backing import Backing
from tests.contracts.system import own_time
from tests.contracts.work.fixtures import populate


@pytest.fixture(scope="session")
def backed_network() -> Backing:
    with own_time():
        backing = Backing(populate())
        backing.network.remember()
    return backing


@pytest.fixture
def backing(backed_network: Backing) -> Iterator[Backing]:
    """A verifier that takes delegations, with 10,000 IFX of its owner."""
    with boa.env.anchor():
        backed_network.network.resume()
        yield copy(backed_network)  # what it counts itself is not rolled back
