# SPDX-License-Identifier: Apache-2.0
"""A contradicted vote from its opening to its verdict, and who gets nothing of what it costs."""

import pytest

from inferix.messages import Vote
from inferix.models.roles import ObjectionStatus, Outcome
from inferix.replay.contradictions import attempt_of, heard, heard_by_id, job_of, seed_of
from inferix.replay.state import TaskState
from tests.replay.chain import MANAGER, VERIFIERS, Chain
from tests.replay.objecting import REASON, SEED, contradict, object_to_outcomes, propose_all, seat


@pytest.fixture
def state(chain: Chain) -> TaskState:
    state = chain.state(chain.order(), 0)
    chain.run(state)
    return state


def vote_of(state: TaskState) -> Vote:
    """The first vote on the first attempt."""
    return min(state.attempts[0].votes.items())[1][0]


def close(chain: Chain, id: bytes, status: int) -> None:
    chain.emit("ContradictionClosed", id=id, status=status)


def test_a_contradiction_from_its_opening_to_its_verdict(chain: Chain, state: TaskState) -> None:
    vote = vote_of(state)
    found = contradict(chain, vote, node=MANAGER)
    assert (found.id, found.vote, found.reason, found.share) == (vote.digest(chain.network.domain), vote, REASON, 100)
    assert (found.status, found.node, found.bond, found.asked_at) == (ObjectionStatus.OPEN, MANAGER, 50, chain.time)
    assert attempt_of(chain.network, found) is state.attempts[0]
    assert job_of(chain.network, found) is chain.network.jobs[state.task.job]
    seat(chain, found, *VERIFIERS[:2])
    assert (found.seed, found.seats, found.complete_at) == (SEED, list(VERIFIERS[:2]), chain.time)
    chain.emit("PanelVoted", case=found.id, node=VERIFIERS[0], upheld=True, measured=bytes(32))
    chain.emit("ContradictionReferred", id=found.id)
    assert (found.votes, found.is_referred) == ({VERIFIERS[0]: True}, True)
    close(chain, found.id, 2)
    assert (found.status, found.ended_at) == (ObjectionStatus.UPHELD, chain.time)


def test_its_tiles_are_drawn_from_the_seed_of_the_receipts_anchor(chain: Chain, state: TaskState) -> None:
    attempt = state.attempts[0]
    seed = seed_of(chain.network, attempt)
    assert seed is not None
    assert seed == chain.network.lane(attempt.lane).anchors[attempt.receipt_anchor].seed
    waiting = chain.state(chain.order(), 0)
    chain.anchor()
    assert seed_of(chain.network, waiting.attempts[0]) is None


def test_a_vote_on_nothing_that_was_ordered_is_heard_and_has_no_job(chain: Chain, state: TaskState) -> None:
    for change in ({"task": b"\x01" * 32}, {"attempt": 9}):
        found = contradict(chain, vote_of(state).model_copy(update=change))
        assert attempt_of(chain.network, found) is None
    assert job_of(chain.network, contradict(chain, vote_of(state).model_copy(update={"task": b"\x02" * 32}))) is None


def test_objections_and_contradictions_are_told_apart_by_their_id(chain: Chain, state: TaskState) -> None:
    objection = object_to_outcomes(chain, propose_all(chain), 0)
    found = contradict(chain, vote_of(state))
    assert heard(chain.network) == [objection, found]
    assert [heard_by_id(chain.network, item.id) for item in (objection, found)] == [objection, found]
    assert heard_by_id(chain.network, bytes(32)) is None
    assert job_of(chain.network, objection) is job_of(chain.network, found)


@pytest.mark.parametrize("status", [2, 3, 4])
def test_who_judged_or_voted_gets_nothing_of_what_a_contradicted_vote_costs(
    chain: Chain, state: TaskState, status: int
) -> None:
    vote = vote_of(state)
    found = contradict(chain, vote)
    seat(chain, found, 77)
    chain.emit("Slashed", node=vote.node, amount=100, burned=50, pooled=50)
    close(chain, found.id, status)
    barred = frozenset({77, *state.attempts[0].votes}) if status == 2 else frozenset()
    assert [(fine.node, fine.barred) for fine in chain.network.fines] == [(vote.node, barred)]


def test_anothers_fine_is_nobodys_business_here(chain: Chain, state: TaskState) -> None:
    found = contradict(chain, vote_of(state))
    seat(chain, found, 77)
    chain.emit("Slashed", node=MANAGER, amount=100, burned=50, pooled=50)
    close(chain, found.id, 2)
    assert [fine.barred for fine in chain.network.fines] == [frozenset()]


def test_a_rejection_is_contradicted_too(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.run(state, Outcome.REJECTED)
    assert contradict(chain, vote_of(state)).vote.outcome == Outcome.REJECTED
