# SPDX-License-Identifier: Apache-2.0
"""Who has too little at stake by a new price is put out of the draws: each is asked for once a price."""

import pytest

from inferix.models.roles import NodeStatus
from keepers.market import StakeKeeper, decide_weigh
from tests.keepers.bare import Outbox, bare_desk
from tests.replay.chain import VERIFIERS, WORKERS, Chain


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


def test_who_is_short_is_put_out_once_a_price(chain: Chain) -> None:
    asked, outbox = list[int](), Outbox()

    def is_bonded(node: int) -> bool:
        asked.append(node)
        return node != WORKERS[1]

    keeper = StakeKeeper(bare_desk(chain.network, outbox), is_bonded)
    keeper.cycle()
    assert asked == decide_weigh(chain.network)
    assert list(outbox.calls.values()) == [("Staking", "refresh", WORKERS[1])]
    keeper.cycle()
    assert len(asked) == len(decide_weigh(chain.network)), "the same price says the same"
    chain.emit("PriceRolled", epoch=7, price=1)
    keeper.cycle()
    assert len(outbox.sent) == 2, "another price asks anew"
