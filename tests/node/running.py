# SPDX-License-Identifier: Apache-2.0
"""A node on a network in memory, driven step by step in one thread."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inferix.keystore import Keys
from inferix.models.work import Work
from inferix.proofs.calibration import Calibration
from inferix.storage.remote import HttpStore
from node.api import Api
from node.checks import PictureReader
from node.compose import Machine, Remote, compose
from node.config import Home
from node.identity import Identity
from tests.node.network import DOMAIN, Network
from tests.node.noise_engine import DirectReader


class Node:
    """One life of a node's process. ``run`` steps it until nothing is left to do."""

    def __init__(
        self,
        network: Network,
        home: Path,
        node: int,
        keys: Keys,
        engine: Any,
        reader: PictureReader | None = None,
        shadow: Calibration | None = None,
    ) -> None:
        self.network, self.home, self.id, self.keys, self.engine = network, home, node, keys, engine
        self.identity = Identity(node, DOMAIN, keys)
        self.stop = threading.Event()
        transport = network.transport()
        self.api = Api("http://network.test", identity=self.identity, transport=transport, stop=self.stop, attempts=1)
        info = self.api.network(attempts=1)
        store = HttpStore(self.api.url, client=self.api.client, attempts=1, sleep=lambda _: None)
        self._stores = [store]
        machine = Machine(Home(home), engine, "cpu", reader or DirectReader(), shadow)
        remote = Remote(self.api, store, store, info, self.api.node(node))
        self.loop, self.journal = compose(machine, self.identity, remote, self.stop)

    def offer(self, *items: Work) -> None:
        """Set what the network has for this node."""
        self.network.work[self.id] = list(items)

    def run(self, *items: Work, rounds: int = 20) -> None:
        """Offer these items, then poll and work until there is nothing to do."""
        if items:
            self.offer(*items)
        for _ in range(rounds):
            if self.loop.step() and self.loop._failures:
                self.loop.step()  # time has jumped: the first request is refused, the second has the new time
            if not self.loop.executor.step():
                break
        self.loop.step()

    def kill(self) -> None:
        """End this life without any tidying up; the files stay as they are."""
        self.journal.close()
        for store in self._stores:
            store.close()
        self.api.close()


Start = Callable[..., Node]
