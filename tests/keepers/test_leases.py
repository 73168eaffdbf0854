# SPDX-License-Identifier: Apache-2.0
"""A keeper has the leases of its own lane paid, each once."""

from collections.abc import Callable

from inferix.chain.abi import Interface
from inferix.messages import Order
from inferix.models.job import LEASE_INDEX, task_id
from keepers.epoch import decide_leases
from tests.replay.chain import DOMAIN, MANAGER, Chain
from tests.replay.test_leases import handed_over, pay


def test_final_leases_of_the_own_lane_are_paid_once(interface: Callable[[str], Interface]) -> None:
    chain = Chain()
    chain.start()
    state = handed_over(chain)
    assert decide_leases(chain.network, MANAGER) == [], "not final"
    chain.settle()
    ((key, item, record),) = decide_leases(chain.network, MANAGER)
    assert key == f"lease:{state.task.id.hex()}"
    assert interface("Leases").encode("pay", (item, record))
    order, _ = Order.from_record(record)
    assert task_id(order.digest(DOMAIN), LEASE_INDEX) == item["leaf"]["task"] == state.task.id
    assert decide_leases(chain.network, MANAGER + 1) == [], "another lane's"
    pay(chain, state)
    assert decide_leases(chain.network, MANAGER) == []
