# SPDX-License-Identifier: Apache-2.0
"""Answers, ends of disputes and double votes, from a chain written by hand; each decision beside its refusal."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from inferix.messages import Message as Signed
from inferix.messages import Vote
from inferix.models.roles import DisputeKind, Outcome
from inferix.storage.tables import Message
from keepers.desk import Step
from keepers.disputes import decide_answers, decide_equivocation, decide_expiry
from tests.keepers.batches import OTHER, WINDOW, dispute, ended, propose
from tests.replay.chain import DOMAIN, MANAGER, Chain, block_hash, signed

Functions = Callable[[Sequence[Step]], list[str]]


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


# -- answers


def test_answers__this_managers_lane__at_once_and_once(chain: Chain, functions: Functions) -> None:
    batch = propose(chain, ended(chain, Outcome.ACCEPTED, Outcome.REJECTED))
    assert decide_answers(chain.network, MANAGER, block_hash) == ([], {})
    id = dispute(chain, batch)
    dispute(chain, batch, kind=DisputeKind.DATA)
    steps, silent = decide_answers(chain.network, MANAGER, block_hash)
    assert functions(steps) == ["answer_votes", "answer_data"]
    assert silent == {}
    chain.emit("DisputeAnswered", id=id)
    assert functions(decide_answers(chain.network, MANAGER, block_hash)[0]) == ["answer_data"]


def test_answers__another_lane__when_half_of_the_window_is_over_and_after_ones_own(
    chain: Chain, functions: Functions
) -> None:
    leaves = ended(chain, Outcome.ACCEPTED)
    dispute(chain, propose(chain, leaves))
    assert decide_answers(chain.network, OTHER, block_hash) == ([], {})
    chain.network.tick(chain.time + WINDOW // 2 - 1)
    assert decide_answers(chain.network, OTHER, block_hash) == ([], {})
    chain.network.tick(chain.time + WINDOW // 2)
    assert functions(decide_answers(chain.network, OTHER, block_hash)[0]) == ["answer_votes"]
    chain.time = chain.network.time
    own = propose(chain, leaves, manager=OTHER)
    dispute(chain, own, kind=DisputeKind.DATA)
    assert functions(decide_answers(chain.network, OTHER, block_hash)[0]) == ["answer_data", "answer_votes"]


@pytest.mark.parametrize("kind", list(DisputeKind))
def test_answers__a_false_leaf_of_another_lane__is_left_to_its_manager(chain: Chain, kind: DisputeKind) -> None:
    leaf = ended(chain, Outcome.ACCEPTED)[0].model_copy(update={"work": 1})
    dispute(chain, propose(chain, [leaf]), kind=kind)
    chain.network.tick(chain.time + WINDOW // 2)
    assert decide_answers(chain.network, OTHER, block_hash) == ([], {})
    assert len(decide_answers(chain.network, MANAGER, block_hash)[0]) == 1, "silence would cost it the stake"


def test_answers__votes_that_are_not_here__said(chain: Chain) -> None:
    leaf = ended(chain, Outcome.ACCEPTED)[0]
    id = dispute(chain, propose(chain, [leaf.model_copy(update={"votes": b"\1" * 32})]))
    steps, silent = decide_answers(chain.network, MANAGER, block_hash)
    assert (steps, silent) == ([], {id: "the anchored votes are not those of the leaf"})


def test_answers__data_that_are_not_here__said(chain: Chain) -> None:
    id = dispute(chain, propose(chain, ended(chain, Outcome.ACCEPTED), serve=False), kind=DisputeKind.DATA)
    assert decide_answers(chain.network, MANAGER, block_hash) == ([], {id: "its data is not served"})


def test_answers__a_batch_that_fell__none(chain: Chain) -> None:
    batch = propose(chain, ended(chain, Outcome.ACCEPTED))
    dispute(chain, batch)
    chain.emit("BatchCancelled", commitment=batch.commitment)
    assert decide_answers(chain.network, MANAGER, block_hash) == ([], {})


# -- expiry


def test_expiry__unanswered_in_another_lane__after_the_window(chain: Chain, functions: Functions) -> None:
    dispute(chain, propose(chain, ended(chain, Outcome.ACCEPTED)))
    chain.network.tick(chain.time + WINDOW)
    assert decide_expiry(chain.network, OTHER) == []
    chain.network.tick(chain.time + WINDOW + 1)
    assert functions(decide_expiry(chain.network, OTHER)) == ["expire"]
    assert decide_expiry(chain.network, MANAGER) == [], "nobody ends its own batch"


def test_expiry__after_a_pause__by_the_protocols_clock(chain: Chain, functions: Functions) -> None:
    chain.emit("Paused", until=chain.time + WINDOW)
    chain.wait(WINDOW)
    dispute(chain, propose(chain, ended(chain, Outcome.ACCEPTED)))
    chain.network.tick(chain.time + WINDOW)
    assert decide_expiry(chain.network, OTHER) == []
    chain.network.tick(chain.time + WINDOW + 1)
    assert functions(decide_expiry(chain.network, OTHER)) == ["expire"]


def test_expiry__the_batch_fell_otherwise__bonds_go_back_at_once_in_every_lane(
    chain: Chain, functions: Functions
) -> None:
    batch = propose(chain, ended(chain, Outcome.ACCEPTED))
    id = dispute(chain, batch)
    chain.emit("BatchCancelled", commitment=batch.commitment)
    for manager in (MANAGER, OTHER):
        assert functions(decide_expiry(chain.network, manager)) == ["expire"]
    chain.emit("DisputeDropped", id=id)
    assert decide_expiry(chain.network, OTHER) == []


# -- double votes


def row(pair: tuple[Signed, bytes]) -> Message:
    message, signature = pair
    return Message(
        digest=message.digest(DOMAIN), kind="Vote", node=5, body=message.body(), signature=signature, received_at=0
    )


def vote(**changes: Any) -> Message:
    fields = {"task": b"\1" * 32, "attempt": 0, "node": 5, "result": b"\2" * 32, "outcome": 1, "measured": bytes(32)}
    return row(signed(Vote(**(fields | changes))))


def test_equivocation__two_outcomes_of_one_result__proven_once(chain: Chain, functions: Functions) -> None:
    rows = [vote(), vote(outcome=2)]
    assert functions(decide_equivocation(chain.network, rows)) == ["prove_equivocation"]
    chain.emit("EquivocationProven", task=b"\1" * 32, attempt=0, node=5, amount=1, reporter="0x")
    assert decide_equivocation(chain.network, rows) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"measured": b"\3" * 32},
        {"outcome": 2, "result": b"\3" * 32},
        {"outcome": 2, "attempt": 1},
        {"outcome": 2, "node": 6},
    ],
)
def test_equivocation__votes_that_may_both_be_true__none(chain: Chain, changes: dict[str, Any]) -> None:
    assert decide_equivocation(chain.network, [vote(), vote(**changes)]) == []


def test_equivocation__one_of_them_anchored_by_another_manager(chain: Chain, functions: Functions) -> None:
    state = chain.state(chain.order(), 0)
    chain.run(state)
    (anchored, _), *_ = state.attempts[0].votes.values()
    same = row(signed(anchored))
    assert decide_equivocation(chain.network, [same]) == []
    other = row(signed(anchored.model_copy(update={"outcome": 2})))
    assert functions(decide_equivocation(chain.network, [other])) == ["prove_equivocation"]


def test_equivocation__a_damaged_row__is_passed_over(chain: Chain, functions: Functions) -> None:
    damaged = vote()
    damaged.body = b"x"
    assert functions(decide_equivocation(chain.network, [damaged, vote(), vote(outcome=2)])) == ["prove_equivocation"]
