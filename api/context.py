# SPDX-License-Identifier: Apache-2.0
"""The parts that a running API is made of; made once by ``api.app``."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from api.settings import ApiSettings
from inferix.chain.deployment import Contracts, Deployment
from inferix.replay import Network
from inferix.storage.blobs import OwnedStore
from inferix.storage.database import Database
from inferix.storage.service import BlockService


@dataclass
class Context:
    """``follow`` brings the state up to the newest mirrored block and returns it; call it on the event loop only."""

    settings: ApiSettings
    deployment: Deployment
    contracts: Contracts
    database: Database
    store: OwnedStore
    blocks: BlockService
    follow: Callable[[], Network]
    _state: Network | None = field(default=None, init=False)
    _asked_at: float = field(default=0.0, init=False)

    def network(self) -> Network:
        """The newest state, at most ``poll_seconds`` old. Callers read it within one request and do not keep it."""
        now = time.monotonic()
        if self._state is None or now - self._asked_at >= self.settings.poll_seconds:
            self._state = self.follow()
            self._asked_at = time.monotonic()
        return self._state
