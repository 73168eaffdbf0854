# SPDX-License-Identifier: Apache-2.0
"""Who took part: hours answered of those that had a seed, by epoch and licence."""

import pytest

from inferix.replay.participation import participations
from tests.replay.chain import GENESIS, WORKERS, Chain, address

EPOCH, HOUR = 259_200, 3_600
FIRST, SECOND = WORKERS[0], WORKERS[1]


def sell(chain: Chain, first: int, count: int = 1) -> None:
    sale = {"buyer": address(1), "coin": address(2), "code": bytes(32), "tier": 1, "units": 1}
    chain.emit("Sold", first=first, count=count, **sale)


def live_through(chain: Chain, epoch: int, answers: dict[int, int], hours: int = 10) -> None:
    """``hours`` of an epoch have a seed; nodes answer the first so many; then it is closed."""
    for hour in range(hours):
        chain.time = GENESIS + epoch * EPOCH + (1 + 2 * hour) * HOUR
        chain.anchor()
        chain.anchor(*(chain.answer(node) for node, count in answers.items() if hour < count))
    chain.time = GENESIS + (epoch + 1) * EPOCH + 1
    chain.emit("EpochClosed", epoch=epoch, work=0, charge=0, burned=0, minted=0, pooled=0)


def test_an_epoch_counts_with_nine_of_ten_hours(chain: Chain) -> None:
    sell(chain, FIRST, 2)
    live_through(chain, 0, {})  # has begun before the sale
    live_through(chain, 1, {FIRST: 9, SECOND: 8})
    live_through(chain, 2, {FIRST: 10})
    assert [epoch.record.asked for epoch in chain.network.epochs] == [10, 10, 10]
    assert participations(chain.network) == [(FIRST, 10_000), (SECOND, 0)]
    live_through(chain, 3, {SECOND: 10})
    assert participations(chain.network) == [(FIRST, 6_666), (SECOND, 3_333)]


def test_two_nodes_of_a_licence_add_up_and_a_licence_without_one_has_nothing(chain: Chain) -> None:
    sell(chain, FIRST)
    sell(chain, 900)
    chain.network.nodes[SECOND].licence = FIRST
    live_through(chain, 0, {})
    live_through(chain, 1, {FIRST: 5})
    assert participations(chain.network) == [(FIRST, 0), (900, 0)]
    for hour in range(5):  # the machine was replaced in the middle of the epoch
        chain.time = GENESIS + 2 * EPOCH + (1 + 2 * hour) * HOUR
        chain.anchor()
        chain.anchor(chain.answer(FIRST))
        chain.time += HOUR
        chain.anchor()
        chain.anchor(chain.answer(SECOND))
    chain.emit("EpochClosed", epoch=2, work=0, charge=0, burned=0, minted=0, pooled=0)
    assert participations(chain.network) == [(FIRST, 5_000), (900, 0)]


@pytest.mark.parametrize("hours", [0, 10])
def test_an_epoch_without_a_seed_is_nobodys_absence(chain: Chain, hours: int) -> None:
    sell(chain, FIRST)
    live_through(chain, 0, {})
    live_through(chain, 1, {FIRST: 10})
    live_through(chain, 2, {}, hours=hours)
    assert participations(chain.network) == [(FIRST, 5_000 if hours else 10_000)]


def test_who_bought_after_the_last_epoch_began_has_no_share_yet(chain: Chain) -> None:
    live_through(chain, 0, {FIRST: 10})
    sell(chain, FIRST)
    assert participations(chain.network) == [(FIRST, 0)]
