# SPDX-License-Identifier: Apache-2.0
"""What several listeners follow, looked at and made once for all of them."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

View = dict[str, Any]
Look = Callable[[], Awaitable[tuple[object, Callable[[], View]]]]
"""What a view is made of now, to be compared, and how it is made; that waits for nothing."""


class Watched:
    """A view, made anew where what it is made of has changed. ``text``: as JSON, without its time."""

    def __init__(self) -> None:
        self.view: View = {}
        self.text = ""
        self._made_of: object = None
        self._looked_at = -float("inf")
        self._looking = asyncio.Lock()

    async def look(self, look: Look, every: float) -> None:
        """Brings it up to date, unless somebody did within ``every`` seconds."""
        async with self._looking:
            now = time.monotonic()
            if now - self._looked_at < every:
                return
            made_of, make = await look()
            if made_of != self._made_of:
                self.view = make()
                self.text = json.dumps({name: value for name, value in self.view.items() if name != "time"})
                self._made_of = made_of
            self._looked_at = now
