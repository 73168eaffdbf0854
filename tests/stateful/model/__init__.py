# SPDX-License-Identifier: Apache-2.0
"""The money of the protocol in plain integers, written from docs/protocol.md: what the contracts are held against."""
