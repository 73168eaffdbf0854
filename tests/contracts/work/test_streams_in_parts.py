# SPDX-License-Identifier: Apache-2.0
"""Rewards in several grants, of one node or of several, beside the same in one: nobody is paid more, or earlier."""

from itertools import pairwise

import boa
import pytest

from tests.contracts.system import DAY, now, set_time
from tests.contracts.work.books import Ledger
from tests.contracts.work.network import Network

MATURED, VESTING = 10**18 + 7, 3 * 10**18 + 11


def cut(whole: int, parts: int) -> list[int]:
    edges = [whole * at // parts for at in range(parts + 1)]
    return [last - first for first, last in pairwise(edges)]


def paid(ledger: Ledger, grants: list[list[tuple[int, int, int]]], times: list[int]) -> list[int]:
    """What nodes with these grants (matured, vesting, start) have been paid together, claimed at each time [wei]."""
    network, found = ledger.network, []
    with boa.env.anchor():
        nodes = [ledger.node() for _ in grants]
        leaves = {
            node.id: (sum(m for m, _, _ in of), sum(v for _, v, _ in of), sum(v * at for _, v, at in of))
            for node, of in zip(nodes, grants, strict=True)
        }
        books, begin = ledger.publish(ledger.books(leaves)), now()
        for after in times:
            set_time(begin + after)
            for node in nodes:
                network.accounts.claim(*books.claim(node.id))
            found.append(sum(int(network.ifx.balanceOf(node.owner.address)) for node in nodes))
    return found


@pytest.fixture
def ledger(network: Network) -> Ledger:
    ledger = Ledger(network, charge=100 * 10**9)
    ledger.close_epoch()
    return ledger


TIMES = [1, DAY + 1, 5 * DAY, 20 * DAY]


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_a_reward_spread_over_nodes_pays_no_more_at_any_time(ledger: Ledger, parts: int) -> None:
    """A wei a node less at most: each is rounded down."""
    start = now() - 40 * DAY
    each = zip(cut(MATURED, parts), cut(VESTING, parts), strict=True)
    one = paid(ledger, [[(MATURED, VESTING, start)]], TIMES)
    many = paid(ledger, [[(matured, vesting, start)] for matured, vesting in each], TIMES)
    assert all(0 <= whole - split < parts for whole, split in zip(one, many, strict=True)), (one, many)
    assert one[0] < one[1] < one[2] < one[3] < MATURED + VESTING


def test_grants_of_a_node_stream_as_each_would_alone(ledger: Ledger) -> None:
    """The leaf has their sum and the mean of their starts."""
    ages = [170 * DAY, 90 * DAY, 0]
    grants = [
        (at, vesting, now() - age) for at, vesting, age in zip(cut(MATURED, 3), cut(VESTING, 3), ages, strict=True)
    ]
    # Nothing of a grant that is vested as a whole is left in the vesting part of a root: none of these is, until the last time.
    times = TIMES[:2]
    together, apart = paid(ledger, [grants], times), paid(ledger, [[grant] for grant in grants], times)
    assert all(0 <= whole - split < len(grants) for whole, split in zip(together, apart, strict=True))


def test_a_stream_claimed_often_pays_what_it_pays_at_once(ledger: Ledger) -> None:
    grant = (MATURED, VESTING, now() - 40 * DAY)
    often = paid(ledger, [[grant]], [DAY * at for at in range(1, 13)])
    once = [paid(ledger, [[grant]], [DAY * at])[0] for at in (3, 12)]
    assert once == [often[2], often[11]]
