# SPDX-License-Identifier: Apache-2.0
"""Claims: each node is paid what vested, to the second and to the wei, once, whoever claims and by whichever root."""

from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferix import trees
from inferix.models.anchor import AccountLeaf, AccountsData, NodeLeaf
from inferix.replay.accounting import claimable as reference
from keepers.epoch import claim_calls
from tests.contracts.system import BANNED, FROZEN, JAILED, Node, acting, advance, now, set_time
from tests.contracts.work.books import Books, Ledger
from tests.contracts.work.network import Network, leaf_values

VESTING_TIME = 180 * 86400
GRANT = 10**18


@pytest.fixture
def ledger(network: Network) -> Ledger:
    """A ledger with one closed epoch."""
    ledger = Ledger(network)
    ledger.close_epoch()
    return ledger


@pytest.fixture
def published(ledger: Ledger) -> Ledger:
    """A ledger with a final root."""
    ledger.publish(ledger.books())
    return ledger


@pytest.fixture
def node(ledger: Ledger) -> Node:
    return ledger.node()


def balance(ledger: Ledger, who: Any) -> int:
    return int(ledger.network.ifx.balanceOf(getattr(who, "address", who)))


def publish(ledger: Ledger, nodes: dict[int, tuple[int, int, int]]) -> tuple[Books, int]:
    """Final books; returns the cut-off too."""
    books = ledger.publish(ledger.books(nodes))
    return books, int(ledger.network.accounts.cut_off())


def test_claim_pays_the_owner_whoever_claims(ledger: Ledger, node: Node) -> None:
    books, _ = publish(ledger, {node.id: (7, 0, 0)})
    accounts = ledger.network.accounts
    with acting(ledger.network.deployer):
        assert accounts.claimable(books.claim(node.id)[0]) == 7
        assert accounts.claim(*books.claim(node.id)) == 7
    event = accounts.get_logs()[-1]
    assert (type(event).__name__, event.node, event.owner, event.amount) == ("Claimed", node.id, node.owner.address, 7)
    assert (balance(ledger, node.owner), accounts.claimed(node.id)) == (7, 7)
    assert accounts.claimable(books.claim(node.id)[0]) == 0
    with boa.reverts("claims: nothing to claim"):
        accounts.claim(*books.claim(node.id))


def test_stream_to_the_second_until_the_horizon(ledger: Ledger, node: Node) -> None:
    start = now()
    books, cut_off = publish(ledger, {node.id: (3, GRANT, GRANT * start)})
    accounts, (leaf, _) = ledger.network.accounts, books.claim(node.id)
    until = cut_off + ledger.network.window("claim_horizon")
    for time in (now(), now() + 1, until - 1, until, until + 1, until + VESTING_TIME):
        set_time(time)
        vested = (min(time, until) - start) * GRANT // VESTING_TIME
        assert accounts.claimable(leaf) == 3 + vested
    paid = accounts.claim(*books.claim(node.id))
    assert paid == 3 + (until - start) * GRANT // VESTING_TIME == balance(ledger, node.owner)


def test_claims_by_many_roots_add_up_to_the_last(ledger: Ledger, node: Node) -> None:
    accounts, start = ledger.network.accounts, now()
    first, _ = publish(ledger, {node.id: (10, GRANT, GRANT * start)})
    accounts.claim(*first.claim(node.id))
    advance(1000)
    accounts.claim(*first.claim(node.id))
    ledger.close_epoch()
    grown = (20, 2 * GRANT, GRANT * start + GRANT * now())
    second, _ = publish(ledger, {node.id: grown})
    with boa.reverts("claims: not in the root"):
        accounts.claim(*first.claim(node.id))
    accounts.claim(*second.claim(node.id))
    earned = reference(second.leaves[node.id], now(), VESTING_TIME)
    assert balance(ledger, node.owner) == accounts.claimed(node.id) == earned


def test_grant_that_starts_later_than_now_pays_nothing_yet(ledger: Ledger, node: Node) -> None:
    books, _ = publish(ledger, {node.id: (0, GRANT, GRANT * (now() + 10 * 86400))})
    with boa.reverts("claims: nothing to claim"):
        ledger.network.accounts.claim(*books.claim(node.id))


def test_old_grant_is_paid_whole_and_no_more(ledger: Ledger, node: Node) -> None:
    books, _ = publish(ledger, {node.id: (1, GRANT, GRANT * (now() - VESTING_TIME))})
    advance(1000)
    assert ledger.network.accounts.claim(*books.claim(node.id)) == 1 + GRANT


def test_what_is_not_in_the_root_is_refused(ledger: Ledger, node: Node) -> None:
    other = ledger.node()
    books = ledger.books({node.id: (7, 0, 0), other.id: (9, 0, 0)})
    accounts, (leaf, proof) = ledger.network.accounts, books.claim(node.id)
    with boa.reverts("claims: no final root"):
        accounts.claim(leaf, proof)
    ledger.publish(books)
    for wrong in ((leaf[0], 8, 0, 0), (other.id, 7, 0, 0), (leaf[0], 7, 0, 1)):
        with boa.reverts("claims: not in the root"):
            accounts.claim(wrong, proof)
    with boa.reverts("claims: not in the root"):
        accounts.claim(leaf, [*proof, bytes(32), bytes(32)])
    with boa.reverts("merkle_sum: index outside the tree"):
        accounts.claim((2**32 - 1, 7, 0, 0), proof)
    accounts.claim(leaf, proof)


def test_attack_an_inner_node_is_no_leaf(ledger: Ledger, node: Node) -> None:
    """A node's leaf has as many words as an inner node, four, and its start may be any number."""
    minted = ledger.books().minted
    matured, vesting = 7, minted - 7
    start = trees.lanes(matured, vesting) - matured
    books = ledger.books({node.id: (matured, vesting, start)})
    inner = trees.parent(trees.Sum(word(node.id), matured), trees.Sum(word(vesting), start))
    assert inner.sum == trees.node_leaf(books.leaves[node.id]).sum
    refused_then_paid(ledger, node, books, inner)


def test_attack_a_leaf_of_another_tree_is_no_leaf_of_a_node(ledger: Ledger, node: Node) -> None:
    minted = ledger.books().minted
    books = ledger.books({node.id: (7, minted - 7, 0)})
    refused_then_paid(
        ledger, node, books, trees.account_leaf(AccountLeaf(account=node.id, spent=7, reserved=minted - 7))
    )


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def refused_then_paid(ledger: Ledger, node: Node, books: Books, shown: trees.Sum) -> None:
    """A node's leaf pays from its own tree, and not from one with ``shown`` in its place."""
    accounts, honest = ledger.network.accounts, books.node_tree
    with boa.env.anchor():
        books.node_tree = trees.Tree([*[None] * node.id, shown])
        ledger.publish(books)
        with boa.reverts("claims: not in the root"):
            accounts.claim(*books.claim(node.id))
    books.node_tree = honest
    ledger.publish(books)
    assert accounts.claim(*books.claim(node.id)) >= 7


def test_dust_goes_to_the_penalty_pool(ledger: Ledger, node: Node) -> None:
    books, _ = publish(ledger, {node.id: (7, 0, 0)})
    pool = ledger.network.penalty_pool
    before = pool.received()
    assert ledger.network.accounts.claim(*books.claim(0)) == books.minted - 7
    assert pool.received() - before == books.minted - 7


def test_frozen_node_waits(ledger: Ledger, node: Node) -> None:
    books, _ = publish(ledger, {node.id: (7, 0, 0)})
    with acting(ledger.network.panels):
        ledger.network.registry.set_status(node.id, FROZEN)
        assert ledger.network.accounts.claimable(books.claim(node.id)[0]) == 0
        with boa.reverts("claims: node frozen"):
            ledger.network.accounts.claim(*books.claim(node.id))
        assert ledger.network.accounts.claim_many(*([each] for each in books.claim(node.id))) == 0
        ledger.network.registry.set_status(node.id, JAILED)
    assert ledger.network.accounts.claim(*books.claim(node.id)) == 7


def test_banned_node_loses_what_has_not_vested(ledger: Ledger, node: Node) -> None:
    start = now()
    books, _ = publish(ledger, {node.id: (7, GRANT, GRANT * start)})
    accounts, pool = ledger.network.accounts, ledger.network.penalty_pool
    with acting(ledger.network.panels):
        ledger.network.registry.set_status(node.id, BANNED)
    before = pool.received()
    paid = accounts.claim(*books.claim(node.id))
    events = {type(event).__name__: event for event in accounts.get_logs()}
    vested = (now() - start) * GRANT // VESTING_TIME
    assert paid == 7 + vested == balance(ledger, node.owner)
    assert events["Forfeited"].amount == pool.received() - before == GRANT - vested
    assert accounts.claimed(node.id) == 7 + GRANT
    advance(86400)
    with boa.reverts("claims: nothing to claim"):
        accounts.claim(*books.claim(node.id))


def test_banned_node_that_has_claimed_all_loses_the_rest(ledger: Ledger, node: Node) -> None:
    books, _ = publish(ledger, {node.id: (7, GRANT, GRANT * (now() + VESTING_TIME))})
    accounts = ledger.network.accounts
    assert accounts.claim(*books.claim(node.id)) == 7
    with acting(ledger.network.panels):
        ledger.network.registry.set_status(node.id, BANNED)
    assert accounts.claim(*books.claim(node.id)) == 0
    assert accounts.claimed(node.id) == 7 + GRANT


def many(books: Books, nodes: list[int]) -> tuple[list[Any], list[Any]]:
    claims = [books.claim(node) for node in nodes]
    return [leaf for leaf, _ in claims], [proof for _, proof in claims]


def test_claim_many_pays_each_and_passes_over_who_cannot_be_paid(ledger: Ledger) -> None:
    nodes = [ledger.node() for _ in range(6)]
    books, _ = publish(ledger, {node.id: (10**index, 0, 0) for index, node in enumerate(nodes)})
    accounts = ledger.network.accounts
    accounts.claim(*books.claim(nodes[0].id))
    with acting(ledger.network.panels):
        ledger.network.registry.set_status(nodes[2].id, FROZEN)
    paid = accounts.claim_many(*many(books, [node.id for node in nodes]))
    assert paid == 10 + 10**3 + 10**4 + 10**5
    assert [balance(ledger, node.owner) for node in nodes] == [1, 10, 0, 10**3, 10**4, 10**5]
    assert accounts.claim_many(*many(books, [nodes[1].id, nodes[1].id])) == 0
    assert accounts.claim_many([], []) == 0


def test_claim_many_refuses_all_for_one_false_leaf(ledger: Ledger) -> None:
    nodes = [ledger.node() for _ in range(3)]
    books, _ = publish(ledger, {node.id: (5, 0, 0) for node in nodes})
    leaves, proofs = many(books, [node.id for node in nodes])
    accounts = ledger.network.accounts
    for at in range(3):
        false = [(*leaf[:1], 6, 0, 0) if index == at else leaf for index, leaf in enumerate(leaves)]
        with boa.reverts("claims: not in the root"):
            accounts.claim_many(false, proofs)
    with boa.reverts("claims: leaves and proofs differ in number"):
        accounts.claim_many(leaves, proofs[:2])
    assert accounts.claim_many([leaves[0], leaves[0]], [proofs[0], proofs[0]]) == 5
    assert accounts.claim_many(leaves, proofs) == 10


def test_claim_chunk_pays_neighbours_under_one_proof(ledger: Ledger) -> None:
    nodes = [ledger.node() for _ in range(20)]
    books, _ = publish(ledger, {node.id: (node.id, 0, 0) for node in nodes if node.id not in (10, 13)})
    accounts = ledger.network.accounts
    with acting(ledger.network.panels):
        ledger.network.registry.set_status(11, FROZEN)
    assert books.leaves[12]
    assert accounts.claim_chunk(*books.chunk(8, 3)) == 8 + 9 + 12 + 14 + 15
    assert accounts.claim_chunk(*books.chunk(8, 3)) == 0
    last = max(books.leaves)
    assert accounts.claim_chunk(*books.chunk(16, 2)) == sum(range(16, min(20, last + 1)))
    everything = accounts.claim_chunk(*books.chunk(0, (last).bit_length()))
    left = {node for node in books.leaves if node not in (0, 8, 9, 11, 12, 14, 15, 16, 17, 18, 19)}
    assert everything == sum(left) + books.leaves[0].matured


@pytest.mark.parametrize("owed", ["all", "few", "one"])
def test_what_keepers_send_pays_each_once(ledger: Ledger, owed: str) -> None:
    """Neighbours under one proof where enough of them are paid, the others each with its own."""
    nodes = [ledger.node() for _ in range(90)]
    books, _ = publish(ledger, {node.id: (node.id, 0, 0) for node in nodes if node.id % 7})
    data = AccountsData(epoch=0, accounts=[], nodes=[books.leaves[at] for at in sorted(books.leaves)])
    parts = {"all": data.nodes, "few": data.nodes[5:80:20], "one": data.nodes[3:4]}
    calls = list(claim_calls(data, parts[owed]))
    chunks = [(first, name) for first, name, _ in calls if name == "claim_chunk"]
    assert chunks == ([(0, "claim_chunk"), (64, "claim_chunk")] if owed == "all" else [])
    made = {first for first, _, _ in calls[:1]}
    assert [first for first, _, _ in claim_calls(data, parts[owed], made.__contains__)] == [
        first for first, _, _ in calls[1:]
    ], "what is made is left out"
    accounts = ledger.network.accounts
    for _, name, arguments in calls:
        getattr(accounts, name)(*[_values(each) for each in arguments])
    assert all(accounts.claimed(leaf.node) == leaf.matured for leaf in parts[owed])
    others = [leaf.node for leaf in data.nodes if leaf not in parts[owed]]
    assert all(accounts.claimed(node) == 0 for node in others)


def _values(argument: Any) -> Any:
    """Structs as boa takes them."""
    if isinstance(argument, list):
        return [_values(each) for each in argument]
    return tuple(argument.values()) if isinstance(argument, dict) else argument


def test_claim_chunk_refusals(ledger: Ledger) -> None:
    nodes = [ledger.node() for _ in range(12)]
    books, _ = publish(ledger, {node.id: (5, 0, 0) for node in nodes})
    accounts = ledger.network.accounts
    first, height, leaves, proof = books.chunk(4, 2)
    with boa.reverts("claims: not the first of a subtree"):
        accounts.claim_chunk(5, height, leaves, proof)
    with boa.reverts("claims: not neighbours"):
        accounts.claim_chunk(8, height, leaves, proof)
    with boa.reverts("claims: not neighbours"):
        accounts.claim_chunk(first, height, leaves[::-1], proof)
    with boa.reverts("claims: not in the root"):
        accounts.claim_chunk(first, height, [(4, 6, 0, 0), *leaves[1:]], proof)
    with boa.reverts("claims: not in the root"):
        accounts.claim_chunk(first, height, [(0, 0, 0, 0), *leaves[1:]], proof)
    with boa.reverts("claims: not in the root"):
        accounts.claim_chunk(first, height, leaves[:3], proof)
    with boa.reverts("merkle_sum: subtree over a chunk"):
        accounts.claim_chunk(0, 7, [], proof)
    assert accounts.claim_chunk(first, height, leaves, proof) == 20


def test_nothing_stops_claims(ledger: Ledger, node: Node) -> None:
    books, _ = publish(ledger, {node.id: (7, 0, 0)})
    with acting(ledger.network.guardian):
        ledger.network.parameters.pause()
    assert ledger.network.accounts.claim(*books.claim(node.id)) == 7


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    matured=st.integers(0, 2**96 - 1),
    grants=st.lists(st.tuples(st.integers(0, 2**92), st.integers(-(2 * VESTING_TIME), VESTING_TIME)), max_size=4),
    later=st.integers(0, 400 * 86400),
)
def test_claimable_is_what_the_reference_says(
    published: Ledger, matured: int, grants: list[tuple[int, int]], later: int
) -> None:
    """`claimable` takes any leaf: the arithmetic is checked far beyond what could ever be minted."""
    accounts = published.network.accounts
    with boa.env.anchor():
        until = int(accounts.cut_off()) + published.network.window("claim_horizon")
        vesting = sum(amount for amount, _ in grants)
        start = sum(amount * (now() + offset) for amount, offset in grants)
        advance(later)
        leaf = NodeLeaf(node=0, matured=matured, vesting=vesting, start=start)
        expected = reference(leaf, min(now(), until), VESTING_TIME)
        assert accounts.claimable(leaf_values(leaf)) == expected
        assert matured <= expected <= matured + vesting


def test_extreme_leaves_do_not_overflow(published: Ledger) -> None:
    most = 2**96 - 1
    assert published.network.accounts.claimable((0, most, most, 0)) == 2 * most
    assert published.network.accounts.claimable((0, most, most, 2**256 - 1)) == most
