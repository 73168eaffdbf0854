# SPDX-License-Identifier: Apache-2.0
"""Disputes about the data of a batch: 64 leaves posted in time, or the batch falls."""

from typing import Any

import boa
import pytest

from inferix import trees
from inferix.models.anchor import BatchLeaf
from tests.contracts.disputes.court import Batch, Court
from tests.contracts.system import acting, advance
from tests.contracts.work.network import batch_leaf, flat, leaf_values

DATA, CHUNK = 2, 64
PROPOSED, CANCELLED = 1, 3


def leaves(count: int) -> list[BatchLeaf]:
    return sorted((batch_leaf(index) for index in range(count)), key=lambda leaf: leaf.task)


def challenge(court: Court, batch: Batch, chunk: int = 0) -> None:
    with acting(court.challenger):
        court.disputes.challenge_data(batch.header.values(), chunk, 0)


def answer_of(batch: Batch, chunk: int) -> tuple[Any, ...]:
    """Chunk, leaves and proof as `answer_data` takes them."""
    levels = batch.tree.levels
    height = min(6, len(levels) - 1)
    proof = [level[(chunk >> depth) ^ 1] for depth, level in enumerate(levels[height:-1])]
    return (chunk, [leaf_values(leaf) for leaf in batch.leaves[chunk * CHUNK :][:CHUNK]], flat(proof))


def answer(court: Court, batch: Batch, chunk: int) -> None:
    court.disputes.answer_data(batch.header.values(), *answer_of(batch, chunk))


@pytest.mark.parametrize(("count", "chunk"), [(1, 0), (2, 0), (5, 0), (64, 0), (65, 0), (65, 1), (150, 2), (150, 3)])
def test_the_data_of_a_chunk(court: Court, count: int, chunk: int) -> None:
    batch = court.batch(leaves(count))
    challenge(court, batch, chunk)
    answer(court, batch, chunk)
    id = court.disputes.dispute_id(batch.commitment, DATA, chunk)
    assert court.disputes.dispute(id).status == 2
    assert court.batches.batch(batch.commitment).disputes == 0


@pytest.mark.parametrize(("count", "chunk"), [(1, 1), (64, 1), (65, 2), (150, 4)])
def test_no_chunk_beyond_the_tree(court: Court, count: int, chunk: int) -> None:
    batch = court.batch(leaves(count))
    with boa.reverts("Disputes: no such chunk"):
        challenge(court, batch, chunk)


def test_unserved_data_cancel_the_batch(court: Court) -> None:
    batch = court.batch(leaves(70))
    challenge(court, batch, 1)
    advance(court.window("answer_window") + 1)
    court.disputes.expire(batch.header.values(), DATA, 1)
    assert court.status(batch) == CANCELLED


def test_other_leaves_are_no_answer(court: Court) -> None:
    batch = court.batch(leaves(70))
    challenge(court, batch, 1)
    chunk, mine, proof = answer_of(batch, 1)
    changed = [*mine[:-1], leaf_values(batch.leaves[69].model_copy(update={"charge": 99}))]
    with boa.reverts("Disputes: not all leaves of the chunk"):
        court.disputes.answer_data(batch.header.values(), chunk, mine[:-1], proof)
    with boa.reverts("Disputes: not the data of the batch"):
        court.disputes.answer_data(batch.header.values(), chunk, changed, proof)
    with boa.reverts("Disputes: not the data of the batch"):
        court.disputes.answer_data(batch.header.values(), chunk, mine, [])
    with boa.reverts("Disputes: not open"):
        court.disputes.answer_data(batch.header.values(), *answer_of(batch, 0))
    answer(court, batch, 1)


def test_a_hidden_leaf_beyond_the_count_has_no_answer(court: Court) -> None:
    """The tree holds 130 leaves, the header says 129: the sum charges for one that nobody sees."""
    hidden = leaves(130)
    tree = trees.Tree([trees.batch_leaf(leaf) for leaf in hidden])
    charge, work = trees.split(tree.root.sum)
    batch = court.batch(hidden[:129], root=tree.root.hash, charge=charge, work=work)
    batch = Batch(batch.header, hidden[:129], tree)
    challenge(court, batch, 2)
    with boa.reverts("Disputes: not the data of the batch"):
        answer(court, batch, 2)
    challenge(court, batch, 0)
    answer(court, batch, 0)


def test_a_false_sum_in_a_chunk_has_no_answer(court: Court) -> None:
    """A leaf's sum in the tree is more than the leaf says."""
    nodes = [trees.batch_leaf(leaf) for leaf in leaves(4)]
    nodes[2] = trees.Sum(nodes[2].hash, nodes[2].sum + trees.lanes(10**6, 0))
    tree = trees.Tree(nodes)
    charge, work = trees.split(tree.root.sum)
    batch = court.batch(leaves(4), root=tree.root.hash, charge=charge, work=work)
    challenge(court, batch)
    with boa.reverts("Disputes: not the data of the batch"):
        answer(court, batch, 0)


def test_a_chunk_is_disputed_once(court: Court) -> None:
    batch = court.batch(leaves(3))
    challenge(court, batch)
    with boa.reverts("Disputes: disputed before"):
        challenge(court, batch)
    answer(court, batch, 0)
    with boa.reverts("Disputes: disputed before"):
        challenge(court, batch)


def test_a_largest_batch_is_answered_within_a_block(court: Court) -> None:
    batch = court.batch(leaves(1000))
    challenge(court, batch, 15)
    challenge(court, batch, 7)
    answer(court, batch, 7)
    answer(court, batch, 15)
    assert court.disputes._computation.get_gas_used() < 5_000_000


@pytest.mark.parametrize("chunk", [0, 1])
def test_what_an_answer_shows_is_in_a_log(court: Court, chunk: int) -> None:
    """Nobody else may have it: documents can be named that never were."""
    batch = court.batch(leaves(70))
    challenge(court, batch, chunk)
    answer(court, batch, chunk)
    (shown,) = [event for event in court.disputes.get_logs() if type(event).__name__ == "LeavesShown"]
    assert (shown.commitment, shown.chunk) == (batch.commitment, chunk)
    assert [tuple(leaf) for leaf in shown.leaves] == [
        tuple(leaf_values(leaf)) for leaf in batch.leaves[chunk * CHUNK :][:CHUNK]
    ]


@pytest.mark.parametrize("outcome", [0, 8, 255])
def test_attack_leaves_of_an_outcome_that_there_is_not_are_no_answer(court: Court, outcome: int) -> None:
    """No program could read them, and so nobody object to what they charge."""
    odd = leaves(1)[0].model_copy(update={"outcome": outcome})
    batch = court.batch([odd])
    challenge(court, batch)
    with boa.reverts("Disputes: not the data of the batch"):
        answer(court, batch, 0)
    advance(court.window("answer_window") + 1)
    court.disputes.expire(batch.header.values(), DATA, 0)
    assert court.status(batch) == CANCELLED
