# SPDX-License-Identifier: Apache-2.0
"""The protocol's state replayed from chain events and documents: ``Network``; see docs/protocol.md, section 5."""

from inferix.replay.network import Network

__all__ = ["Network"]
