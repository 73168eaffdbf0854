# SPDX-License-Identifier: Apache-2.0
"""What whoever makes blocks may choose is tried on the network, its pools and the sale."""

import pytest

from tests.contracts.issuance.pools import fresh_pools, pools, populated_pools
from tests.contracts.licences.shop import Shop
from tests.contracts.system import own_time
from tests.contracts.work.fixtures import network, populated_network


@pytest.fixture(scope="session")
def deployed_shop() -> Shop:
    with own_time():
        made = Shop()
        made.open_sale()
    return made


@pytest.fixture
def shop(deployed_shop: Shop) -> Shop:
    """Open for the whitelist; rolled back after each test."""
    deployed_shop.resume()
    return deployed_shop


__all__ = ["deployed_shop", "fresh_pools", "network", "pools", "populated_network", "populated_pools", "shop"]
