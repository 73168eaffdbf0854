# SPDX-License-Identifier: Apache-2.0
"""The parts that a running API is made of; made once by ``api.app``."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlmodel import Session as Database

from api.settings import ApiSettings
from inferix.chain.deployment import Contracts, Deployment
from inferix.replay import Network
from inferix.storage.blobs import OwnedStore
from inferix.storage.service import BlockService


@dataclass
class Context:
    """``follow`` brings the state up to the newest mirrored block and returns it; not thread-safe, hence the lock."""

    settings: ApiSettings
    deployment: Deployment
    contracts: Contracts
    sessions: Callable[[], Database]
    store: OwnedStore
    blocks: BlockService
    follow: Callable[[], Network]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def network(self) -> Network:
        """The newest state. Callers read it within one request and do not keep it."""
        with self.lock:
            return self.follow()
