# SPDX-License-Identifier: Apache-2.0
"""What whoever makes blocks may choose is tried on the network, its pools and the sale."""

from tests.contracts.issuance.pools import fresh_pools, pools, populated_pools
from tests.contracts.licences.fixtures import deployed_shop, shop
from tests.contracts.work.fixtures import network, populated_network

__all__ = ["deployed_shop", "fresh_pools", "network", "pools", "populated_network", "populated_pools", "shop"]
