# SPDX-License-Identifier: Apache-2.0
"""Who has too little at stake by a new price is put out of the draws: each is asked for once a price."""

from dataclasses import dataclass, field

import pytest

from inferix.models.roles import NodeStatus
from inferix.storage.database import Database
from inferix.storage.follower import Follower
from keepers.market import StakeKeeper, decide_weigh
from tests.replay.chain import DOMAIN, VERIFIERS, WORKERS, Chain


@dataclass
class Desk:
    """What a StakeKeeper uses of one."""

    follower: Follower
    sent: list[tuple[object, ...]] = field(default_factory=list)

    def try_send(self, *call: object) -> bool:
        self.sent.append(call)
        return True


@pytest.fixture
def desk(database: Database, chain: Chain) -> Desk:
    follower = Follower(database, DOMAIN, 0)
    follower._network = chain.network
    return Desk(follower)


@pytest.fixture
def chain() -> Chain:
    made = Chain()
    made.start()
    return made


def test_only_who_could_be_drawn_and_has_nothing_frozen_is_weighed(chain: Chain) -> None:
    everybody = decide_weigh(chain.network)
    assert set(WORKERS) | set(VERIFIERS) <= set(everybody)
    one, two, three = WORKERS
    chain.network.nodes[one].frozen = 1
    chain.network.nodes[two].qualified = False
    chain.network.nodes[three].status = NodeStatus.JAILED
    assert set(everybody) - set(decide_weigh(chain.network)) == set(WORKERS)


def test_who_is_short_is_put_out_once_a_price(chain: Chain, desk: Desk) -> None:
    asked: list[int] = []

    def is_bonded(node: int) -> bool:
        asked.append(node)
        return node != WORKERS[1]

    keeper = StakeKeeper(desk, is_bonded)  # type: ignore[arg-type]
    keeper.cycle()
    assert asked == decide_weigh(chain.network)
    assert [call[2:] for call in desk.sent] == [("Staking", "refresh", WORKERS[1])]
    keeper.cycle()
    assert len(asked) == len(decide_weigh(chain.network)), "the same price says the same"
    chain.emit("PriceRolled", epoch=7, price=1)
    keeper.cycle()
    keys = [call[1] for call in desk.sent]
    assert len(keys) == 2 and len(set(keys)) == 2
