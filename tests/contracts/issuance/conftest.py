# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of work and issuance."""

from tests.contracts.issuance.pools import fresh_pools, pools, populated_pools
from tests.contracts.work.fixtures import network, populated_network

__all__ = ["fresh_pools", "network", "pools", "populated_network", "populated_pools"]
