# SPDX-License-Identifier: Apache-2.0
"""Who took part: hours answered of those that had a seed, by epoch and licence."""

import pytest

from inferix.replay.participation import participations
from tests.replay.chain import GENESIS, WORKERS, Chain, address

EPOCH, HOUR = 259_200, 3_600
FIRST, SECOND, THIRD = WORKERS


def sell(chain: Chain, first: int, count: int = 1) -> None:
    sale = {"buyer": address(1), "coin": address(2), "code": bytes(32), "tier": 1, "units": 1}
    chain.emit("Sold", first=first, count=count, **sale)


def live_through(chain: Chain, epoch: int, answers: dict[int, int], hours: int = 40) -> None:
    """``hours`` of an epoch have a seed; nodes answer the first so many; then it is closed."""
    for hour in range(hours):
        chain.time = GENESIS + epoch * EPOCH + hour * HOUR + 5
        chain.anchor()
        chain.anchor(*(chain.answer(node) for node, count in answers.items() if hour < count))
    chain.time = GENESIS + (epoch + 1) * EPOCH + 1
    chain.emit("EpochClosed", epoch=epoch, work=0, charge=0, burned=0, minted=0, pooled=0)


def test_an_epoch_counts_with_nine_of_ten_hours(chain: Chain) -> None:
    sell(chain, FIRST, 2)
    live_through(chain, 0, {})  # has begun before the sale
    live_through(chain, 1, {FIRST: 36, SECOND: 35})
    live_through(chain, 2, {FIRST: 40})
    assert [len(epoch.record.presence.asked) for epoch in chain.network.epochs] == [40, 40, 40]
    assert participations(chain.network) == [(FIRST, 10_000), (SECOND, 0)]
    live_through(chain, 3, {SECOND: 40})
    assert participations(chain.network) == [(FIRST, 6_666), (SECOND, 3_333)]


def test_attack_many_machines_of_a_licence_make_no_more_of_an_hour(chain: Chain) -> None:
    """Registered and retired for gas alone, they would all sign in the one hour that somebody is there."""
    sell(chain, FIRST)
    sell(chain, 900)
    for node in (SECOND, THIRD):
        chain.network.nodes[node].licence = FIRST
    live_through(chain, 0, {})
    live_through(chain, 1, {FIRST: 20, SECOND: 20, THIRD: 20})
    assert participations(chain.network) == [(FIRST, 0), (900, 0)]


def test_a_machine_that_was_replaced_in_the_middle_of_an_epoch_adds_up(chain: Chain) -> None:
    sell(chain, FIRST)
    chain.network.nodes[SECOND].licence = FIRST
    live_through(chain, 0, {})
    for hour in range(40):
        chain.time = GENESIS + EPOCH + hour * HOUR + 5
        chain.anchor()
        chain.anchor(chain.answer(FIRST if hour < 20 else SECOND))
    chain.emit("EpochClosed", epoch=1, work=0, charge=0, burned=0, minted=0, pooled=0)
    assert participations(chain.network) == [(FIRST, 10_000)]


@pytest.mark.parametrize("hours", [0, 35, 36])
def test_an_epoch_with_few_seeds_is_nobodys_absence(chain: Chain, hours: int) -> None:
    sell(chain, FIRST)
    live_through(chain, 0, {})
    live_through(chain, 1, {FIRST: 40})
    live_through(chain, 2, {}, hours=hours)
    assert participations(chain.network) == [(FIRST, 5_000 if hours == 36 else 10_000)]


def test_who_bought_after_the_last_epoch_began_has_missed_nothing(chain: Chain) -> None:
    live_through(chain, 0, {FIRST: 40})
    sell(chain, FIRST)
    assert participations(chain.network) == [(FIRST, 10_000)]
