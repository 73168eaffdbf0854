# SPDX-License-Identifier: Apache-2.0
"""A shop for the tests of the sale and the buyback."""

import pytest

from tests.contracts.licences.fixtures import deployed_shop, shop
from tests.contracts.licences.shop import Shop


@pytest.fixture
def public_shop(shop: Shop) -> Shop:
    """Open for anybody."""
    shop.start_public_sale()
    return shop


__all__ = ["deployed_shop", "public_shop", "shop"]
