# SPDX-License-Identifier: Apache-2.0
"""The ``inferix`` command."""

from inferix.cli.main import main

__all__ = ["main"]
