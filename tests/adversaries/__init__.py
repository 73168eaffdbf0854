# SPDX-License-Identifier: Apache-2.0
"""Engines that cheat or die, as plug-ins: for the demo and the tests, never part of a node."""
