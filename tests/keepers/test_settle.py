# SPDX-License-Identifier: Apache-2.0
"""The settle keeper around what it decides: when it asks the chain for the bond's worth, and what it sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from inferix.chain.deployment import Contracts
from inferix.replay import Network
from inferix.storage.embedded import EmbeddedStore
from keepers.desk import Desk
from keepers.settle import Settle
from tests.replay.chain import DOMAIN, GENESIS, MANAGER, Chain


class Sending:
    """A desk that writes down what it is to send, and a chain on which the bond costs one IFX."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, self.sent, self.asked = network, list[str](), 0
        self.manager, self.store = MANAGER, EmbeddedStore(folder)
        self.follower = SimpleNamespace(reading=self._reading)
        self.sender = SimpleNamespace(done=lambda key: False)

    @contextmanager
    def _reading(self) -> Iterator[Network]:
        yield self.network

    def read(self, *call: object) -> int:
        """What `Staking.required` says."""
        self.asked += 1
        return 10**18

    def try_send(self, purse: str, key: str, contract: str, function: str, *arguments: Any) -> bool:
        """Taken down."""
        self.sent.append(function)
        return True

    def settle(self) -> None:
        """One turn."""
        Settle(cast(Desk, self), cast(Contracts, self), 600).cycle()


def test_regression_it_waits_for_a_mirror_that_does_not_know_its_manager_yet(tmp_path: Path) -> None:
    desk = Sending(Network(DOMAIN, GENESIS, {}), tmp_path)
    desk.settle()
    assert (desk.sent, desk.asked) == ([], 0)


@pytest.mark.parametrize("ended", [True, False])
def test_what_has_ended_is_proposed_and_the_chain_is_asked_only_then(ended: bool, tmp_path: Path) -> None:
    chain = Chain()
    chain.start()
    for state in chain.network.jobs[chain.order()].tasks:
        if ended:
            chain.run(state)
    desk = Sending(chain.network, tmp_path)
    desk.settle()
    assert (desk.sent, desk.asked) == ((["propose"], 1) if ended else ([], 0))
