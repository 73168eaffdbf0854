# SPDX-License-Identifier: Apache-2.0
"""Merkle-sum trees: the contracts and inferix.trees, written apart, agree; what is not in a tree is not let in."""

from pathlib import Path
from typing import Any

import boa
import pytest
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from inferix import trees
from inferix.models.anchor import AccountLeaf, BatchLeaf, NodeLeaf, RosterLeaf
from inferix.models.roles import Outcome
from inferix.trees import Sum, Tree
from tests.contracts.system import deployer
from tests.contracts.work.network import flat, leaf_values

CHUNK = 64
LANE = st.integers(0, trees.LEAF_LIMIT - 1)
U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
BYTES32 = st.binary(min_size=32, max_size=32)
LEAVES = st.lists(
    st.builds(lambda name, high, low: Sum(keccak(name), trees.lanes(high, low)), st.binary(max_size=4), LANE, LANE)
    | st.none(),
    min_size=1,
    max_size=CHUNK,
)


@pytest.fixture(scope="session")
def contract() -> Any:
    return deployer("Trees.vy", Path(__file__).parent).deploy()


def pair(node: Sum) -> tuple[bytes, int]:
    return (node.hash, node.sum)


def leaf(index: int, high: int = 7, low: int = 3) -> Sum:
    return Sum(keccak(text=f"leaf {index}"), trees.lanes(high, low))


def locate(contract: Any, node: Sum, index: int, proof: list[Sum]) -> tuple[tuple[bytes, int], int]:
    found = contract.locate(pair(node), index, flat(proof))
    return (bytes(found.root.hash), found.root.sum), found.prefix


@settings(max_examples=60)
@given(leaves=LEAVES, data=st.data())
def test_proof_leads_to_the_root_and_knows_what_lies_left(contract: Any, leaves: list[Sum | None], data: Any) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    tree = Tree(leaves)
    root, prefix = locate(contract, leaves[index] or trees.EMPTY, index, tree.proof(index))
    assert root == pair(tree.root)
    assert trees.split(prefix)[0] == tree.prefix(index)
    assert prefix == sum(each.sum for each in leaves[:index] if each)
    assert contract.verify(root, pair(leaves[index] or trees.EMPTY), index, flat(tree.proof(index)))


@settings(max_examples=60)
@given(leaves=LEAVES)
def test_fold_is_the_root_of_a_chunk(contract: Any, leaves: list[Sum | None]) -> None:
    height = (len(leaves) - 1).bit_length()
    folded = contract.fold([pair(each or trees.EMPTY) for each in leaves], height)
    assert (bytes(folded.hash), folded.sum) == pair(Tree(leaves).root)


def test_chunk_of_a_larger_tree_is_proven_by_its_own_root(contract: Any) -> None:
    leaves = [leaf(index, index, 2 * index) for index in range(150)]
    tree = Tree(leaves)
    folded = contract.fold([pair(each) for each in leaves[128:]], 6)
    root, prefix = locate(contract, Sum(bytes(folded.hash), folded.sum), 2, tree.proof(128)[6:])
    assert root == pair(tree.root)
    assert prefix == sum(each.sum for each in leaves[:128])


def test_fold_refusals(contract: Any) -> None:
    nodes = [pair(leaf(index)) for index in range(5)]
    assert contract.fold(nodes[:4], 2)
    with boa.reverts("merkle_sum: more leaves than the subtree holds"):
        contract.fold(nodes, 2)
    with boa.reverts("merkle_sum: subtree over a chunk"):
        contract.fold(nodes, 7)


def test_one_leaf_is_its_own_root(contract: Any) -> None:
    root, prefix = locate(contract, leaf(0), 0, [])
    assert (root, prefix) == (pair(leaf(0)), 0)
    with boa.reverts("merkle_sum: index outside the tree"):
        locate(contract, leaf(0), 1, [])


def test_index_beyond_the_tree_is_refused(contract: Any) -> None:
    tree = Tree([leaf(index) for index in range(4)])
    assert locate(contract, leaf(3), 3, tree.proof(3))[0] == pair(tree.root)
    with boa.reverts("merkle_sum: index outside the tree"):
        locate(contract, leaf(3), 7, tree.proof(3))


def test_odd_proof_is_refused(contract: Any) -> None:
    with boa.reverts("merkle_sum: odd proof"):
        contract.locate(pair(leaf(0)), 0, flat([leaf(1)])[:1])


def test_wrong_leaf_index_sum_or_sibling_is_not_in_the_tree(contract: Any) -> None:
    leaves = [leaf(index) for index in range(6)]
    tree = Tree(leaves)
    root, proof = pair(tree.root), tree.proof(2)

    def verify(node: Sum, index: int, siblings: list[Sum]) -> bool:
        return bool(contract.verify(root, pair(node), index, flat(siblings)))

    assert verify(leaves[2], 2, proof)
    assert not verify(leaves[3], 2, proof)
    assert not verify(leaves[2], 3, proof)
    assert not verify(Sum(leaves[2].hash, leaves[2].sum + 1), 2, proof)
    assert not verify(leaves[2], 2, [*proof[:2], Sum(proof[2].hash, proof[2].sum + 1)])
    assert not verify(leaves[2], 2, proof[:2])
    assert not contract.verify((tree.root.hash, tree.root.sum + 1), pair(leaves[2]), 2, flat(proof))


def test_inner_node_does_not_pass_for_a_leaf_of_a_shorter_tree(contract: Any) -> None:
    """It does climb to the root: what keeps it out is that contracts hash the leaf's fields themselves, twice."""
    tree = Tree([leaf(index) for index in range(4)])
    inner = tree.levels[1][0]
    assert contract.verify(pair(tree.root), pair(inner), 0, flat(tree.proof(0)[1:]))
    forged = AccountLeaf(account=0, spent=trees.split(inner.sum)[0], reserved=trees.split(inner.sum)[1])
    assert bytes(contract.account(leaf_values(forged)).hash) != inner.hash


@pytest.mark.parametrize("lane", [127, 255])
def test_lane_overflow_is_refused_wherever_it_happens(contract: Any, lane: int) -> None:
    top, half = 1 << lane, 1 << (lane - 1)
    zero = trees.EMPTY
    assert locate(contract, Sum(zero.hash, half), 0, [Sum(zero.hash, half - (1 << (lane - 127)))])
    for node, proof in [
        (Sum(zero.hash, top), []),
        (Sum(zero.hash, top), [zero]),
        (zero, [Sum(zero.hash, top)]),
        (Sum(zero.hash, half), [Sum(zero.hash, half)]),
        (Sum(zero.hash, half), [Sum(zero.hash, half), Sum(zero.hash, 2**256 - top), zero]),
    ]:
        with boa.reverts("merkle_sum: lane overflow"):
            locate(contract, node, 0, proof)


def test_fold_refuses_a_lane_overflow(contract: Any) -> None:
    for wrong in (1 << 127, 1 << 255):
        with boa.reverts("merkle_sum: lane overflow"):
            contract.fold([(bytes(32), 0), (bytes(32), wrong)], 1)
    half = 1 << 126
    with boa.reverts("merkle_sum: lane overflow"):
        contract.fold([(bytes(32), half), (bytes(32), half)], 1)


@given(left=st.integers(0, 2**256 - 1), right=st.integers(0, 2**256 - 1), off=st.sampled_from([0, 0, 1]))
@settings(max_examples=60)
def test_is_valid_says_what_adding_would(contract: Any, left: int, right: int, off: int) -> None:
    limit = (1 << 255) | (1 << 127)
    total = left + right
    fits = not (left | right) & limit and not total & limit
    claimed = (total + off) % 2**256
    assert contract.is_valid(left, right, claimed) == (fits and off == 0)


@given(high=LANE, low=LANE)
@settings(max_examples=25)
def test_lanes_come_out_as_they_went_in(contract: Any, high: int, low: int) -> None:
    assert tuple(contract.lanes(high, low)) == (trees.lanes(high, low), high, low)


def test_pair_is_the_hash_of_a_parent(contract: Any) -> None:
    left, right = leaf(0), leaf(1)
    assert bytes(contract.pair(pair(left), pair(right))) == trees.parent(left, right).hash


@given(
    st.builds(
        BatchLeaf,
        task=BYTES32,
        attempt=st.integers(0, 255),
        node=U32,
        account=U32,
        work=U64,
        charge=U64,
        outcome=st.sampled_from(Outcome),
        result=BYTES32,
        votes=BYTES32,
        voters=BYTES32,
        anchor=U32,
    )
)
@settings(max_examples=25)
def test_batch_leaf(contract: Any, value: BatchLeaf) -> None:
    hashed = contract.batch(leaf_values(value))
    assert (bytes(hashed.hash), hashed.sum) == pair(trees.batch_leaf(value))


@given(st.builds(AccountLeaf, account=U32, spent=LANE, reserved=LANE))
@settings(max_examples=25)
def test_account_leaf(contract: Any, value: AccountLeaf) -> None:
    hashed = contract.account(leaf_values(value))
    assert (bytes(hashed.hash), hashed.sum) == pair(trees.account_leaf(value))


@given(st.builds(NodeLeaf, node=U32, matured=LANE, vesting=LANE, start=st.integers(0, 2**256 - 1)))
@settings(max_examples=25)
def test_node_leaf(contract: Any, value: NodeLeaf) -> None:
    hashed = contract.node(leaf_values(value))
    assert (bytes(hashed.hash), hashed.sum) == pair(trees.node_leaf(value))


@given(st.builds(RosterLeaf, node=U32, ib=U32, price=U64, device_class=BYTES32, weight=LANE))
@settings(max_examples=25)
def test_roster_leaf(contract: Any, value: RosterLeaf) -> None:
    hashed = contract.roster(leaf_values(value))
    assert (bytes(hashed.hash), hashed.sum) == pair(trees.roster_leaf(value))
