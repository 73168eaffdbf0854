# SPDX-License-Identifier: Apache-2.0
"""A keeper has the leases of its own lane paid, each once."""

from collections.abc import Callable

import pytest

from inferix.chain.abi import Interface
from inferix.chain.errors import CallReverted, LaneBusy
from inferix.messages import Order
from inferix.models.job import LEASE_INDEX, task_id
from inferix.replay import answers
from keepers.epoch import LEASES_AT_ONCE, LEASES_LOOKED_AT, EpochKeeper, decide_leases
from tests.keepers.bare import Outbox, bare_desk, trees_built
from tests.replay.chain import DOMAIN, MANAGER, Chain
from tests.replay.test_leases import handed_over, lease, pay, receipt


def test_final_leases_of_the_own_lane_are_paid_once(interface: Callable[[str], Interface]) -> None:
    chain = Chain()
    chain.start()
    state = handed_over(chain)
    assert decide_leases(chain.network, MANAGER) == [], "not final"
    chain.settle()
    ((key, function, arguments),) = decide_leases(chain.network, MANAGER)
    item, record = arguments()
    assert (key, function) == (f"lease:{state.task.id.hex()}", "pay")
    assert interface("Leases").encode("pay", (item, record))
    order, _ = Order.from_record(record)  # type: ignore[arg-type]
    assert task_id(order.digest(DOMAIN), LEASE_INDEX) == item["leaf"]["task"] == state.task.id  # type: ignore[index]
    assert decide_leases(chain.network, MANAGER + 1) == [], "another lane's"
    pay(chain, state)
    assert decide_leases(chain.network, MANAGER) == []


def many(chain: Chain, count: int) -> None:
    """So many final leases of a cent."""
    chain.start()
    states = [chain.state(lease(chain, cap=10**7), 0) for _ in range(count)]
    chain.anchor(*[receipt(state) for state in states])
    chain.settle()


def test_attack_a_thousand_leases_of_a_cent_hold_no_keeper_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each had the whole tree of its batch built, in every cycle and under the lock of the state: three minutes."""
    chain = Chain()
    many(chain, 200)
    outbox, built = Outbox(), trees_built(monkeypatch)
    keeper = EpochKeeper(bare_desk(chain.network, outbox))
    assert len(decide_leases(chain.network, MANAGER)) == 200 and built == [], "nothing is worked out under the lock"
    for cycle in range(50):
        keeper.cycle()
        assert len(outbox.sent) == (cycle + 1) * LEASES_AT_ONCE
        outbox.in_lane = 0
    assert built == [200] and len(set(outbox.sent)) == 200
    answers._trees.clear()
    keeper.cycle()
    assert built == [200], "all are on their way"


def test_leases_leave_room_in_the_lane_for_what_has_its_hour() -> None:
    chain = Chain()
    many(chain, 2 * LEASES_AT_ONCE)
    outbox = Outbox()
    outbox.in_lane = 1
    keeper = EpochKeeper(bare_desk(chain.network, outbox))
    for _ in range(3):
        keeper.cycle()
        assert len(outbox.sent) == LEASES_AT_ONCE - 1
    outbox.in_lane = 0
    keeper.cycle()
    assert len(set(outbox.sent)) == 2 * LEASES_AT_ONCE - 1
    outbox.in_lane = 0
    EpochKeeper(keeper.desk).cycle()
    assert len(set(outbox.sent)) == 2 * LEASES_AT_ONCE, "what is on its way takes no place of another's"


def test_regression_a_full_lane_at_a_lease_leaves_the_close_of_the_epoch_sent() -> None:
    chain = Chain()
    many(chain, 2)
    tried: list[str] = []

    def refuse(key: str) -> None:
        tried.append(key.split(":")[0])
        if key.startswith("lease:"):
            raise LaneBusy("8 transactions wait to be mined")

    outbox = Outbox(refuse)
    chain.wait(chain.network.epoch_end(0) - chain.time)
    chain.network.tick(chain.time)
    with pytest.raises(LaneBusy):
        EpochKeeper(bare_desk(chain.network, outbox)).cycle()
    assert (tried, outbox.sent) == (["close", "lease", "lease"], ["close:0"])


def test_leases_that_are_refused_keep_no_other_from_being_paid() -> None:
    chain = Chain()
    many(chain, LEASES_LOOKED_AT + LEASES_AT_ONCE)
    keys = sorted(key for key, _, _ in decide_leases(chain.network, MANAGER))
    refused, others = keys[:LEASES_LOOKED_AT], keys[LEASES_LOOKED_AT:]

    def refuse(key: str) -> None:
        if key in refused:
            raise CallReverted("Leases: over the account's credit")

    outbox = Outbox(refuse)
    keeper = EpochKeeper(bare_desk(chain.network, outbox))
    for _ in range(len(keys) // LEASES_AT_ONCE):
        keeper.cycle()
    assert outbox.sent == others
