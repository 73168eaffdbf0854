# SPDX-License-Identifier: Apache-2.0
"""The services that a whole network on one machine needs: Anvil, PostgreSQL, Kubo. The demo and the tests use them."""
