# SPDX-License-Identifier: Apache-2.0
"""Orders, draws, receipts, votes: what counts and what does not."""

from typing import Any

import pytest

from inferix.messages import Order, Receipt, Vote
from inferix.models.anchor import RosterData
from inferix.models.roles import BatchStatus, NodeStatus, Outcome, RosterKind
from inferix.replay import Network, apply
from inferix.replay.accounting import accounts_data, accounts_tree, epoch_rewards, nodes_tree, roster_leaves
from inferix.replay.attempts import seats
from inferix.replay.orders import is_in_lane
from inferix.replay.settlement import draft_batch, draft_batches, outcome_leaf, ready
from inferix.replay.state import AttemptStatus, JobStatus
from inferix.trees import split
from inferix.units import NanoIbm, NanoUsd, fee_of
from tests.replay.chain import DOMAIN, GENESIS, MANAGER, WORKERS, Chain, address, signed


def test_a_job_runs_from_order_to_complete(chain: Chain) -> None:
    job = chain.order()
    chain.finish(job)
    assert chain.network.jobs[job].status is JobStatus.COMPLETE
    assert not chain.network.refusals
    assert [state.attempts[-1].outcome for state in chain.network.jobs[job].tasks] == [Outcome.ACCEPTED] * 3


def test_the_same_events_give_the_same_state(chain: Chain) -> None:
    chain.finish(chain.order())
    again = Network(DOMAIN, GENESIS, chain.documents)
    for event in chain.events:
        apply(again, event)
    assert again.jobs == chain.network.jobs
    assert again.tasks == chain.network.tasks


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deadline": GENESIS}, "deadline"),
        ({"deadline": GENESIS + 40 * 86_400}, "30 days"),
        ({"post_by": GENESIS}, "post-by"),
        ({"price": 7_999_999}, "floor"),
        ({"cap": 10**12}, "free credit"),
        ({"cap": 10_000_000}, "0.01 USD"),
        ({"attempts": 0}, "no attempt"),
        ({"account": 9}, "account does not exist"),
        ({"signer": 2}, "not signed by the owner"),
    ],
)
def test_an_order_that_breaks_a_rule_is_void(chain: Chain, changes: dict[str, int], reason: str) -> None:
    job = chain.network.jobs[chain.order(**changes)]
    assert job.status is JobStatus.VOID
    assert reason in job.reason


def test_a_replayed_order_counts_once(chain: Chain) -> None:
    job = chain.order()
    record = chain.events[-1].args["records"]
    chain.emit("OrdersPosted", poster="0x", records=record)
    assert "posted before" in chain.network.refusals[-1]
    assert chain.network.jobs[job].status is JobStatus.POSTED
    assert len(chain.network.accounts[1].caps) == 1


def test_a_nonce_counts_once(chain: Chain) -> None:
    chain.order(nonce=7)
    assert "nonce" in chain.network.jobs[chain.order(nonce=7, cap=2 * 10**9)].reason


def test_caps_reserve_credit_until_a_root_frees_it(chain: Chain) -> None:
    """100 USD: of a cap of 60, what was not charged is free once a root is final that knows the job has ended."""
    job = chain.order(cap=60 * 10**9)
    assert chain.network.jobs[job].status is JobStatus.POSTED

    def refused(cap: int) -> bool:
        return "free credit" in chain.network.jobs[chain.order(cap=cap)].reason

    assert refused(40 * 10**9 + 1)
    chain.finish(job)
    chain.settle()
    assert refused(40 * 10**9 + 1)
    chain.close_epoch(1_000_000_007)
    data = accounts_data(chain.network, 0)
    (leaf,) = data.accounts
    assert 0 < leaf.spent < 60 * 10**9 and leaf.reserved == 0
    chain.post_accounts(data)
    assert refused(40 * 10**9 + 1)
    chain.wait(86_400)
    chain.emit("AccountsFinalized", epoch=0)
    assert refused(100 * 10**9 - leaf.spent + 1)
    assert not refused(100 * 10**9 - leaf.spent)
    assert refused(10**9)


def test_a_receipt_of_another_worker_has_no_effect(chain: Chain) -> None:
    job = chain.order()
    state = chain.state(job, 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    other = next(node for node in (2, 3, 4) if node != state.attempts[0].node)
    chain.anchor(signed(Receipt(task=state.task.id, attempt=0, node=other, result=b"\x02" * 32)))
    assert state.attempts[0].status is AttemptStatus.ACCEPTED
    assert "another node" in chain.network.refusals[-1]


def test_a_receipt_counts_at_the_first_anchor_that_has_it_or_never(chain: Chain) -> None:
    """Else a lane could anchor it too early, where it does not count, and again when it likes the seed."""
    for early in (False, True):
        state = chain.state(chain.order(), 0)
        chain.anchor()
        acceptance = chain.acceptance(state)
        receipt = Receipt(task=state.task.id, attempt=0, node=acceptance[0].node, result=b"\x02" * 32)
        if early:
            chain.anchor(signed(receipt))
        chain.anchor(acceptance)
        chain.anchor(signed(receipt))
        attempt = state.attempts[0]
        assert attempt.status is (AttemptStatus.ACCEPTED if early else AttemptStatus.RECEIVED)
        first = chain.anchors
        chain.anchor(signed(receipt.model_copy(update={"result": b"\x03" * 32})))
        assert attempt.receipt_anchor == (0 if early else first)
    assert "an earlier anchor" in chain.network.refusals[-1]


def test_a_dead_worker_is_late_and_the_task_goes_to_another(chain: Chain) -> None:
    job = chain.order()
    state = chain.state(job, 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    first = state.attempts[0]
    chain.wait(61)
    chain.anchor()
    assert first.outcome is Outcome.LATE and first.ended_at == first.deadline
    chain.anchor(chain.acceptance(state))
    assert state.attempts[1].node not in (0, first.node)


def test_a_receipt_at_the_deadline_counts_and_after_it_does_not(chain: Chain) -> None:
    for late, expected in ((0, AttemptStatus.RECEIVED), (1, AttemptStatus.ENDED)):
        state = chain.state(chain.order(), 0)
        chain.anchor()
        chain.anchor(chain.acceptance(state))
        attempt = state.attempts[0]
        message = chain.receipt(state)
        chain.time = attempt.deadline + late - 1
        chain.anchor(message)
        assert attempt.status is expected


def test_the_assemble_task_has_all_frames_and_three_times_as_long(chain: Chain) -> None:
    job = chain.order()
    *renders, assemble = chain.network.jobs[job].tasks
    for state in renders:
        chain.run(state)
    chain.anchor()
    chain.anchor(chain.acceptance(assemble))
    attempt = assemble.attempts[0]
    assert attempt.deadline == attempt.accepted_at + 180
    chain.wait(170)
    chain.anchor(chain.receipt(assemble))
    assert attempt.status is AttemptStatus.RECEIVED


def test_a_cheat_is_rejected_and_the_task_redone_by_another(chain: Chain) -> None:
    job = chain.order()
    state = chain.state(job, 0)
    chain.run(state, Outcome.REJECTED)
    chain.run(state)
    first, second = state.attempts
    assert (first.outcome, second.outcome) == (Outcome.REJECTED, Outcome.ACCEPTED)
    assert first.node != second.node
    assert outcome_leaf(chain.network, state, first).charge == 0
    assert outcome_leaf(chain.network, state, second).charge == 16_001  # ceil(1,000,001 x 0.016)


def test_rejected_twice_is_the_clients_fault(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.run(state, Outcome.REJECTED)
    chain.run(state, Outcome.REJECTED)
    assert [attempt.outcome for attempt in state.attempts] == [Outcome.REJECTED, Outcome.CLIENT_FAULT]
    assert state.failed


def test_a_vote_without_a_seat_or_on_another_result_has_no_effect(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.anchor(chain.receipt(state))
    voters = {seat.leaf.node for seat in seats(chain.network, state, state.attempts[0])}
    for node, result in ((2, b"\x01" * 32), (next(iter(voters)), b"\x09" * 32)):
        vote = Vote(task=state.task.id, attempt=0, node=node, result=result, outcome=1, measured=bytes(32))
        chain.anchor(signed(vote))
    assert not state.attempts[0].votes
    assert len(chain.network.refusals) == 2


def test_silent_committees_make_the_attempt_void(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.anchor(chain.receipt(state))
    chain.wait(61)
    chain.anchor()
    assert state.attempts[0].outcome is Outcome.VOID
    assert len(state.attempts) == 2


@pytest.mark.parametrize("when", ["working", "checked"])
def test_attack_a_client_who_cancels_after_the_acceptance_pays_all_the_same(chain: Chain, when: str) -> None:
    """Else it would have its frames for nothing, and their worker would be late for what it was kept from."""
    job = chain.order(chain.spec(frames=1))
    state, cancelled = chain.state(job, 0), {"account": 1, "nonce": chain.nonce}
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    if when == "working":
        chain.emit("OrderCancelled", **cancelled)
    chain.anchor(chain.receipt(state))
    if when == "checked":
        chain.emit("OrderCancelled", **cancelled)
    chain.anchor(*chain.votes(state))
    (attempt,) = state.attempts
    assert (attempt.outcome, chain.network.jobs[job].status) == (Outcome.ACCEPTED, JobStatus.CANCELLED)
    assert not chain.network.refusals and not chain.state(job, 1).attempts, "nothing else of it starts"

    (draft,) = draft_batches(chain.network, MANAGER)
    (leaf,) = draft.documents[0].leaves
    assert (leaf.node, leaf.outcome, leaf.charge) == (attempt.node, Outcome.ACCEPTED, 16_001)
    chain.settle()
    chain.close_epoch(10**9)
    paid = epoch_rewards(chain.network, chain.network.epochs[0]).workers
    record = chain.network.epochs[0].record
    assert list(paid) == [attempt.node] and record.reputation[attempt.node] == 1_000
    assert chain.network.accounts[1].free == 100 * 10**9 - 10**9, "its cap is held until a root frees what is left"
    assert {item.account: item.spent for item in accounts_data(chain.network, 0).accounts} == {1: 16_001}


def test_a_frozen_worker_is_not_drawn(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    message = chain.acceptance(state)
    chain.emit("StatusChanged", node=message[0].node, status=int(NodeStatus.FROZEN))  # type: ignore[attr-defined]
    chain.anchor(message)
    assert state.attempts[0].node == 0
    assert "frozen" in chain.network.refusals[-1]


def test_a_false_anchor_changes_nothing(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    message = chain.acceptance(state)
    chain.anchor(message)
    events = chain.events[:-2]
    anchored = chain.events[-2]
    other = Network(DOMAIN, GENESIS, chain.documents)
    for event in events:
        apply(other, event)
    args = {**anchored.args, "root": b"\x05" * 32}
    apply(other, type(anchored)(anchored.block, anchored.log_index, anchored.timestamp, "test", "Anchored", args))
    assert other.tasks[state.task.id].attempts[0].node == 0
    assert "root" in other.lane(MANAGER).anchors[2].problem


def test_an_epoch_pays_exactly_what_was_minted(chain: Chain) -> None:
    job = chain.order()
    chain.run(chain.state(job, 0), Outcome.REJECTED)
    chain.finish(job)
    chain.settle()
    assert not draft_batches(chain.network, MANAGER)
    assert all(batch.problem == "" for batch in chain.network.batches.values())
    minted = 1_000_000_007
    charge = sum(batch.charge for batch in chain.network.batches.values())
    chain.anchor(chain.answer(2))
    chain.close_epoch(minted)
    data = accounts_data(chain.network, 0)
    matured, vesting = split(nodes_tree(data).root.sum)
    assert matured + vesting == minted
    spent, reserved = split(accounts_tree(data).root.sum)
    assert (spent, reserved) == (charge, 0)
    rewards = epoch_rewards(chain.network, chain.network.epochs[0])
    cheat = chain.state(job, 0).attempts[0].node
    accepted = {state.attempts[-1].node for state in chain.network.jobs[job].tasks}
    assert set(rewards.workers) == accepted | {2}
    assert cheat in accepted or cheat == 2 or cheat not in rewards.workers


def test_a_cancelled_batch_is_proposed_again(chain: Chain) -> None:
    job = chain.order()
    chain.finish(job)
    (draft,) = draft_batches(chain.network, MANAGER)
    chain.propose(draft)
    assert not draft_batches(chain.network, MANAGER)
    chain.emit("BatchCancelled", commitment=draft.commitment)
    assert chain.network.batches[draft.commitment].status is BatchStatus.CANCELLED
    (again,) = draft_batches(chain.network, MANAGER)
    assert again.leaves == draft.leaves


def test_a_falsified_leaf_is_found(chain: Chain) -> None:
    job = chain.order()
    chain.finish(job)
    (draft,) = draft_batches(chain.network, MANAGER)
    forged = draft.documents[0].leaves[0].model_copy(update={"charge": 1})
    leaves = [forged, *draft.documents[0].leaves[1:]]
    document = draft.documents[0].model_copy(update={"leaves": leaves})
    header = {**draft.header, "data": chain.store(document)}
    chain.emit("Proposed", commitment=b"\x01" * 32, header=header)
    assert "root" in chain.network.batches[b"\x01" * 32].problem


@pytest.mark.parametrize("broken", ["another form", "a stranger's account"])
def test_regression_false_accounts_that_became_final_end_nobodys_replay(chain: Chain, broken: str) -> None:
    chain.order()
    chain.close_epoch(0)
    right = accounts_data(chain.network, 0)
    stranger = right.accounts[0].model_copy(update={"account": 99})
    other = right.model_copy(update={"accounts": [*right.accounts, stranger]})
    data = chain.store(other if broken == "a stranger's account" else chain.spec())
    chain.post_accounts(right, data=data)
    chain.emit("AccountsFinalized", epoch=0)
    assert 99 not in chain.network.accounts
    assert chain.network.accounts[1].spent == 0
    chain.order()


@pytest.mark.parametrize("document", ["nowhere", "of other leaves"])
def test_attack_accounts_that_are_shown_on_chain_alone_count_as_what_the_root_says(chain: Chain, document: str) -> None:
    """Who had the document took its word, whatever the root was over; who had none never freed what was paid."""
    chain.close_first_epoch()
    right = accounts_data(chain.network, 0)
    (leaf,) = right.accounts
    false = right.model_copy(update={"accounts": [leaf.model_copy(update={"spent": leaf.spent + 10**11})]})
    chain.post_accounts(right, data=chain.store(false) if document == "of other leaves" else b"\xee" * 32)
    empty = {"account": 0, "spent": 0, "reserved": 0}
    chain.emit("AccountsShown", index=1, chunk=0, leaves=[empty, leaf.model_dump()])
    chain.wait(86_400)
    chain.emit("AccountsFinalized", epoch=0)
    account = chain.network.accounts[1]
    assert (account.spent, account.reserved, account.caps) == (leaf.spent, leaf.reserved, [])


def test_regression_a_roster_of_unregistered_nodes_is_nobodys_and_costs_no_memory(chain: Chain) -> None:
    leaves = roster_leaves(chain.network, RosterKind.WORKERS)
    data = RosterData(kind=1, leaves=[*leaves, leaves[-1].model_copy(update={"node": 2**32 - 1})])
    chain.post_roster(RosterKind.WORKERS, 2, leaves, data=chain.store(data))
    assert chain.network.posted_rosters[RosterKind.WORKERS, 2].roster is None
    chain.post_roster(RosterKind.WORKERS, 3, leaves)
    assert chain.network.posted_rosters[RosterKind.WORKERS, 3].roster is not None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"quote_signature": "0x" + "00" * 65}, "its quote: "),
        ({"assemble_work": 100_000}, "less than a tenth of a frame"),
    ],
)
def test_regression_work_that_no_manager_quoted_is_void(chain: Chain, changes: dict[str, Any], says: str) -> None:
    job = chain.network.jobs[chain.order(chain.spec(**changes))]
    assert job.status is JobStatus.VOID
    assert says in job.reason
    assert not job.tasks


def test_regression_a_quote_stands_for_its_own_work_manager_and_time(chain: Chain) -> None:
    spec = chain.spec()
    cheaper = spec.model_copy(update={"work": spec.work - 1})
    assert "not signed by the manager" in chain.network.jobs[chain.order(cheaper)].reason
    assert "expired" in chain.network.jobs[chain.order(chain.spec(quote_expires=chain.time - 1))].reason
    other = spec.model_copy(update={"request": spec.request.model_copy(update={"manager": MANAGER + 1})})
    assert "another manager's" in chain.network.jobs[chain.order(other)].reason
    assert chain.network.jobs[chain.order(spec)].tasks


def test_a_quote_outlives_the_operator_that_signed_it(chain: Chain) -> None:
    spec = chain.spec()
    chain.emit("OperatorChanged", node=MANAGER, operator=address(77))
    assert chain.network.jobs[chain.order(spec)].tasks


def test_regression_what_a_silent_manager_had_checked_is_heard_in_its_lane_or_void(chain: Chain) -> None:
    """A take-over moved a received attempt, and its committee came from another lane's anchor of that number."""
    other = 50
    chain.emit(
        "NodeRegistered", node=other, owner=address(150), operator=address(other), role=3, licence=other,
        sealing_key=bytes(32), price=0,
    )  # fmt: skip
    job = chain.order(chain.spec(frames=1, attempt_seconds=5_000))
    state = chain.state(job, 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.anchor(chain.receipt(state))
    drawn = seats(chain.network, state, state.attempts[0])
    chain.wait(12)
    assert (len(state.attempts), state.attempts[0].status) == (1, AttemptStatus.RECEIVED)
    chain.emit("JobTakenOver", job=job, from_manager=MANAGER, by_manager=other, from_anchors=3, by_anchors=0)
    assert chain.network.jobs[job].manager == other
    assert (state.attempts[0].lane, seats(chain.network, state, state.attempts[0])) == (MANAGER, drawn)
    chain.wait(61)
    chain.network.tick(chain.time)
    assert state.attempts[0].outcome is Outcome.VOID
    assert (state.attempts[1].lane, state.attempts[1].seed_anchor) == (other, None)


def take_over(chain: Chain, job: bytes, by: int = 50) -> None:
    anchors = chain.network.lane(MANAGER).anchored
    chain.emit("JobTakenOver", job=job, from_manager=MANAGER, by_manager=by, from_anchors=anchors, by_anchors=0)


def test_a_take_over_of_another_than_the_orders_manager_moves_nothing(chain: Chain) -> None:
    job = chain.order()
    chain.emit("JobTakenOver", job=job, from_manager=51, by_manager=50, from_anchors=0, by_anchors=0)
    assert chain.network.jobs[job].manager == MANAGER
    take_over(chain, job)
    assert chain.network.jobs[job].manager == 50


def test_a_take_over_that_came_before_its_order_counts_as_the_contract_says(chain: Chain) -> None:
    """The contract knows no orders: it would call the order's manager a liar for a job that it went on with."""
    spec = chain.spec()
    foreseen = Order(
        account=1, nonce=chain.nonce + 1, manager=MANAGER, spec=chain.store(spec), cap=10**9, price=20_000_000,
        attempts=3, deadline=chain.time + 86_400, post_by=chain.time + 600,
    )  # fmt: skip
    take_over(chain, foreseen.digest(DOMAIN))
    job = chain.order(spec)
    assert job == foreseen.digest(DOMAIN)
    assert chain.network.jobs[job].manager == 50
    assert {attempt.lane for state in chain.network.jobs[job].tasks for attempt in state.attempts} == {50}


def test_a_take_over_moves_a_worker_at_work_for_a_job_that_has_ended(chain: Chain) -> None:
    """Its receipt comes after the take-over: the contract takes it for the taker's."""
    job = chain.order(chain.spec(frames=1, attempt_seconds=5_000))
    state = chain.state(job, 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.emit("OrderCancelled", account=1, nonce=chain.nonce)
    assert chain.network.jobs[job].status is JobStatus.CANCELLED
    take_over(chain, job)
    assert state.attempts[0].lane == 50


def test_every_leaf_that_the_rules_give_is_in_the_lane_that_the_contract_gives_it(chain: Chain) -> None:
    job = chain.order(chain.spec(frames=2))
    chain.run(chain.state(job, 0))
    take_over(chain, job)
    found = chain.network.jobs[job]
    ((state, attempt),) = ready(chain.network, MANAGER)
    assert is_in_lane(found, MANAGER, outcome_leaf(chain.network, state, attempt).anchor)
    assert [is_in_lane(found, who, 9) for who in (MANAGER, 50, 51)] == [False, True, False]
    assert [is_in_lane(found, who, 0) for who in (MANAGER, 50, 51)] == [True, True, False], "late, without a receipt"


def test_nobody_proposes_what_it_sees_in_the_other_lane_of_a_job_taken_over(chain: Chain) -> None:
    job = chain.order(chain.spec(frames=1))
    chain.run(chain.state(job, 0))
    take_over(chain, job)
    ((state, attempt),) = ready(chain.network, MANAGER)
    copied = outcome_leaf(chain.network, state, attempt).model_copy(update={"anchor": 1})
    copy = chain.propose(draft_batch(50, 1, 1, [copied], bytes(32)))
    assert ready(chain.network, MANAGER) == []
    chain.emit("BatchCancelled", commitment=copy)
    assert ready(chain.network, MANAGER) == [(state, attempt)]


def test_a_raised_price_is_neither_drawn_nor_charged_before_the_next_roster(chain: Chain) -> None:
    """The notice of a price is the next roster, with its window."""

    def charged() -> set[int]:
        job = chain.order()
        chain.finish(job)
        works = {state.task.id: state.task.work for state in chain.network.jobs[job].tasks}
        leaves = [leaf for draft in draft_batches(chain.network, MANAGER) for leaf in draft.leaves]
        prices = {state.attempts[-1].price for state in chain.network.jobs[job].tasks}
        for price in prices:
            fees = [fee_of(NanoIbm(works[leaf.task]), NanoUsd(price)) for leaf in leaves]
            assert [leaf.charge for leaf in leaves] == fees
        chain.settle()
        return prices

    def raised(price: int) -> None:
        for node in WORKERS:
            chain.emit("PriceChanged", node=node, price=price)

    raised(18_000_000)
    assert charged() == {16_000_000}
    chain.post_roster(RosterKind.WORKERS, 2, roster_leaves(chain.network, RosterKind.WORKERS))
    assert charged() == {16_000_000}, "one that waits for its window is not drawn from"
    chain.emit("RosterFinalized", kind=int(RosterKind.WORKERS), index=2)
    assert charged() == {18_000_000}
    raised(20_000_001)
    assert charged() == {18_000_000}
    chain.post_rosters(3)
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    assert state.attempts[0].status is not AttemptStatus.ACCEPTED
    assert "price" in chain.network.refusals[-1], "more than the order pays"
