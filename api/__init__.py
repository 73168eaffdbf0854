# SPDX-License-Identifier: Apache-2.0
"""The network's HTTP API: state for everybody, orders for clients, work for nodes. FastAPI."""
