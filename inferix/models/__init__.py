# SPDX-License-Identifier: Apache-2.0
"""Plain values of the protocol: no I/O, no clock, no chain. ``document`` says how they become bytes."""
