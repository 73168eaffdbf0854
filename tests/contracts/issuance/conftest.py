# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of work and issuance."""

from tests.contracts.work.fixtures import network, populated_network

__all__ = ["network", "populated_network"]
