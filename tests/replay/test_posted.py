# SPDX-License-Identifier: Apache-2.0
"""Receipts and probes on chain, beside the lane that anchors them late, otherwise or never."""

import pytest

from inferix.messages import Message, Receipt
from inferix.models.anchor import SignedMessage
from inferix.models.job import LeaseSpec
from inferix.models.roles import Outcome
from inferix.replay import Network, apply
from inferix.replay.attempts import GRACE, NO_TASK, NOT_ITS, NOT_OPEN, PAST
from inferix.replay.explain import explain_task
from inferix.replay.leaves import is_managers, why_false
from inferix.replay.network import REFUSALS
from inferix.replay.posted import BEFORE, KINDS, OF_A_LEASE, waiting, why_not
from inferix.replay.probes import ANSWERED, OVER, PROBE_TERM
from inferix.replay.settlement import draft_batches, outcome_leaf
from inferix.replay.state import Attempt, AttemptStatus, JobStatus, TaskState
from tests.replay.chain import DOMAIN, GENESIS, MANAGER, WORKERS, Chain, key, signed

Signed = tuple[Message, bytes]


def accepted(chain: Chain, **changes: int) -> TaskState:
    """A task whose worker is at it."""
    state = chain.state(chain.order(**changes), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    return state


def post(chain: Chain, pair: Signed) -> str:
    """Puts a message on chain now; what the network has against it, or nothing."""
    message, signature = pair
    number = next(number for number, kind in KINDS.items() if kind == message.kind)
    return post_raw(chain, number, message.body(), signature)


def post_raw(chain: Chain, kind: int, body: bytes, signature: bytes) -> str:
    known = len(chain.network.refusals)
    chain.wait(0)
    chain.emit("MessagePosted", kind=kind, body=body, signature=signature)
    said = chain.network.refusals[known:]
    assert len(said) <= 1
    return said[0].partition(f"a posted {KINDS[kind]}: ")[2] if said else ""


def posted(chain: Chain) -> tuple[TaskState, Attempt]:
    """An attempt whose receipt is on chain in its last second."""
    state = accepted(chain)
    attempt = state.attempts[0]
    chain.time = attempt.deadline
    assert post(chain, chain.receipt(state)) == ""
    return state, attempt


def pass_to(chain: Chain, time: int) -> None:
    chain.time = time
    chain.network.tick(time)


def anchor_at(chain: Chain, time: int, *messages: Signed) -> None:
    chain.time = time - 1  # a block comes first
    chain.anchor(*messages)


@pytest.mark.parametrize(("seconds", "reason"), [(0, ""), (1, NOT_OPEN)])
def test_a_receipt_is_posted_up_to_the_deadline_and_not_a_second_later(chain: Chain, seconds: int, reason: str) -> None:
    state = accepted(chain)
    attempt = state.attempts[0]
    message = chain.receipt(state)
    chain.time = attempt.deadline + seconds
    assert post(chain, message) == reason
    pass_to(chain, attempt.deadline + 2)
    assert attempt.outcome is (Outcome.LATE if reason else None)
    assert attempt.posted_at == (0 if reason else attempt.deadline)


@pytest.mark.parametrize(("seconds", "status"), [(GRACE, AttemptStatus.RECEIVED), (GRACE + 1, AttemptStatus.ENDED)])
def test_the_lane_may_anchor_it_until_the_grace_is_over_and_it_counts_from_there(
    chain: Chain, seconds: int, status: AttemptStatus
) -> None:
    state, attempt = posted(chain)
    anchor_at(chain, attempt.deadline + seconds, chain.receipt(state))
    assert attempt.status is status
    if status is AttemptStatus.RECEIVED:
        assert (attempt.receipt_anchor, attempt.received_at) == (chain.anchors, attempt.deadline + GRACE)
        chain.anchor(*chain.votes(state))
        assert attempt.outcome is Outcome.ACCEPTED
        pass_to(chain, chain.time + 10)
        assert len(state.attempts) == 1, "nothing of the grace is left"
        assert not chain.network.posted
    else:
        assert chain.network.refusals[-1].endswith(NOT_OPEN)


def test_nobody_anchors_it_and_it_is_void_and_the_next_worker_is_drawn(chain: Chain) -> None:
    state, attempt = posted(chain)
    pass_to(chain, attempt.deadline + GRACE)
    assert attempt.outcome is None
    chain.anchor()
    pass_to(chain, chain.time + 1)
    assert (attempt.outcome, attempt.ended_at) == (Outcome.VOID, attempt.deadline + GRACE)
    leaf = outcome_leaf(chain.network, state, attempt)
    assert (leaf.charge, leaf.work, leaf.anchor, leaf.result) == (0, 0, 0, bytes(32))
    chain.run(state)
    assert state.done and state.attempts[1].node != attempt.node


def test_regression_an_earlier_attempts_time_does_not_hide_a_later_ones_receipt(chain: Chain) -> None:
    """It ended quickly; the next worker's receipt still waits when the first one's ten minutes are over."""
    state = accepted(chain)
    first = state.attempts[0]
    assert post(chain, chain.receipt(state)) == ""
    chain.anchor(chain.receipt(state))
    chain.anchor()
    chain.anchor(*chain.votes(state, Outcome.VOID))
    assert first.outcome is Outcome.VOID
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    second = state.attempts[1]
    second.deadline = first.deadline + GRACE + 60
    assert post(chain, chain.receipt(state)) == ""
    pass_to(chain, first.deadline + GRACE + 1)
    assert [message.attempt for _, message in waiting(chain.network, MANAGER)] == [1]


def test_attack_a_manager_that_keeps_a_receipt_out_costs_its_worker_nothing(chain: Chain) -> None:
    _, attempt = posted(chain)
    pass_to(chain, attempt.deadline + GRACE + 1)
    (draft,) = draft_batches(chain.network, MANAGER)
    (leaf,) = draft.leaves
    assert (leaf.node, leaf.outcome, leaf.charge) == (attempt.node, Outcome.VOID, 0)
    batch = chain.network.batches[chain.propose(draft)]
    false = leaf.model_copy(update={"outcome": Outcome.LATE})
    assert why_false(chain.network, batch, leaf) == ""
    assert why_false(chain.network, batch, false) == "has another outcome"
    assert is_managers(chain.network, batch, false), "and who calls it late all the same is answerable for it"


def test_attack_an_anchored_forgery_spoils_the_receipt_and_not_its_worker(chain: Chain) -> None:
    """The first receipt in the lane counts or none: a manager anchors one that nobody signed."""
    state = accepted(chain)
    message, _ = chain.receipt(state)
    chain.anchor((message, message.sign(DOMAIN, key(MANAGER))))
    assert post(chain, chain.receipt(state)) == ""
    chain.anchor(chain.receipt(state))
    attempt = state.attempts[0]
    assert attempt.status is AttemptStatus.ACCEPTED
    assert list(waiting(chain.network, MANAGER)) == []
    pass_to(chain, attempt.deadline + GRACE + 1)
    assert attempt.outcome is Outcome.VOID


def test_only_the_posted_receipt_is_waited_for(chain: Chain) -> None:
    state, attempt = posted(chain)
    anchor_at(chain, attempt.deadline + 10, chain.receipt(state, b"\x02" * 32))
    assert chain.network.refusals[-1].endswith("the attempt's deadline is past")
    assert attempt.status is AttemptStatus.ACCEPTED


def test_by_the_deadline_another_receipt_of_the_worker_counts_as_ever(chain: Chain) -> None:
    state = accepted(chain)
    assert post(chain, chain.receipt(state)) == ""
    chain.anchor(chain.receipt(state, b"\x02" * 32))
    attempt = state.attempts[0]
    assert (attempt.status, attempt.result) == (AttemptStatus.RECEIVED, b"\x02" * 32)
    assert post(chain, chain.receipt(state)) == "its receipt is anchored"


def test_the_first_posted_receipt_stands(chain: Chain) -> None:
    state = accepted(chain)
    assert post(chain, chain.receipt(state)) == ""
    assert post(chain, chain.receipt(state, b"\x02" * 32)) == BEFORE
    posting = state.attempts[0].posted
    assert posting is not None and posting[0].result == b"\x01" * 32


def test_whoever_posts_it_it_is_signed_by_the_worker_that_accepted(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    early = Receipt(task=state.task.id, attempt=0, node=WORKERS[0], result=bytes(32))
    assert post(chain, signed(early)) == NOT_ITS
    chain.anchor(chain.acceptance(state))
    attempt = state.attempts[0]
    right, _ = chain.receipt(state)
    other = next(node for node in WORKERS if node != attempt.node)
    assert post(chain, (right, right.sign(DOMAIN, key(other)))) == "not signed by the node's operator"
    assert post(chain, signed(right.model_copy(update={"node": other}))) == NOT_ITS
    assert post(chain, signed(right.model_copy(update={"task": bytes(32)}))) == NO_TASK
    assert post(chain, signed(right.model_copy(update={"attempt": 1}))) == NOT_OPEN
    assert attempt.posted is None
    item = SignedMessage(kind="Receipt", body=right.body(), signature=signed(right)[1])
    assert isinstance(right, Receipt)
    assert [why_not(chain.network, item, right, attempt.deadline + late) for late in (0, 1)] == ["", PAST]
    assert post(chain, signed(right)) == ""


def test_junk_is_a_refusal_and_ends_nobodys_replay(chain: Chain) -> None:
    state = accepted(chain)
    message, signature = chain.receipt(state)
    body = message.body()
    for bad in (b"\xff" * 160, body[:32] + b"\x01" + body[33:], bytes(160)):
        assert post_raw(chain, 2, bad, signature)
    assert "malformed Receipt" in post_raw(chain, 2, b"\xff" * 160, signature)
    assert "malformed Probe" in post_raw(chain, 5, b"\xff" * 128, signature)
    for bad in (bytes(65), b"\xff" * 65, signature[:64] + b"\x05"):
        assert "signature" in post_raw(chain, 2, body, bad)
    assert state.attempts[0].posted is None
    again = Network(DOMAIN, GENESIS, chain.documents)
    for event in chain.events:
        apply(again, event)
    assert again.refusals == chain.network.refusals


def test_attack_junk_fills_nobodys_memory(chain: Chain) -> None:
    for _ in range(2 * REFUSALS + 1):
        chain.network.refuse("junk")
    assert len(chain.network.refusals) == REFUSALS
    assert post_raw(chain, 2, b"\0" * 160, b"\0" * 65) and len(chain.network.refusals) == REFUSALS + 1


def test_a_lease_ends_by_its_anchored_receipt_alone(chain: Chain) -> None:
    lease = chain.order(LeaseSpec(node=WORKERS[0], terms=bytes(32)), price=0, attempts=1)
    state = chain.state(lease, 0)
    receipt = signed(Receipt(task=state.task.id, attempt=0, node=WORKERS[0], result=b"\x01" * 32))
    assert post(chain, receipt) == OF_A_LEASE
    chain.anchor(receipt)
    assert state.attempts[0].outcome is Outcome.LEASED


def test_what_runs_at_the_orders_end_has_its_grace_and_nothing_follows(chain: Chain) -> None:
    state = accepted(chain, deadline=chain.time + 100)
    attempt, job = state.attempts[0], chain.network.jobs[state.task.job]
    assert attempt.deadline < job.order.deadline < attempt.deadline + GRACE
    assert post(chain, chain.receipt(state)) == ""
    pass_to(chain, attempt.deadline + GRACE)
    assert (job.status, attempt.outcome) == (JobStatus.EXPIRED, None)
    pass_to(chain, attempt.deadline + GRACE + 1)
    assert (attempt.outcome, len(state.attempts)) == (Outcome.VOID, 1)


def test_after_a_take_over_the_new_lane_may_anchor_it(chain: Chain) -> None:
    state, attempt = posted(chain)
    (found,) = waiting(chain.network, MANAGER)
    chain.emit(
        "JobTakenOver", job=state.task.job, from_manager=MANAGER, by_manager=9, from_anchors=chain.anchors, by_anchors=0
    )
    assert attempt.lane == 9
    assert list(waiting(chain.network, MANAGER)) == []
    assert list(waiting(chain.network, 9)) == [found]
    pass_to(chain, attempt.deadline + GRACE + 1)
    assert (attempt.outcome, state.attempts[1].lane) == (Outcome.VOID, 9)


def test_who_has_delivered_on_chain_is_not_busy(chain: Chain) -> None:
    state = accepted(chain)
    assert state.task.id in chain.network.running
    assert post(chain, chain.receipt(state)) == ""
    other = chain.state(state.task.job, 1)
    chain.anchor(chain.acceptance(other, skip=(state.attempts[0].node,)))
    assert state.task.id not in chain.network.running


def test_it_is_shown_that_it_was_posted(chain: Chain) -> None:
    state = accepted(chain)
    assert explain_task(chain.network, state.task.id)["attempts"][0]["receipt_posted_at"] is None
    assert post(chain, chain.receipt(state)) == ""
    assert explain_task(chain.network, state.task.id)["attempts"][0]["receipt_posted_at"] == chain.time


# -- probes


def test_a_probe_counts_once_whether_posted_or_anchored(chain: Chain) -> None:
    chain.anchor()
    first, second = WORKERS[:2]
    assert post(chain, chain.answer(first)) == ""
    assert post(chain, chain.answer(first)) == ANSWERED
    chain.anchor(chain.answer(first), chain.answer(second))
    assert chain.network.refusals[-1].endswith(ANSWERED)
    assert post(chain, chain.answer(second)) == ANSWERED
    assert chain.network.present[0].hours == {first: 1, second: 1}
    assert chain.network.present[0].capacity == {first: 6_000, second: 6_000}


@pytest.mark.parametrize(("seconds", "reason"), [(0, ""), (1, OVER)])
def test_a_probe_is_posted_within_its_term(chain: Chain, seconds: int, reason: str) -> None:
    chain.anchor()
    message = chain.answer(WORKERS[0])
    chain.time = chain.network.lane(MANAGER).anchors[chain.anchors].sealed_at + PROBE_TERM + seconds
    assert post(chain, message) == reason
