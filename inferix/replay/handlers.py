# SPDX-License-Identifier: Apache-2.0
"""What takes an event into the state: each area of the reducer has a table of these by the event's name, ``EVENTS``."""

from collections.abc import Callable, Mapping
from typing import Any

from inferix.models.event import ChainEvent
from inferix.replay.network import Network

Handler = Callable[[Network, ChainEvent, Mapping[str, Any]], None]
Handlers = Mapping[str, Handler]


def joined(*tables: Handlers) -> Handlers:
    """All tables in one. An event in two is a mistake in the code: one of them would never take it."""
    found: dict[str, Handler] = {}
    for table in tables:
        assert not found.keys() & table.keys()
        found.update(table)
    return found
