# SPDX-License-Identifier: Apache-2.0
"""Leases: an order without a price, the receipt of the machine that it names, a leaf in a batch of leases; nothing else."""

from typing import Any

import pytest

from inferix.messages import Acceptance, Receipt
from inferix.models.anchor import BatchLeaf
from inferix.models.job import LEASE_INDEX, LeaseSpec, task_id
from inferix.models.roles import Outcome
from inferix.money import OnChain, holdings
from inferix.replay.accounting import accounts_data, epoch_rewards
from inferix.replay.answers import votes_answer
from inferix.replay.attempts import seats
from inferix.replay.explain import explain_task
from inferix.replay.leaves import is_managers, why_false
from inferix.replay.settlement import LEASES, draft_batch, draft_batches, unpaid_leases
from inferix.replay.state import AttemptStatus, Batch, JobStatus, TaskState
from keepers.anchor import LaneNow, needs_seed
from keepers.epoch import uncollected
from keepers.lies import examine
from keepers.takeover import _waits
from tests.replay.chain import COIN, MANAGER, VERIFIERS, WORKERS, Chain, address, block_hash, signed

COST = 20 * 10**9
NODE = WORKERS[0]


def lease(chain: Chain, node: int = NODE, **changes: Any) -> bytes:
    spec = LeaseSpec(node=node, terms=b"\x09" * 32)
    return chain.order(spec, **({"price": 0, "cap": COST, "attempts": 1} | changes))


def receipt(state: TaskState, node: int = NODE) -> Any:
    return signed(Receipt(task=state.task.id, attempt=0, node=node, result=b"\x01" * 32))


def handed_over(chain: Chain, **changes: Any) -> TaskState:
    state = chain.state(lease(chain, **changes), 0)
    chain.anchor(receipt(state))
    return state


def proposed(chain: Chain, leaves: list[BatchLeaf], coin: int = LEASES) -> Batch:
    live = chain.network.lane(MANAGER).batches
    previous = live[-1] if live else bytes(32)
    draft = draft_batch(MANAGER, len(live) + 1, coin, leaves, previous)
    return chain.network.batches[chain.propose(draft)]


# -- orders


def test_a_lease_has_one_task_that_nobody_is_drawn_for(chain: Chain) -> None:
    job = lease(chain)
    (state,) = chain.network.jobs[job].tasks
    assert (state.task.id, state.task.work) == (task_id(job, LEASE_INDEX), 0)
    (attempt,) = state.attempts
    assert (attempt.status, attempt.node) == (AttemptStatus.LEASED, NODE)
    chain.anchor()
    assert attempt.status is AttemptStatus.LEASED, "no seed draws for it"
    taken = Acceptance(task=state.task.id, attempt=0, node=WORKERS[1], draw=0)
    chain.anchor(signed(taken))
    assert chain.network.refusals[-1].endswith("the attempt is not being drawn")
    now = LaneNow(anchors=chain.anchors, sealed=chain.anchors, block=1, anchored_at=1, head=1, time=chain.time)
    assert not needs_seed(chain.network, MANAGER, now) and not _waits(chain.network.jobs[job])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"node": VERIFIERS[0]}, "its spec names no worker"),
        ({"node": 99}, "its spec names no worker"),
        ({"cap": 10**7 - 1}, "its cap is under 0.01 USD a task"),
        ({"cap": 101 * 10**9}, "its cap is above the account's free credit"),
        ({"signer": MANAGER}, "it is not signed by the owner of the account"),
        ({"price": 1}, "its price is under the floor"),
    ],
)
def test_an_order_of_a_lease_is_held_to_the_rules(chain: Chain, changes: dict[str, Any], reason: str) -> None:
    job = chain.network.jobs[lease(chain, **changes)]
    assert (job.status, job.reason, job.tasks) == (JobStatus.VOID, reason, [])


def test_a_job_to_be_rendered_is_none_without_a_price(chain: Chain) -> None:
    job = chain.network.jobs[chain.order(price=0)]
    assert job.status is JobStatus.VOID and job.reason.startswith("its spec is malformed")
    job = chain.network.jobs[lease(chain, price=20_000_000)]
    assert job.status is JobStatus.VOID and job.reason.startswith("its spec is malformed")
    render = chain.network.jobs[chain.order()]
    assert LEASE_INDEX not in [state.task.index for state in render.tasks]


# -- outcomes


def test_the_receipt_of_the_named_machine_ends_a_lease(chain: Chain) -> None:
    job = lease(chain)
    state = chain.state(job, 0)
    chain.anchor(receipt(state, WORKERS[1]))
    assert chain.network.refusals[-1].endswith("another node, or none, has accepted this attempt")
    chain.anchor(receipt(state))
    (attempt,) = state.attempts
    assert (attempt.outcome, chain.network.jobs[job].status) == (Outcome.LEASED, JobStatus.COMPLETE)
    assert seats(chain.network, state, attempt) == []
    assert explain_task(chain.network, state.task.id)["attempts"][0]["outcome"] == "leased"
    (draft,) = draft_batches(chain.network, MANAGER)
    (leaf,) = draft.leaves
    assert draft.header["coin"] == LEASES and draft.header["work"] == 0
    assert (leaf.charge, leaf.work, leaf.node, leaf.outcome) == (COST, 0, NODE, Outcome.LEASED)
    assert (leaf.votes, leaf.voters) == (bytes(32), bytes(32))


@pytest.mark.parametrize("end", ["cancelled", "expired"])
def test_a_lease_that_is_not_handed_over_costs_nothing(chain: Chain, end: str) -> None:
    state = chain.state(lease(chain), 0)
    if end == "cancelled":
        chain.emit("OrderCancelled", account=1, nonce=chain.nonce)
    else:
        chain.wait(86_401)
    chain.anchor(receipt(state))
    assert chain.network.refusals[-1].endswith("this attempt is not open")
    assert draft_batches(chain.network, MANAGER) == []
    chain.close_epoch(0)
    assert accounts_data(chain.network, 0).accounts[0].reserved == 0


def test_leases_and_work_are_in_batches_of_their_own(chain: Chain) -> None:
    job = chain.order()
    chain.run(chain.state(job, 0))
    handed_over(chain)
    first, second = draft_batches(chain.network, MANAGER)
    assert (first.header["coin"], second.header["coin"]) == (0, LEASES)
    assert second.header["previous"] == first.commitment
    assert not why_false(chain.network, proposed(chain, first.leaves, 0), first.leaves[0])
    assert not why_false(chain.network, proposed(chain, second.leaves), second.leaves[0])


# -- what is false


@pytest.mark.parametrize("marked", [True, False])
def test_a_leaf_among_the_wrong_kind_is_its_managers_lie(chain: Chain, marked: bool) -> None:
    chain.run(chain.state(chain.order(), 0), Outcome.CLIENT_FAULT)
    handed_over(chain)
    work, leases = draft_batches(chain.network, MANAGER)
    leaf = (work if marked else leases).leaves[0]
    batch = proposed(chain, [leaf], LEASES if marked else 0)
    assert why_false(chain.network, batch, leaf) == "is paid in another coin"
    assert is_managers(chain.network, batch, leaf)
    found = examine(chain.network, batch, block_hash)
    assert (found.proofs, found.doubts, found.beyond[0].place) == ([], [], 0), "a panel's to decide"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"charge": COST - 1}, "has another charge"),
        ({"node": WORKERS[1]}, "has another node"),
        ({"account": 2}, "has another account"),
        ({"work": 1}, "has another work"),
        ({"outcome": Outcome.ACCEPTED}, "has another outcome"),
    ],
)
def test_a_lease_that_is_not_as_ordered_is_false(chain: Chain, changes: dict[str, Any], says: str) -> None:
    handed_over(chain)
    (leaf,) = draft_batches(chain.network, MANAGER)[0].leaves
    leaf = leaf.model_copy(update=changes)
    batch = proposed(chain, [leaf])
    assert why_false(chain.network, batch, leaf) == says and is_managers(chain.network, batch, leaf)


def test_attack_a_lease_on_the_order_of_a_job_is_false_and_unanswerable(chain: Chain) -> None:
    handed_over(chain)
    (leaf,) = draft_batches(chain.network, MANAGER)[0].leaves
    job = chain.order()
    for task in (task_id(job, LEASE_INDEX), chain.state(job, 0).task.id):
        false = leaf.model_copy(update={"task": task})
        batch = proposed(chain, [false])
        assert why_false(chain.network, batch, false)
        (doubt,) = examine(chain.network, batch, block_hash).doubts
        assert doubt.sure, "no order and receipt answer for it"


def test_order_and_receipt_answer_for_a_right_one(chain: Chain) -> None:
    state = handed_over(chain)
    batch = proposed(chain, draft_batches(chain.network, MANAGER)[0].leaves)
    answer = votes_answer(chain.network, batch, 0, block_hash)
    job = chain.network.jobs[state.task.job]
    assert (answer["votes"], answer["members"], answer["earlier"]) == (b"", [], [])
    assert (answer["order"], answer["task_index"]) == (job.order.record(job.signature), LEASE_INDEX)
    assert list(answer)[:3] == ["votes", "roster", "members"] and list(answer)[-1] == "earlier"


# -- money


def test_a_lease_is_spent_and_earns_nothing_of_the_mint(chain: Chain) -> None:
    handed_over(chain)
    chain.settle()
    chain.close_epoch(37 * 10**18)
    rewards = epoch_rewards(chain.network, chain.network.epochs[0])
    assert (rewards.workers, rewards.verifiers, rewards.managers) == ({}, {}, {})
    data = accounts_data(chain.network, 0)
    assert (data.accounts[0].spent, data.accounts[0].reserved) == (COST, 0)
    assert chain.network.epochs[0].record.reputation == {}


def test_leases_are_nothing_to_collect_and_owed_to_their_owners_until_paid(chain: Chain) -> None:
    state = handed_over(chain)
    chain.settle()
    assert uncollected(chain.network) == []
    assert [leaf.task for _, _, leaf in unpaid_leases(chain.network)] == [state.task.id]
    owner = address(100 + NODE)
    rows = [row for row in holdings(chain.network, owner, OnChain(), None) if row.call == "Leases.pay"]
    assert [(row.amount, row.unit, row.state) for row in rows] == [(19 * 10**9, "ifxDollar", "claimable")]
    pay(chain, state)
    assert list(unpaid_leases(chain.network)) == []
    assert not [row for row in holdings(chain.network, owner, OnChain(), None) if row.call == "Leases.pay"]


def pay(chain: Chain, state: TaskState, **changes: Any) -> None:
    paid = {"task": state.task.id, "node": NODE, "owner": address(100 + NODE), "coin": COIN, "charge": COST}
    chain.emit("LeasePaid", **(paid | {"provided": 19 * 10**6, "foundation": 10**6} | changes))
