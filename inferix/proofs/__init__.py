# SPDX-License-Identifier: Apache-2.0
"""Proofs that work was done: pure algorithms on arrays and bytes. No files, no network, no clock."""
