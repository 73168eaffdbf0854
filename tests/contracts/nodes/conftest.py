# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of delegation."""

from collections.abc import Iterator
from copy import copy

import boa
import pytest

from tests.contracts.nodes.backing import Backing
from tests.contracts.work.fixtures import network, populated_network
from tests.contracts.work.network import Network

__all__ = ["network", "populated_network"]


@pytest.fixture(scope="session")
def backed_network(populated_network: Network) -> Backing:
    return Backing(populated_network)


@pytest.fixture
def backing(backed_network: Backing) -> Iterator[Backing]:
    """A verifier that takes delegations, with 10,000 IFX of its owner."""
    with boa.env.anchor():
        yield copy(backed_network)  # what it counts itself is not rolled back
