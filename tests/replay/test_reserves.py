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
