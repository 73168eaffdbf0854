# SPDX-License-Identifier: Apache-2.0
"""Every leaf of a batch is recomputed: what differs, is settled twice or out of place is found and named."""

from typing import Any

import pytest
from eth_utils.crypto import keccak

from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Outcome
from inferix.replay.settlement import BatchDraft, draft_batch
from tests.audit.conftest import audit, forge_last, problem
from tests.replay.chain import MANAGER, WORKERS, Chain


def forged(draft: BatchDraft, index: int, **changes: Any) -> BatchDraft:
    """The same batch with another leaf, its root, sums and records in accord with it."""
    leaves = list(draft.leaves)
    leaves[index] = leaves[index].model_copy(update=changes)
    return batch_of(leaves)


def batch_of(leaves: list[BatchLeaf], sequence: int = 1, previous: bytes = bytes(32)) -> BatchDraft:
    return draft_batch(MANAGER, sequence, 0, leaves, previous)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"charge": 1}, "charge"),
        ({"work": 1}, "work"),
        ({"node": 99}, "node"),
        ({"account": 2}, "account"),
        ({"outcome": Outcome.VOID}, "outcome"),
        ({"result": b"\x07" * 32}, "result"),
        ({"votes": b"\x07" * 32}, "votes"),
        ({"voters": b"\x07" * 32}, "voters"),
        ({"anchor": 99}, "anchor"),
    ],
)
def test_a_leaf_that_is_not_its_attempts(chain: Chain, draft: BatchDraft, changes: dict[str, Any], named: str) -> None:
    leaf = draft.leaves[2]
    chain.propose(forged(draft, 2, **changes))
    where = f"batch 1/1: task {leaf.task.hex()[:12]} attempt {leaf.attempt}"
    assert problem(chain) == f"leaves: {where} differs in {named}"


@pytest.mark.parametrize("changes", [{"task": b"\xff" * 32}, {"attempt": 9}])
def test_a_leaf_of_an_attempt_that_never_was(chain: Chain, draft: BatchDraft, changes: dict[str, Any]) -> None:
    chain.propose(forged(draft, len(draft.leaves) - 1, **changes))
    assert "has no outcome" in problem(chain)


def test_the_same_attempt_settled_in_two_batches(chain: Chain, draft: BatchDraft) -> None:
    first = chain.propose(draft)
    leaf = draft.leaves[1]
    chain.propose(batch_of([leaf], 2, first))
    where = f"batch 1/2: task {leaf.task.hex()[:12]} attempt {leaf.attempt}"
    assert problem(chain) == f"leaves: {where} is settled twice"


def test_the_same_attempt_settled_twice_in_one_batch(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(batch_of([draft.leaves[0], *draft.leaves]))
    assert "is settled twice" in problem(chain)


def test_what_a_cancelled_batch_held_is_settled_once_more(chain: Chain, draft: BatchDraft) -> None:
    chain.emit("BatchCancelled", commitment=chain.propose(draft))
    chain.propose(draft, previous=b"\x01" * 32)
    assert audit(chain).problems == []


def test_leaves_out_of_order(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(batch_of(draft.leaves[::-1]))
    assert problem(chain) == "batches: batch 1/1: its leaves are out of order"


def test_records_that_differ_from_the_leaves(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(draft, records=b"\x01" * 32)
    assert problem(chain) == "batches: batch 1/1: its records are not those of its leaves"


@pytest.mark.parametrize(("root_only", "problems"), [(1, 0), (0, 1)])
def test_records_may_be_left_out_where_the_network_says_so(
    chain: Chain, draft: BatchDraft, root_only: int, problems: int
) -> None:
    chain.emit("ParameterSet", name=keccak(text="root_only"), value=root_only)
    chain.propose(draft, records=bytes(32))
    assert len(audit(chain).problems) == problems


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"charge": 1}, "its totals are not those of its leaves"),
        ({"work": 1}, "its totals are not those of its leaves"),
        ({"root": b"\x01" * 32}, "its root is not that of its leaves"),
    ],
)
def test_a_false_sum_or_root_in_the_header(chain: Chain, draft: BatchDraft, changes: dict[str, Any], says: str) -> None:
    chain.propose(draft, **changes)
    assert problem(chain) == f"batches: batch 1/1: {says}"


def test_a_false_count_in_the_header(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(draft, count=4)
    assert problem(chain) == "batches: batch 1/1: it has 5 leaves, not as many as it says"


def test_a_commitment_that_is_not_the_headers(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(draft)
    forge_last(chain, "Proposed", commitment=b"\x01" * 32)
    assert problem(chain) == "batches: batch 1/1: its commitment is not that of its header"


def test_a_batch_in_another_coin_or_of_another_managers_lane(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(draft, coin=9)
    assert all("is paid in another coin" in text for text in audit(chain).problems)
    assert len(audit(chain).problems) == len(draft.leaves)
    chain.events.pop()
    chain.propose(draft, manager=WORKERS[0])
    assert all("belongs to another manager's lane" in text for text in audit(chain).problems)
    assert len(audit(chain).problems) == len(draft.leaves)
