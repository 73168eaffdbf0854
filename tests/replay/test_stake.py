# SPDX-License-Identifier: Apache-2.0
"""The reducer keeps stake as the contracts do: a slash takes from all four parts, a share changes when it may."""

import pytest

from inferix.models.roles import Role
from inferix.replay.stake import slash
from inferix.replay.state import Node, Terms
from tests.replay.chain import WORKERS, Chain, address


def node(own: int, unbonding: int, delegated: int, leaving: int, frozen: int = 0) -> Node:
    stake = {"bonded": own + delegated, "unbonding": unbonding, "delegated": delegated, "delegated_unbonding": leaving}
    return Node(1, address(1), address(2), Role.WORKER, 1, bytes(32), 0, 0, frozen=frozen, **stake)


@pytest.mark.parametrize(
    ("before", "taken", "after"),
    [
        ((100, 0, 0, 0), 41, (59, 0, 0, 0)),
        ((75, 25, 0, 0), 41, (44, 15, 0, 0)),
        ((100, 100, 100, 100), 100, (75, 75, 75, 75)),
        ((100, 100, 100, 100), 3, (97, 100, 100, 100)),
        ((1, 100, 100, 100), 3, (0, 98, 100, 100)),
        ((0, 0, 100, 100), 1, (0, 0, 99, 100)),
        ((0, 0, 0, 7), 3, (0, 0, 0, 4)),
        ((3, 5, 7, 11), 26, (0, 0, 0, 0)),
    ],
)
def test_a_slash_takes_in_proportion_and_its_roundings_from_the_owner_first(
    before: tuple[int, int, int, int], taken: int, after: tuple[int, int, int, int]
) -> None:
    found = node(*before, frozen=sum(before))
    slash(found, taken)
    own = found.bonded - found.delegated
    assert (own, found.unbonding, found.delegated, found.delegated_unbonding) == after
    assert found.frozen == found.staked == sum(before) - taken


def test_a_further_notice_replaces_one_that_is_not_in_force_and_follows_one_that_is() -> None:
    chain, id = Chain(), WORKERS[0]
    chain.start()
    for share, since, expected in (
        (6_000, 2, Terms(5_000, 6_000, 2)),
        (7_000, 3, Terms(5_000, 7_000, 3)),  # noticed in epoch 1
        (8_000, 5, Terms(7_000, 8_000, 5)),  # in epoch 3
    ):
        chain.emit("ShareNoticed", node=id, share=share, since=since)
        assert chain.network.nodes[id].terms == expected
