# SPDX-License-Identifier: Apache-2.0
"""Inferix: the off-chain half of the protocol, shared by every program, and the Python SDK."""

__version__ = "0.1.0"
