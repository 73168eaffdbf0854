# SPDX-License-Identifier: Apache-2.0
"""Before the loop: the right network, the right node, the right role; and patience until they are there."""

import threading
from pathlib import Path

import httpx
import pytest

from inferix.errors import Misconfigured, Unavailable
from inferix.keystore import Keys, new_keys
from node.api import Api
from node.config import Home, NodeConfig
from node.start import meet
from tests.node.network import DOMAIN, Network

URL = "http://network.test"


class Stop(threading.Event):
    """Waits for nothing; after some waits something happens, or it is set."""

    def __init__(self, waits: int, then: object = None) -> None:
        super().__init__()
        self.waits, self.then = waits, then

    def wait(self, timeout: float | None = None) -> bool:
        self.waits -= 1
        if self.waits == 0 and callable(self.then):
            self.then()
        elif self.waits <= 0:
            self.set()
        return self.is_set()


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return Network(tmp_path / "network")


@pytest.fixture
def keys() -> Keys:
    return new_keys()


def _meet(network: Network, folder: Path, keys: Keys, stop: Stop, **config: object) -> NodeConfig:
    home = Home(folder / "home")
    settings = NodeConfig(api=URL, **config)  # type: ignore[arg-type]
    api = Api(URL, transport=network.transport(), stop=stop)
    info = meet(home, settings, keys.address, api, stop)[1]
    assert home.load().node == info.id
    return home.load()


def test_meet__registered__pins_network_and_node(network: Network, keys: Keys, tmp_path: Path) -> None:
    network.register(5, new_keys().address)
    network.register(7, keys.address)
    config = _meet(network, tmp_path, keys, Stop(1))
    assert (config.node, config.chain_id, config.registry) == (7, DOMAIN.chain_id, DOMAIN.contract)


def test_meet__registered_later__waits_for_it(network: Network, keys: Keys, tmp_path: Path) -> None:
    assert _meet(network, tmp_path, keys, Stop(3, lambda: network.register(7, keys.address))).node == 7


def test_meet__network_comes_later__waits_for_it(network: Network, keys: Keys, tmp_path: Path) -> None:
    network.register(7, keys.address)
    network.down = httpx.Response(502)

    def up() -> None:
        network.down = None

    assert _meet(network, tmp_path, keys, Stop(4, up)).node == 7


def test_meet__stopped_while_waiting__ends(network: Network, keys: Keys, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="stopped"):
        _meet(network, tmp_path, keys, Stop(2))


def test_meet__node_of_another_operator__refused(network: Network, keys: Keys, tmp_path: Path) -> None:
    network.register(7, new_keys().address)
    with pytest.raises(Misconfigured, match="correct --node"):
        _meet(network, tmp_path, keys, Stop(1), node=7)


def test_meet__other_role__refused(network: Network, keys: Keys, tmp_path: Path) -> None:
    network.register(7, keys.address, "verifier")
    with pytest.raises(Misconfigured, match="--role verifier"):
        _meet(network, tmp_path, keys, Stop(1))


def test_meet__other_network_than_pinned__refused(network: Network, keys: Keys, tmp_path: Path) -> None:
    network.register(7, keys.address)
    with pytest.raises(Misconfigured, match="another --home"):
        _meet(network, tmp_path, keys, Stop(1), chain_id=1, registry=DOMAIN.contract)
