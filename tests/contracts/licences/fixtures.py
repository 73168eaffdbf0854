# SPDX-License-Identifier: Apache-2.0
"""The shop as fixtures, for the packages that try it."""

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
