# SPDX-License-Identifier: Apache-2.0
"""Canaries: what an opening does to an attempt that the votes have decided, and what its lack does."""

from typing import Any

import pytest
from eth_utils.crypto import keccak

from inferix.canaries import commitment_of, opening_for
from inferix.messages import CanaryOpening, Message, Receipt
from inferix.models.anchor import SignedMessage
from inferix.models.roles import Outcome, RosterKind
from inferix.replay.accounting import roster_leaves
from inferix.replay.attempts import misfit_worker, why_not
from inferix.replay.canaries import EARLY
from inferix.replay.explain import explain_task
from inferix.replay.leaves import is_managers, why_false
from inferix.replay.settlement import coin_index, draft_batch, draft_batches, outcome_leaf, ready, votes_needed
from inferix.replay.state import Attempt, AttemptStatus, JobStatus, TaskState
from tests.replay.chain import DOMAIN, MANAGER, Chain, key, signed

Signed = tuple[Message, bytes]
YES, NO = 1_000_000, 0


def given(state: TaskState, ppm: int) -> CanaryOpening:
    """What the manager gave the worker of the newest attempt."""
    attempt = state.attempts[-1]
    return opening_for(b"secret", MANAGER, state.task.id, attempt.number, attempt.node, ppm)


def deliver(chain: Chain, state: TaskState, ppm: int) -> Signed:
    """An attempt up to a receipt that commits; what opens it, signed."""
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    opening = given(state, ppm)
    fields = {"task": state.task.id, "attempt": opening.attempt, "node": state.attempts[-1].node}
    canary = commitment_of(opening, state.attempts[-1].node)
    chain.anchor(signed(Receipt(**fields, result=b"\x01" * 32, canary=canary)))
    return signed(opening)


def split_votes(chain: Chain, state: TaskState, outcomes: list[Outcome]) -> list[Signed]:
    """A vote of each seat that may vote now, in turn with these outcomes."""
    return [chain.votes(state, outcome)[at] for at, outcome in enumerate(outcomes)]


def task(chain: Chain, **changes: Any) -> TaskState:
    return chain.state(chain.order(**changes), 0)


def wait(chain: Chain, seconds: int) -> None:
    chain.wait(seconds)
    chain.network.tick(chain.time)


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.CLIENT_FAULT])
def test_votes_that_decide_wait_for_the_opening_and_then_stand(chain: Chain, outcome: Outcome) -> None:
    state = task(chain)
    opening = deliver(chain, state, NO)
    attempt = state.attempts[0]
    chain.anchor(*chain.votes(state, outcome))
    assert (attempt.status, attempt.decided, attempt.outcome) == (AttemptStatus.RECEIVED, outcome, None)
    chain.anchor(opening)
    assert (attempt.status, attempt.outcome, attempt.is_canary) == (AttemptStatus.ENDED, outcome, False)
    assert not attempt.missed and not chain.network.refusals
    if outcome is Outcome.REJECTED:
        assert state.attempts[1].seed_anchor == chain.anchors  # drawn by the opening's anchor


def test_an_opening_goes_into_the_anchor_of_the_votes_behind_them_and_never_before(chain: Chain) -> None:
    state = task(chain)
    opening = deliver(chain, state, NO)
    attempt = state.attempts[0]
    chain.anchor(opening)
    assert EARLY in chain.network.refusals[-1]
    first, *others = chain.votes(state)
    chain.anchor(opening, first, *others[: votes_needed(chain.network, state) - 1])
    assert attempt.status is AttemptStatus.RECEIVED and EARLY in chain.network.refusals[-1]
    again = task(chain)
    opening = deliver(chain, again, NO)
    chain.anchor(*chain.votes(again), opening)
    assert again.attempts[0].outcome is Outcome.ACCEPTED


def test_a_canary_is_void_names_who_accepted_it_and_is_redone(chain: Chain) -> None:
    state = task(chain)
    opening = deliver(chain, state, YES)
    attempt = state.attempts[0]
    votes = chain.votes(state)
    chain.anchor(*votes, opening)
    assert (attempt.outcome, attempt.is_canary) == (Outcome.VOID, True)
    assert attempt.missed == {message.node: (message, signature) for message, signature in votes}  # type: ignore[attr-defined]
    leaf = outcome_leaf(chain.network, state, attempt)
    assert (leaf.work, leaf.charge, leaf.voters) == (0, 0, bytes(32))
    chain.run(state)
    assert state.done and state.attempts[1].outcome is Outcome.ACCEPTED


def test_who_rejects_a_canary_has_not_missed_it(chain: Chain) -> None:
    chain.emit("ParameterSet", name=keccak(text="committee"), value=3)
    state = task(chain)
    opening = deliver(chain, state, YES)
    attempt = state.attempts[0]
    votes = split_votes(chain, state, [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.REJECTED])
    chain.anchor(*votes, opening)
    assert attempt.decided is Outcome.REJECTED and attempt.outcome is Outcome.VOID
    assert list(attempt.missed) == [votes[0][0].node]  # type: ignore[attr-defined]
    assert not chain.network.cases and draft_batches(chain.network, MANAGER)


def test_a_canary_uses_none_of_the_clients_attempts_up_but_a_second_does(chain: Chain) -> None:
    job = chain.order(attempts=1)
    state = chain.state(job, 0)
    opening = deliver(chain, state, YES)
    chain.anchor(*chain.votes(state), opening)
    assert len(state.attempts) == 2 and chain.network.jobs[job].status is JobStatus.RUNNING
    opening = deliver(chain, state, YES)
    chain.anchor(*chain.votes(state), opening)
    assert state.failed and chain.network.jobs[job].status is JobStatus.FAILED


def test_a_canarys_worker_may_do_the_task_and_a_rejected_one_may_not(chain: Chain) -> None:
    for ppm in (YES, NO):
        state = task(chain)
        opening = deliver(chain, state, ppm)
        first = state.attempts[0].node
        chain.anchor(*chain.votes(state, Outcome.REJECTED), opening)
        chain.anchor()
        leaf = next(leaf for leaf in roster_leaves(chain.network, RosterKind.WORKERS) if leaf.node == first)
        why = misfit_worker(chain.network, chain.network.jobs[state.task.job], state, leaf)
        assert (why == "") == (ppm == YES)


# -- nobody opens


def unopened(chain: Chain, outcome: Outcome, ppm: int = NO) -> Attempt:
    state = task(chain)
    deliver(chain, state, ppm)
    chain.anchor(*chain.votes(state, outcome))
    attempt = state.attempts[0]
    wait(chain, 2 * 30 - 2)
    assert attempt.status is AttemptStatus.RECEIVED
    wait(chain, 3)
    return attempt


def test_nobody_is_paid_for_what_is_not_opened(chain: Chain) -> None:
    assert unopened(chain, Outcome.ACCEPTED).outcome is Outcome.VOID
    assert unopened(chain, Outcome.CLIENT_FAULT).outcome is Outcome.VOID


def test_a_cheat_is_not_saved_by_an_opening_that_is_withheld(chain: Chain) -> None:
    attempt = unopened(chain, Outcome.REJECTED)
    assert (attempt.outcome, attempt.is_canary) == (Outcome.REJECTED, None)


def test_a_second_rejection_without_opening_charges_no_client(chain: Chain) -> None:
    state = task(chain)
    chain.run(state, Outcome.REJECTED)
    deliver(chain, state, NO)
    chain.anchor(*chain.votes(state, Outcome.REJECTED))
    wait(chain, 61)
    assert state.attempts[1].outcome is Outcome.VOID


def test_votes_that_make_void_need_no_opening(chain: Chain) -> None:
    state = task(chain)
    deliver(chain, state, YES)
    chain.anchor(*chain.votes(state, Outcome.UNSERVED))
    assert state.attempts[0].outcome is Outcome.VOID and not state.attempts[0].missed


def test_a_committee_that_does_not_decide_is_void_whoever_opens(chain: Chain) -> None:
    state = task(chain)
    opening = deliver(chain, state, YES)
    chain.anchor(chain.votes(state)[0])
    wait(chain, 61)
    assert state.attempts[0].outcome is Outcome.VOID
    chain.anchor(opening)
    assert "over" in chain.network.refusals[-1] and not state.attempts[0].missed


# -- what is no opening


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_canary": True}, "not what the receipt commits to"),
        ({"salt": b"\x09" * 32}, "not what the receipt commits to"),
        ({"node": 2}, "no such attempt of a job of this manager"),
        ({"attempt": 7}, "no such attempt"),
    ],
)
def test_another_opening_than_the_receipts_has_no_effect(chain: Chain, changes: dict[str, Any], reason: str) -> None:
    state = task(chain)
    message, _ = deliver(chain, state, NO)
    chain.anchor(*chain.votes(state))
    chain.anchor(signed(message.model_copy(update=changes)))
    assert state.attempts[0].status is AttemptStatus.RECEIVED
    assert reason in chain.network.refusals[-1]
    chain.anchor(signed(message))
    assert state.attempts[0].outcome is Outcome.ACCEPTED


def test_attack_a_worker_that_opens_a_commitment_of_its_own_is_no_canary(chain: Chain) -> None:
    """Else it would cheat without risk, or have honest verifiers miss what was no canary."""
    state = task(chain)
    message, _ = deliver(chain, state, YES)
    chain.anchor(*chain.votes(state, Outcome.REJECTED))
    attempt = state.attempts[0]
    chain.anchor((message, message.sign(DOMAIN, key(attempt.node))))
    assert "not signed with the key of the job's quote" in chain.network.refusals[-1]
    wait(chain, 61)
    assert attempt.outcome is Outcome.REJECTED and not attempt.missed


def test_a_receipt_that_commits_to_nothing_ends_by_its_votes(chain: Chain) -> None:
    state = task(chain)
    chain.run(state)
    assert state.attempts[0].outcome is Outcome.ACCEPTED
    chain.anchor(signed(given(state, YES)))
    assert "not what the receipt commits to" in chain.network.refusals[-1]


def test_no_vote_counts_after_those_that_decided(chain: Chain) -> None:
    chain.emit("ParameterSet", name=keccak(text="committee"), value=3)
    state = task(chain)
    deliver(chain, state, NO)
    *first, late = chain.votes(state)
    chain.anchor(*first)
    chain.anchor(late)
    assert len(state.attempts[0].votes) == 2 and "the votes have decided" in chain.network.refusals[-1]


# -- a manager that keeps an opening back


def test_a_canary_that_its_manager_kept_back_is_opened_late_in_any_lane(chain: Chain) -> None:
    state = task(chain)
    opening = deliver(chain, state, YES)
    chain.anchor(*chain.votes(state, Outcome.REJECTED))
    attempt = state.attempts[0]
    wait(chain, 61)
    assert attempt.outcome is Outcome.REJECTED
    leaf = outcome_leaf(chain.network, state, attempt)
    batch = chain.network.batches[
        chain.propose(draft_batch(MANAGER, 1, coin_index(chain.network, leaf), [leaf], bytes(32)))
    ]
    assert why_false(chain.network, batch, batch.leaves[0]) == ""
    chain.network.lane(9)
    assert chain.network.jobs[state.task.job].manager != 9
    item = SignedMessage(kind="CanaryOpening", body=opening[0].body(), signature=opening[1])
    assert why_not(chain.network, 9, item, opening[0], chain.time) == ""  # type: ignore[arg-type]
    assert why_not(chain.network, 9, item, opening[0], chain.time + 86_401) == "this attempt is over"  # type: ignore[arg-type]
    chain.anchor(opening)
    assert (attempt.outcome, attempt.is_canary) == (Outcome.VOID, True)
    assert "outcome" in why_false(chain.network, batch, batch.leaves[0])
    assert is_managers(chain.network, batch, batch.leaves[0])


def test_attack_a_lane_proposes_no_rejection_that_an_opening_kept_back_would_make_void(chain: Chain) -> None:
    """Who took the job over has no opening to show: the first manager, or the worker, came with it a moment later, and
    the taker was fined for what it had proposed by the rules."""
    state = task(chain)
    deliver(chain, state, YES)
    chain.anchor(*chain.votes(state, Outcome.REJECTED))
    wait(chain, 61)
    attempt = state.attempts[0]
    assert attempt.outcome is Outcome.REJECTED
    window = chain.network.parameters["batch_window"]
    assert ready(chain.network, MANAGER) == []
    wait(chain, attempt.ended_at + window - chain.time)
    assert ready(chain.network, MANAGER) == []
    wait(chain, 1)
    assert [found.number for _, found in ready(chain.network, MANAGER)] == [0]


def test_what_was_no_canary_is_not_opened_late(chain: Chain) -> None:
    state = task(chain)
    opening = deliver(chain, state, NO)
    chain.anchor(*chain.votes(state, Outcome.REJECTED))
    wait(chain, 61)
    chain.anchor(opening)
    assert state.attempts[0].outcome is Outcome.REJECTED
    assert "this attempt is over" in chain.network.refusals[-1]


# -- what follows for who missed it, and what is told


def test_a_missed_canary_costs_draws_as_a_workers_fault_does(chain: Chain) -> None:
    state = task(chain)
    opening = deliver(chain, state, YES)
    chain.anchor(*chain.votes(state), opening)
    missed = state.attempts[0].missed
    chain.settle()
    chain.close_epoch(0)
    reputation = chain.network.epochs[0].record.reputation
    assert {node: reputation[node] for node in missed} == dict.fromkeys(missed, 500)
    weights = {leaf.node: leaf.weight for leaf in roster_leaves(chain.network, RosterKind.VERIFIERS)}
    assert weights == {node: 500 if node in missed else 1_000 for node in weights}


def test_explain_says_what_was_a_canary_and_who_missed_it(chain: Chain) -> None:
    state = task(chain)
    opening = deliver(chain, state, YES)
    chain.anchor(*chain.votes(state))

    def told() -> dict[str, Any]:
        found: dict[str, Any] = explain_task(chain.network, state.task.id)["attempts"][0]["canary"]
        return found

    assert told()["is_canary"] is None and told()["missed"] == []
    chain.anchor(opening)
    assert told()["is_canary"] is True and told()["missed"] == sorted(state.attempts[0].missed)
    chain.run(state)
    assert explain_task(chain.network, state.task.id)["attempts"][1]["canary"] is None
