# SPDX-License-Identifier: Apache-2.0
"""A node on a network in memory, driven step by step in one thread."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inferix.keystore import Keys, new_keys
from inferix.models.work import Work
from inferix.storage.remote import HttpStore
from node.api import Api
from node.checks import FrameReader
from node.compose import Machine, Remote, compose
from node.config import Home
from node.engines import EngineSettings
from node.identity import Identity
from tests.node.network import DOMAIN, Network
from tests.node.noise_engine import DirectReader, NoiseEngine


class Node:
    """One life of a node's process. ``run`` steps it until nothing is left to do."""

    def __init__(
        self, network: Network, home: Path, node: int, keys: Keys, engine: Any, reader: FrameReader | None = None
    ) -> None:
        self.network, self.home, self.id, self.keys, self.engine = network, home, node, keys, engine
        self.identity = Identity(node, DOMAIN, keys)
        self.stop = threading.Event()
        transport = network.transport()
        self.api = Api("http://network.test", identity=self.identity, transport=transport, stop=self.stop, attempts=1)
        info = self.api.network(attempts=1)
        store = HttpStore(self.api.url, client=self.api.client, attempts=1, sleep=lambda _: None)
        self._stores = [store]
        machine = Machine(Home(home), engine, "cpu", reader or DirectReader())
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


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return Network(tmp_path / "network")


@pytest.fixture
def start(network: Network, tmp_path: Path) -> Iterator[Start]:
    """``start(id, role)`` begins a node's life; the same id again begins its next one, with the same keys and home."""
    keys: dict[int, Keys] = {}
    lives: list[Node] = []

    def begin(node: int = 7, role: str = "worker", engine: NoiseEngine | None = None) -> Node:
        if node not in keys:
            keys[node] = new_keys()
            network.register(node, keys[node].address, role)
        home = tmp_path / f"home-{node}"
        life = Node(network, home, node, keys[node], engine or NoiseEngine(EngineSettings()))
        lives.append(life)
        return life

    yield begin
    for life in lives:
        life.kill()


@pytest.fixture
def worker(start: Start) -> Node:
    return start(7, "worker")


@pytest.fixture
def verifier(start: Start) -> Node:
    return start(9, "verifier")
