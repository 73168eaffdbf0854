# SPDX-License-Identifier: Apache-2.0
"""Accounts, nodes and epochs are recomputed leaf by leaf; data that is not served is named."""

from typing import Any

import pytest

from inferix.audit import Lookup
from inferix.errors import NotFound, Unavailable
from inferix.models.anchor import ROWS_A_CHUNK, AccountsData, RosterData
from inferix.models.document import Document
from inferix.models.roles import RosterKind
from inferix.replay.accounting import accounts_data, roster_leaves
from inferix.replay.rosters import RECENT
from tests.audit.conftest import MINTED, audit, problem
from tests.replay.chain import COIN, Chain, address


def change_row(rows: list[Any], index: int, **changes: int) -> list[Any]:
    return [*rows[:index], rows[index].model_copy(update=changes), *rows[index + 1 :]]


def test_an_account_leaf_with_more_spent(closed: Chain, accounts: AccountsData) -> None:
    spent = accounts.accounts[0].spent
    rows = change_row(accounts.accounts, 0, spent=spent + 1)
    closed.post_accounts(accounts.model_copy(update={"accounts": rows}))
    assert problem(closed) == "accounts: epoch 0: account 1 has another leaf than its sum"


def test_a_node_leaf_with_more_matured(closed: Chain, accounts: AccountsData) -> None:
    node = accounts.nodes[2]
    rows = change_row(accounts.nodes, 2, matured=node.matured + 1)
    closed.post_accounts(accounts.model_copy(update={"nodes": rows}))
    assert problem(closed) == f"accounts: epoch 0: node {node.node} has another leaf than its sum"


def test_a_leaf_too_few_and_one_too_many(closed: Chain, accounts: AccountsData) -> None:
    stranger = accounts.nodes[-1].model_copy(update={"node": 99})
    rows = {"accounts": [], "nodes": [*accounts.nodes, stranger]}
    closed.post_accounts(accounts.model_copy(update=rows))
    assert audit(closed).problems == [
        "accounts: epoch 0: account 1 has another leaf than its sum",
        "accounts: epoch 0: node 99 has another leaf than its sum",
    ]


@pytest.mark.parametrize("name", ["accounts_root", "nodes_root", "spent", "reserved", "matured", "vesting"])
def test_roots_and_sums_of_accounts_that_are_not_those_of_the_leaves(
    closed: Chain, accounts: AccountsData, name: str
) -> None:
    closed.post_accounts(accounts, **{name: b"\x01" * 32 if name.endswith("root") else 1})
    assert problem(closed) == "accounts: epoch 0: its roots are not those of its leaves"


def test_an_account_that_was_opened_after_the_cut_off_may_be_in_the_accounts_or_not(
    closed: Chain, accounts: AccountsData
) -> None:
    closed.emit("ToppedUp", account=2, owner=address(9), coin=COIN, amount=10**6, credit=10**9)
    closed.post_accounts(accounts)
    assert audit(closed).problems == []
    closed.events.pop()
    closed.post_accounts(accounts_data(closed.network, 0))
    assert audit(closed).problems == []
    closed.events.pop()
    rows = change_row(accounts_data(closed.network, 0).accounts, 1, spent=1)
    closed.post_accounts(accounts.model_copy(update={"accounts": rows}))
    assert "account 2" in problem(closed)


@pytest.mark.parametrize("changes", [{"charge": 1}, {"work": 1}])
def test_totals_of_an_epoch(chain: Chain, changes: dict[str, int]) -> None:
    chain.settle()
    chain.close_epoch(MINTED, **changes)
    assert problem(chain) == "epochs: epoch 0: its sums are not those of its final leaves"


# -- data that is not served


def test_data_that_is_not_served(closed: Chain, accounts: AccountsData) -> None:
    closed.post_accounts(accounts)
    clean = dict(closed.documents)
    for name, field, says in (
        ("AccountsPosted", "data", "accounts: epoch 0: its data is not served"),
        ("RosterPosted", "data", "rosters: verifiers roster 1: its data is not served"),
        ("Anchored", "data", f"anchors: anchor 1/{closed.anchors}: its data is not served"),
    ):
        event = next(item for item in reversed(closed.events) if item.name == name)
        closed.documents = {digest: body for digest, body in clean.items() if digest != event.args[field]}
        assert says in audit(closed).problems
    batch = next(iter(closed.network.batches.values()))
    closed.documents = {digest: body for digest, body in clean.items() if digest != batch.data}
    assert "batches: batch 1/1: its data is not served" in audit(closed).problems


def test_accounts_of_more_rows_than_a_block_holds(closed: Chain) -> None:
    for account in range(2, ROWS_A_CHUNK + 3):
        owner = address(1_000 + account)
        closed.emit("ToppedUp", account=account, owner=owner, coin=COIN, amount=10**6, credit=10**9)
    data = accounts_data(closed.network, 0)
    chunks = data.cut()[1:]
    closed.post_accounts(data)
    assert len(chunks) > 1
    assert audit(closed).problems == []
    del closed.documents[chunks[-1].digest()]
    assert problem(closed) == "accounts: epoch 0: its data is not served"
    closed.events.pop()
    closed.post_accounts(data.model_copy(update={"accounts": change_row(data.accounts, ROWS_A_CHUNK + 1, spent=1)}))
    assert f"account {ROWS_A_CHUNK + 2} has another leaf" in problem(closed)


def test_data_of_another_form_is_named_and_ends_nothing(closed: Chain, accounts: AccountsData) -> None:
    class Odd(Document):
        rows: list[list[int]]

    digest = closed.store(Odd(rows=[[1]]))
    closed.post_accounts(accounts, data=digest)
    assert "malformed AccountsData" in problem(closed)


def test_leaves_of_nobody_are_named_before_a_tree_of_billions_of_places_is_made(
    closed: Chain, accounts: AccountsData
) -> None:
    far = 2**32 - 1
    nodes = [*accounts.nodes, accounts.nodes[-1].model_copy(update={"node": far})]
    closed.post_accounts(accounts, data=closed.store(accounts.model_copy(update={"nodes": nodes})))
    leaves = roster_leaves(closed.network, RosterKind.WORKERS)
    roster = RosterData(kind=1, leaves=[*leaves, leaves[-1].model_copy(update={"node": far})])
    closed.post_roster(RosterKind.WORKERS, 2, leaves, data=closed.store(roster))
    assert audit(closed).problems == [
        f"accounts: epoch 0: node {far} has another leaf than its sum",
        "rosters: workers roster 2: its root or total is not that of its leaves",
    ]


def test_documents_are_fetched_once_and_what_is_not_to_be_had_is_absent() -> None:
    asked: list[bytes] = []

    def fetch(digest: bytes) -> bytes:
        asked.append(digest)
        if digest == b"gone":
            raise NotFound("nowhere")
        if digest == b"silent":
            raise Unavailable("no answer")
        return b"body"

    documents = Lookup(fetch)
    assert (documents.get(b"here"), documents.get(b"gone"), documents.get(b"here")) == (b"body", None, b"body")
    assert documents.get(b"gone") is None
    assert asked == [b"here", b"gone"]
    assert len(documents) == len(list(documents)) == 2
    with pytest.raises(Unavailable):  # which is nobody's lie
        documents.get(b"silent")


def test_regression_a_roster_follows_the_records_that_an_epoch_closed_with(closed: Chain) -> None:
    """An honest roster with the new reputations was called false, as nothing else had changed since the one before."""
    right = roster_leaves(closed.network, RosterKind.WORKERS)
    assert len({leaf.weight for leaf in right}) > 1
    closed.wait(RECENT + 60)
    closed.post_roster(RosterKind.WORKERS, 2, right)
    assert audit(closed).problems == []
    old = [leaf.model_copy(update={"weight": 6_000 * 1_000}) for leaf in right]
    closed.post_roster(RosterKind.WORKERS, 3, old)
    assert "workers roster 3 is not what the registry gives" in problem(closed)
