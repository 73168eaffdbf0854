# SPDX-License-Identifier: Apache-2.0
"""One populated network a session, rolled back after each test."""

from collections.abc import Iterator

import boa
import pytest

from tests.contracts.system import IFX, own_time
from tests.contracts.work.network import Network


def populate() -> Network:
    """A manager with a hundred times its bond, a market with a million IFX."""
    network = Network()
    network.stake(network.manager, 99 * int(network.staking.required(network.manager.id)))
    network.give_ifx(network.market.address, 10**6 * IFX)
    return network


@pytest.fixture(scope="session")
def populated_network() -> Network:
    with own_time():
        return populate()


@pytest.fixture
def network(populated_network: Network) -> Iterator[Network]:
    """A manager with a hundred times its bond, a market with a million IFX; the first epoch."""
    with boa.env.anchor():
        populated_network.resume()
        yield populated_network
