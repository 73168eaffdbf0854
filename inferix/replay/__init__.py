# SPDX-License-Identifier: Apache-2.0
"""The protocol's state, ``Network``, into which ``apply`` takes chain events: docs/protocol.md, section 5."""

from inferix.replay.network import Network
from inferix.replay.reducer import apply

__all__ = ["Network", "apply"]
