# SPDX-License-Identifier: Apache-2.0
"""Holes in the books that tests/stateful found: what was paid back twice, what changed after it was shared out."""

from collections.abc import Iterator

import pytest
from eth_utils.crypto import keccak

from inferix.models.roles import Outcome
from inferix.replay.accounting import accounts_data, nodes_tree
from inferix.replay.jobs import JobStatus
from inferix.replay.settlement import draft_batches
from inferix.trees import split
from inferix.units import fee_of
from tests.replay.chain import MANAGER, Chain

DAY = 86_400


@pytest.fixture
def chain() -> Iterator[Chain]:
    chain = Chain()
    chain.start()
    yield chain
    assert not chain.network.missing


def deliver(chain: Chain, job: bytes) -> None:
    """Every task of a job, accepted."""
    for state in chain.network.jobs[job].tasks:
        chain.run(state, Outcome.ACCEPTED)


def reserved(chain: Chain, epoch: int) -> int:
    """Of the only account, at an epoch's end."""
    return accounts_data(chain.network, epoch).accounts[0].reserved


def test_regression_a_cap_under_what_the_tasks_may_cost_voids_the_order(chain: Chain) -> None:
    spec = chain.spec(work=10**12, assemble_work=10**11)
    price = 20_000_000
    fees = sum(fee_of(task.work, price) for task in spec.tasks(bytes(32)))
    short = chain.network.jobs[chain.order(spec, price=price, cap=fees - 1)]
    assert (short.status, "may cost" in short.reason) == (JobStatus.VOID, True)
    assert chain.network.jobs[chain.order(spec, price=price, cap=fees)].status is JobStatus.POSTED


def test_regression_a_proposed_batch_keeps_its_reserve_however_late_it_becomes_final(chain: Chain) -> None:
    job = chain.order(deadline=chain.time + DAY)
    deliver(chain, job)
    end = chain.network.jobs[job].order.deadline + 3 * DAY
    chain.wait(end - 10 - chain.time)
    (draft,) = draft_batches(chain.network, MANAGER)
    commitment = chain.propose(draft)
    chain.network.tick(chain.network.epoch_end(1) + 1)
    assert chain.network.epoch_end(0) < end < chain.network.epoch_end(1)
    assert reserved(chain, 1) == chain.network.jobs[job].order.cap
    chain.wait(chain.network.time - chain.time)
    chain.emit("BatchFinalized", commitment=commitment, epoch=2)
    assert reserved(chain, 1) == chain.network.jobs[job].order.cap
    assert reserved(chain, 2) == 0
    assert accounts_data(chain.network, 2).accounts[0].spent == draft.header["charge"]


def test_regression_nothing_is_proposed_once_its_reserve_is_paid_back(chain: Chain) -> None:
    job = chain.order(deadline=chain.time + DAY)
    deliver(chain, job)
    end = chain.network.jobs[job].order.deadline + 3 * DAY
    chain.network.tick(end - 1)
    (draft,) = draft_batches(chain.network, MANAGER)
    chain.network.tick(end)
    assert not draft_batches(chain.network, MANAGER)
    assert reserved(chain, 1) == 0
    assert draft.leaves


def test_a_batch_that_fell_late_is_proposed_again_for_two_days_and_keeps_its_reserve(chain: Chain) -> None:
    job = chain.order(deadline=chain.time + DAY)
    deliver(chain, job)
    (draft,) = draft_batches(chain.network, MANAGER)
    commitment = chain.propose(draft)
    chain.wait(6 * DAY - 3_600)
    chain.emit("BatchCancelled", commitment=commitment)
    fell = chain.time
    chain.network.tick(fell + 2 * DAY - 1)
    assert draft_batches(chain.network, MANAGER)
    assert fell < chain.network.epoch_end(1) < fell + 2 * DAY
    assert reserved(chain, 1) == chain.network.jobs[job].order.cap
    chain.network.tick(fell + 2 * DAY)
    assert not draft_batches(chain.network, MANAGER)
    assert reserved(chain, 2) == 0


def pause(chain: Chain, at: int, until: int, planned: int = 0) -> None:
    """A pause between two times; ``planned``: until when it was to last, where it was ended early."""
    chain.wait(at - chain.time)
    chain.emit("Paused", until=planned or until)
    chain.wait(until - at)
    if planned:
        chain.emit("Resumed", at=until)


@pytest.mark.parametrize(("begins", "planned"), [(-DAY // 2, 0), (DAY, 0), (2 * DAY, 9 * DAY)])
def test_attack_a_pause_ends_no_work_that_waits_to_be_proposed(chain: Chain, begins: int, planned: int) -> None:
    """No lane proposes in a pause, and it lasts longer than the 72 hours after the deadline: what was checked stayed unpaid.

    ``begins``, ``planned``: seconds after the deadline."""
    job = chain.order(deadline=chain.time + DAY)
    deliver(chain, job)
    deadline = chain.network.jobs[job].order.deadline
    began = deadline + begins
    pause(chain, began, began + 5 * DAY, deadline + planned if planned else 0)
    end = began + 5 * DAY + 3 * DAY - max(begins, 0)
    assert draft_batches(chain.network, MANAGER)
    chain.network.tick(end - 1)
    (draft,) = draft_batches(chain.network, MANAGER)
    assert draft.leaves
    chain.network.tick(end)
    assert not draft_batches(chain.network, MANAGER)


def test_attack_a_pause_frees_no_reserve_of_work_that_waits_to_be_proposed(chain: Chain) -> None:
    """Freed while the work can still be proposed, its charge would be other clients' credit."""
    job = chain.order(deadline=chain.time + DAY)
    deliver(chain, job)
    deadline = chain.network.jobs[job].order.deadline
    first = chain.network.epoch_at(deadline + 3 * DAY)
    assert deadline + 3 * DAY < chain.network.epoch_end(first) < deadline + 7 * DAY
    pause(chain, deadline + DAY, deadline + 8 * DAY)
    end = deadline + 10 * DAY
    chain.network.tick(end + 7 * DAY)
    held = [reserved(chain, epoch) for epoch in range(first + 4)]
    ends = [chain.network.epoch_end(epoch) for epoch in range(first + 4)]
    assert held == [chain.network.jobs[job].order.cap * (time < end) for time in ends]
    assert 0 in held[first + 1 :]
    assert all(held[: first + 2])


def test_attack_a_pause_leaves_two_days_of_protocol_time_to_propose_anew_what_fell(chain: Chain) -> None:
    job = chain.order(deadline=chain.time + DAY)
    deliver(chain, job)
    (draft,) = draft_batches(chain.network, MANAGER)
    commitment = chain.propose(draft)
    chain.wait(6 * DAY)
    chain.emit("BatchCancelled", commitment=commitment)
    fell = chain.time
    pause(chain, fell + 3_600, fell + 3_600 + 7 * DAY)
    end = fell + 9 * DAY
    chain.network.tick(end - 1)
    assert draft_batches(chain.network, MANAGER)
    chain.network.tick(end)
    assert not draft_batches(chain.network, MANAGER)
    inside = chain.network.epoch_at(fell + 2 * DAY)
    assert fell + 2 * DAY < chain.network.epoch_end(inside) < end
    assert reserved(chain, inside) == chain.network.jobs[job].order.cap
    assert reserved(chain, chain.network.epoch_at(end)) == 0


@pytest.mark.parametrize("begins", [-2 * DAY, 3 * DAY])
def test_pauses_before_the_deadline_and_after_the_72_hours_add_nothing(chain: Chain, begins: int) -> None:
    job = chain.order(deadline=chain.time + 3 * DAY)
    deliver(chain, job)
    deadline = chain.network.jobs[job].order.deadline
    if begins < 0:
        pause(chain, deadline + begins, deadline + begins + DAY)
    end = deadline + 3 * DAY
    chain.network.tick(end - 1)
    assert draft_batches(chain.network, MANAGER)
    if begins > 0:
        pause(chain, deadline + begins, deadline + begins + 6 * DAY)
    chain.network.tick(end)
    assert not draft_batches(chain.network, MANAGER)
    after = chain.network.epoch_at(end)
    chain.network.tick(chain.network.epoch_end(after) + 1)
    assert reserved(chain, after) == 0


def test_where_a_term_ends_never_depends_on_later_events(chain: Chain) -> None:
    """As the clock says, at each time before and after, whatever pauses follow."""
    network, start = chain.network, chain.time
    for begins, ends in [(DAY, 3 * DAY), (34 * DAY, 41 * DAY)]:
        pause(chain, start + begins, start + ends)
    chain.network.tick(start + 60 * DAY)
    for since in range(start - DAY, start + 45 * DAY, DAY // 2):
        end = network.ends_at(since, 3 * DAY)
        assert network.clock(end) - network.clock(since) == 3 * DAY
        assert network.clock(end - 1) - network.clock(since) == 3 * DAY - 1
        network.pauses, known = [pause for pause in network.pauses if pause[0] < end], network.pauses
        assert network.ends_at(since, 3 * DAY) == end
        network.pauses = known


@pytest.mark.parametrize(("name", "value"), [("matured_bps", 0), ("poc_bps", 10_000), ("worker_vesting", 365 * DAY)])
def test_regression_what_an_epoch_gave_is_the_same_whatever_is_governed_later(
    chain: Chain, name: str, value: int
) -> None:
    deliver(chain, chain.order())
    chain.settle()
    chain.anchor(chain.answer(2))
    chain.close_epoch(10**18)
    before = split(nodes_tree(accounts_data(chain.network, 0)).root.sum)
    chain.emit("ParameterSet", name=keccak(text=name), value=value)
    assert split(nodes_tree(accounts_data(chain.network, 0)).root.sum) == before
