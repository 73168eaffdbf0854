# SPDX-License-Identifier: Apache-2.0
"""Nodes on a network in memory, and a job with a worker's delivery."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inferix.keystore import Keys, new_keys
from node.engines import EngineSettings
from tests.node.delivery import Delivery
from tests.node.network import Job, Network
from tests.node.noise_engine import NoiseEngine
from tests.node.running import Node, Start


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


@pytest.fixture
def job(network: Network) -> Job:
    return Job(network)


@pytest.fixture
def delivery(network: Network, job: Job, tmp_path: Path) -> Delivery:
    return Delivery(network, job, tmp_path)
