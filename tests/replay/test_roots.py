# SPDX-License-Identifier: Apache-2.0
"""Which leaves of rosters and accounts are false; what cannot be known here makes nobody a liar."""

from typing import Any

import pytest

from inferix.errors import Corrupt, NotFound
from inferix.models.anchor import AccountsData
from inferix.models.event import NamedBy
from inferix.models.roles import RootKind, RosterKind
from inferix.replay.accounting import accounts_data, roster_leaves
from inferix.replay.roots import WrongLeaf, leaf_at, wrong_leaves
from inferix.replay.rosters import RECENT
from inferix.replay.state import RootName
from tests.replay.chain import COIN, MANAGER, Chain, address
from tests.replay.objecting import newest_roots


@pytest.fixture
def closed(chain: Chain) -> Chain:
    """An epoch with a settled job, over."""
    return chain.close_first_epoch()


@pytest.fixture
def right(closed: Chain) -> AccountsData:
    return accounts_data(closed.network, 0)


def greedy(data: AccountsData, friend: int) -> AccountsData:
    """All that was earned, for one node."""
    total = sum(row.matured + row.vesting for row in data.nodes)
    rows = [row.model_copy(update={"matured": 0, "vesting": 0, "start": 0}) for row in data.nodes if row.node != friend]
    mine = data.nodes[0].model_copy(update={"node": friend, "matured": total, "vesting": 0, "start": 0})
    return data.model_copy(update={"nodes": sorted([*rows, mine], key=lambda row: row.node)})


def test_right_accounts_have_no_false_leaf(closed: Chain, right: AccountsData) -> None:
    closed.post_accounts(right)
    accounts, nodes = newest_roots(closed)
    assert wrong_leaves(closed.network, accounts) == wrong_leaves(closed.network, nodes) == []
    assert leaf_at(closed.network, accounts, 1) == (right.accounts[0], False)
    assert leaf_at(closed.network, nodes, right.nodes[-1].node) == (right.nodes[-1], False)
    assert leaf_at(closed.network, nodes, 99) == (None, False)


def test_accounts_that_give_a_friend_everything_are_false_leaf_by_leaf(closed: Chain, right: AccountsData) -> None:
    closed.post_accounts(greedy(right, MANAGER))
    accounts, nodes = newest_roots(closed)
    assert wrong_leaves(closed.network, accounts) == []
    found = {row.place: row.right for row in wrong_leaves(closed.network, nodes)}
    expected = {row.node: row for row in right.nodes}
    assert found[MANAGER] == expected[MANAGER]
    assert all(found[place] == expected.get(place) for place in found)
    assert leaf_at(closed.network, nodes, MANAGER) == (expected[MANAGER], True)


def test_a_leaf_of_nobody_is_named_without_a_tree_of_billions_of_places(closed: Chain, right: AccountsData) -> None:
    far = right.nodes[-1].model_copy(update={"node": 2**32 - 1})
    digest = closed.store(right.model_copy(update={"nodes": [*right.nodes, far]}))
    closed.post_accounts(right, data=digest)
    assert wrong_leaves(closed.network, newest_roots(closed)[1]) == [WrongLeaf(RootKind.NODES, 2**32 - 1, None)]


def test_a_leaf_that_is_missing_is_named_too(closed: Chain, right: AccountsData) -> None:
    closed.post_accounts(right.model_copy(update={"accounts": []}))
    name = newest_roots(closed)[0]
    assert wrong_leaves(closed.network, name) == [WrongLeaf(RootKind.ACCOUNTS, 1, right.accounts[0])]


def test_what_a_root_rests_on_and_cannot_be_had_makes_nobody_a_liar(closed: Chain, right: AccountsData) -> None:
    closed.post_accounts(greedy(right, MANAGER))
    name = newest_roots(closed)[1]
    root = closed.network.accounts_roots[-1]
    body = closed.documents.pop(root.data)
    with pytest.raises(NotFound, match="not served"):
        wrong_leaves(closed.network, name)
    closed.documents[root.data] = body
    batch = next(iter(closed.network.batches.values()))
    batch.leaves, batch.problem = [], "its data is not served"
    with pytest.raises(NotFound, match="batch 1/1"):
        wrong_leaves(closed.network, name)


def test_an_anchor_that_only_this_replay_lacks_makes_nobody_a_liar(closed: Chain, right: AccountsData) -> None:
    closed.post_accounts(greedy(right, MANAGER))
    closed.network.lane(MANAGER).anchors[1].problem = "its data is not served"
    with pytest.raises(NotFound, match="anchor 1/1"):
        wrong_leaves(closed.network, newest_roots(closed)[1])


def test_a_root_of_other_leaves_than_it_shows_or_of_another_epoch_cannot_be_compared(
    closed: Chain, right: AccountsData
) -> None:
    closed.post_accounts(right, accounts_root=b"\x01" * 32)
    with pytest.raises(NotFound, match="not that of its leaves"):
        wrong_leaves(closed.network, newest_roots(closed)[0])
    closed.post_accounts(right, data=closed.store(right.model_copy(update={"epoch": 1})))
    with pytest.raises(Corrupt, match="of epoch 1"):
        wrong_leaves(closed.network, newest_roots(closed)[0])
    with pytest.raises(NotFound, match="or they fell"):
        wrong_leaves(closed.network, RootName(RootKind.NODES, 0, 9, b"\x02" * 32))


def test_an_account_whose_order_has_no_spec_here_is_left_out(closed: Chain, right: AccountsData) -> None:
    rows = [right.accounts[0].model_copy(update={"spent": 1})]
    closed.post_accounts(right.model_copy(update={"accounts": rows}))
    name, job = newest_roots(closed)[0], next(iter(closed.network.jobs.values()))
    assert [row.place for row in wrong_leaves(closed.network, name)] == [1]
    closed.network.missing[job.order.spec] = NamedBy(job.order.account, is_backed=False)
    assert wrong_leaves(closed.network, name) == []
    with pytest.raises(NotFound, match="the spec of an order"):
        leaf_at(closed.network, name, 1)


def test_an_account_opened_after_the_cut_off_may_be_in_it_or_not(closed: Chain, right: AccountsData) -> None:
    closed.emit("ToppedUp", account=2, owner=address(9), coin=COIN, amount=10**6, credit=10**9)
    for data in (right, accounts_data(closed.network, 0)):
        closed.post_accounts(data)
        assert wrong_leaves(closed.network, newest_roots(closed)[0]) == []


# -- rosters


def post(chain: Chain, kind: RosterKind, index: int, leaves: Any) -> RootName:
    chain.post_roster(kind, index, leaves)
    return RootName(RootKind.ROSTER, int(kind), index, chain.network.posted_rosters[kind, index].root)


def test_a_roster_is_right_if_the_registry_gave_it_within_the_hour(chain: Chain) -> None:
    old = roster_leaves(chain.network, RosterKind.WORKERS)
    chain.wait(10)
    chain.emit("BenchmarkAttested", node=2, manager=MANAGER, ib=7_000, device_class=b"cpu".ljust(32, b"\0"))
    new = roster_leaves(chain.network, RosterKind.WORKERS)
    assert wrong_leaves(chain.network, post(chain, RosterKind.WORKERS, 2, new)) == []
    chain.wait(RECENT)
    assert wrong_leaves(chain.network, post(chain, RosterKind.WORKERS, 3, old)) == []
    chain.wait(1)
    name = post(chain, RosterKind.WORKERS, 4, old)
    assert wrong_leaves(chain.network, name) == [WrongLeaf(RootKind.ROSTER, 2, new[0])]
    assert leaf_at(chain.network, name, 3) == (new[1], False)


def test_a_friend_in_a_roster_and_one_left_out_are_named(chain: Chain) -> None:
    chain.wait(RECENT)  # until now some were not registered
    leaves = roster_leaves(chain.network, RosterKind.VERIFIERS)
    heavy = [leaves[0].model_copy(update={"weight": 10**9}), leaves[1]]
    name = post(chain, RosterKind.VERIFIERS, 2, heavy)
    assert wrong_leaves(chain.network, name) == [
        WrongLeaf(RootKind.ROSTER, leaves[0].node, leaves[0]),
        WrongLeaf(RootKind.ROSTER, leaves[2].node, leaves[2]),
    ]


def test_what_a_worker_was_lately_makes_it_no_verifier(chain: Chain) -> None:
    worker = roster_leaves(chain.network, RosterKind.WORKERS)[0]
    chain.emit("PriceChanged", node=worker.node, price=20_000_000)
    leaves = [worker, *roster_leaves(chain.network, RosterKind.VERIFIERS)]
    name = post(chain, RosterKind.VERIFIERS, 2, leaves)
    assert wrong_leaves(chain.network, name) == [WrongLeaf(RootKind.ROSTER, worker.node, None)]


def test_a_roster_that_is_not_served_or_not_known_cannot_be_compared(chain: Chain) -> None:
    chain.post_roster(RosterKind.WORKERS, 2, roster_leaves(chain.network, RosterKind.WORKERS), data=b"\x01" * 32)
    root = chain.network.posted_rosters[RosterKind.WORKERS, 2].root
    with pytest.raises(NotFound, match="not to be had"):
        wrong_leaves(chain.network, RootName(RootKind.ROSTER, 1, 2, root))
    for of in (1, 3):
        with pytest.raises(NotFound, match="fell"):
            wrong_leaves(chain.network, RootName(RootKind.ROSTER, of, 2, b"\x02" * 32))
