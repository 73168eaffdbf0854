# SPDX-License-Identifier: Apache-2.0
"""Verifiers that are drawn and do not vote: when it counts against them, and when it cannot be told."""

import pytest
from eth_utils.crypto import keccak

from inferix.messages import Message
from inferix.models.roles import NodeStatus, Outcome, RosterKind
from inferix.replay import apply
from inferix.replay.accounting import roster_leaves
from inferix.replay.attempts import seats
from inferix.replay.explain import explain_task
from inferix.replay.state import Attempt, AttemptStatus, TaskState
from tests.replay.chain import MANAGER, VERIFIERS, Chain, signed

Signed = tuple[Message, bytes]
WINDOW = 30


@pytest.fixture
def wide(chain: Chain) -> Chain:
    """All three verifiers in the first draw, two equal votes decide."""
    chain.emit("ParameterSet", name=keccak(text="committee"), value=3)
    return chain


def delivered(chain: Chain, state: TaskState | None = None, canary: bytes = bytes(32)) -> tuple[TaskState, Attempt]:
    """An attempt whose committee may vote."""
    state = state or chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    message, _ = chain.receipt(state)
    chain.anchor(signed(message.model_copy(update={"canary": canary})))
    return state, state.attempts[-1]


def sealed_at(chain: Chain, attempt: Attempt) -> int:
    return chain.network.lane(attempt.lane).anchors[attempt.receipt_anchor].sealed_at


def pass_to(chain: Chain, time: int) -> None:
    chain.time = time
    chain.network.tick(time)


def vote(chain: Chain, state: TaskState, node: int, outcome: Outcome = Outcome.ACCEPTED) -> None:
    """Anchors the vote of one who may vote now."""
    chain.anchor(*(pair for pair in chain.votes(state, outcome) if pair[0].node == node))  # type: ignore[attr-defined]


def weights(chain: Chain) -> dict[int, int]:
    """What verifiers weigh after all that has ended was settled and its epoch closed."""
    chain.settle()
    chain.close_epoch(0)
    return {leaf.node: leaf.weight for leaf in roster_leaves(chain.network, RosterKind.VERIFIERS)}


def test_who_is_silent_on_a_committee_loses_weight(wide: Chain) -> None:
    state, attempt = delivered(wide)
    voter, *others = VERIFIERS
    vote(wide, state, voter)
    pass_to(wide, sealed_at(wide, attempt) + 2 * WINDOW + 1)
    assert (attempt.outcome, attempt.silent) == (Outcome.VOID, set(others))
    assert explain_task(wide.network, state.task.id)["attempts"][0]["silent"] == others
    assert weights(wide) == {voter: 1_000, **dict.fromkeys(others, 500)}


def test_silence_weighs_as_a_missed_canary_does_against_votes_that_stand(wide: Chain) -> None:
    state, attempt = delivered(wide)
    voter, *others = VERIFIERS
    vote(wide, state, voter)
    pass_to(wide, sealed_at(wide, attempt) + 2 * WINDOW + 1)
    wide.run(state)
    wide.run(wide.state(state.task.job, 1))
    stood = [sum(node in item.attempts[-1].votes for item in (state, wide.state(state.task.job, 1))) for node in others]
    assert any(stood)
    found = weights(wide)
    assert [found[node] for node in others] == [500 + 500 * votes // (votes + 1) for votes in stood]


@pytest.mark.parametrize("outcome", [Outcome.UNSERVED, Outcome.VOID, Outcome.REJECTED])
def test_whoever_votes_is_not_silent_whatever_it_says(wide: Chain, outcome: Outcome) -> None:
    state, attempt = delivered(wide)
    one, other, silent = VERIFIERS
    vote(wide, state, one)
    vote(wide, state, other, outcome)
    pass_to(wide, sealed_at(wide, attempt) + 2 * WINDOW + 1)
    assert (attempt.outcome, attempt.silent) == (Outcome.VOID, {silent})
    assert weights(wide) == {one: 1_000, other: 1_000, silent: 500}


def test_a_seat_that_others_decided_without_before_its_window_was_over_is_told_to_stop(wide: Chain) -> None:
    state, attempt = delivered(wide)
    first, second, _ = VERIFIERS
    vote(wide, state, first)
    pass_to(wide, sealed_at(wide, attempt) + WINDOW - 4)
    vote(wide, state, second)
    assert (attempt.outcome, attempt.silent) == (Outcome.ACCEPTED, set())
    pass_to(wide, sealed_at(wide, attempt) + 2 * WINDOW + 1)
    assert weights(wide) == dict.fromkeys(VERIFIERS, 1_000)


def test_nobody_is_silent_while_votes_that_decide_wait_for_an_opening(wide: Chain) -> None:
    state, attempt = delivered(wide, canary=b"\x07" * 32)
    for node in VERIFIERS[:2]:
        vote(wide, state, node)
    pass_to(wide, sealed_at(wide, attempt) + WINDOW + 1)
    assert (attempt.status, attempt.decided, attempt.silent) == (AttemptStatus.RECEIVED, Outcome.ACCEPTED, set())


def test_a_window_that_went_by_counts_though_others_decide_later_and_late_is_not_silent(wide: Chain) -> None:
    for late in (False, True):
        state, attempt = delivered(wide)
        first, second, third = VERIFIERS
        vote(wide, state, first, Outcome.REJECTED)
        pass_to(wide, sealed_at(wide, attempt) + WINDOW + 1)
        assert attempt.silent == {second, third}
        vote(wide, state, second)
        if late:
            vote(wide, state, third)
            assert attempt.outcome is Outcome.ACCEPTED
        else:
            pass_to(wide, sealed_at(wide, attempt) + 2 * WINDOW + 1)
        assert attempt.silent == (set() if late else {third})


def test_a_seat_of_the_second_draw_has_the_second_window(chain: Chain) -> None:
    state, attempt = delivered(chain)
    places = seats(chain.network, state, attempt)
    (one, silent), (third,) = ([seat.leaf.node for seat in places if seat.from_time == start] for start in
                               (sealed_at(chain, attempt), sealed_at(chain, attempt) + WINDOW))  # fmt: skip
    vote(chain, state, one)
    pass_to(chain, sealed_at(chain, attempt) + WINDOW + 1)
    assert attempt.silent == {silent}
    vote(chain, state, third)
    assert (attempt.outcome, attempt.silent) == (Outcome.ACCEPTED, {silent})


def test_silence_that_may_be_the_managers_is_nobodys(chain: Chain) -> None:
    """It seals the key and anchors the votes: in a window without any vote it may have done neither."""
    state, attempt = delivered(chain)
    pass_to(chain, sealed_at(chain, attempt) + 2 * WINDOW + 1)
    assert (attempt.outcome, attempt.silent) == (Outcome.VOID, set())
    state, attempt = delivered(chain, state)
    one, *_ = (seat.leaf.node for seat in seats(chain.network, state, attempt))
    vote(chain, state, one)
    pass_to(chain, sealed_at(chain, attempt) + 2 * WINDOW + 1)
    drawn_later = [seat.leaf.node for seat in seats(chain.network, state, attempt)][2:]
    assert len(attempt.silent) == 1 and attempt.silent.isdisjoint(drawn_later), "no vote was anchored in their window"


def test_in_a_job_that_was_taken_over_silence_is_its_managers(wide: Chain) -> None:
    state, attempt = delivered(wide)
    vote(wide, state, VERIFIERS[0])
    pass_to(wide, sealed_at(wide, attempt) + WINDOW + 1)
    assert attempt.silent
    wide.emit("JobTakenOver", job=state.task.job, from_manager=MANAGER, by_manager=50, from_anchors=3, by_anchors=0)
    pass_to(wide, wide.time + 2 * WINDOW + 1)
    assert (attempt.outcome, attempt.silent) == (Outcome.VOID, set())


def test_who_could_not_vote_for_the_whole_window_is_not_asked_why(wide: Chain) -> None:
    state, attempt = delivered(wide)
    one, jailed, silent = VERIFIERS
    vote(wide, state, one)
    wide.emit("StatusChanged", node=jailed, status=int(NodeStatus.JAILED))
    pass_to(wide, sealed_at(wide, attempt) + WINDOW + 1)
    assert attempt.silent == {silent}


def test_of_an_assembly_nobody_is_silent(chain: Chain) -> None:
    """Its committee is one: whoever else votes decides."""
    job = chain.order(chain.spec(frames=1))
    chain.run(chain.state(job, 0))
    for second in (False, True):
        state, attempt = delivered(chain, chain.state(job, 1))
        pass_to(chain, sealed_at(chain, attempt) + WINDOW + 1)
        if second:
            vote(chain, state, seats(chain.network, state, attempt)[1].leaf.node)
        pass_to(chain, sealed_at(chain, attempt) + 2 * WINDOW + 1)
        assert (attempt.status, attempt.silent) == (AttemptStatus.ENDED, set())
    assert attempt.outcome is Outcome.ACCEPTED


def test_silence_is_the_same_for_whoever_replays_and_forgotten_after_ten_epochs(wide: Chain) -> None:
    state, attempt = delivered(wide)
    vote(wide, state, VERIFIERS[0])
    pass_to(wide, sealed_at(wide, attempt) + 2 * WINDOW + 1)
    weights(wide)
    again = type(wide.network)(wide.network.domain, wide.network.genesis, wide.documents)
    for event in wide.events:
        apply(again, event)
    assert again.tasks == wide.network.tasks and again.epochs == wide.network.epochs
    for epoch in range(1, 11):
        wide.emit("EpochClosed", epoch=epoch, work=0, charge=0, burned=0, minted=0, pooled=0)
    assert wide.network.epochs[9].record.reputation[VERIFIERS[1]] == 500
    assert VERIFIERS[1] not in wide.network.epochs[10].record.reputation
