# SPDX-License-Identifier: Apache-2.0
"""A shop for the tests of the sale and the buyback."""

import pytest

from tests.contracts.licences.shop import Shop
from tests.contracts.system import own_time


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


@pytest.fixture
def public_shop(shop: Shop) -> Shop:
    """Open for anybody."""
    shop.start_public_sale()
    return shop
