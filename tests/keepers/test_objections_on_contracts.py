# SPDX-License-Identifier: Apache-2.0
"""The keeper's objections, taken by the real contracts: false batches fall, each by its kind, and honest ones stand."""

from functools import partial
from typing import Any

import pytest

from inferix.messages import Receipt, outcome_record
from inferix.models.anchor import BatchLeaf
from inferix.models.roles import BatchStatus, Lie, Outcome
from inferix.replay.settlement import outcome_leaf
from inferix.replay.state import Batch
from keepers.disputes import decide_expiry
from keepers.lies import SEEN_AFTER, examine
from keepers.objections import Objection, decide_faults, decide_objections
from tests.contracts.system import Node, block_hash
from tests.keepers.live import Live

PATIENCE = 1_800


def objections(live: Live, **settings: Any) -> list[Objection]:
    """What the other manager's keeper has against the lane's batches."""
    look = partial(examine, live.network, block_hash=block_hash, **settings)
    found, _ = decide_objections(live.network, live.other_keeper.id, PATIENCE, True, look)
    assert len(found) <= 1
    return found[0] if found else []


def object_to(live: Live, batch: Batch, **settings: Any) -> Objection:
    """The keeper's first objection, sent; what asks is waited for in vain, and expired."""
    first = objections(live, **settings)[0]
    live.send(first.step, live.other_keeper.operator if first.is_staked else live.fresh_key("anybody"))
    if first.is_staked:
        assert objections(live) == [], "one at a time"
        live.wait(live.window("answer_window") + 1)
        (expiry,) = decide_expiry(live.network, live.other_keeper.id)
        live.send(expiry, live.fresh_key("anybody"))
    assert live.network.batches[batch.commitment].status is BatchStatus.CANCELLED
    return first


def hand_in(live: Live, *leaves: BatchLeaf, manager: Node | None = None) -> Batch:
    return live.hand_in(live.serve(live.draft(list(leaves), manager)), manager)


def test_an_honest_batch_meets_no_objection(live: Live) -> None:
    state = live.state(live.order())
    for outcome in (Outcome.REJECTED, Outcome.REJECTED):
        live.run(state, outcome)
    live.ready()
    live.settle_ready()
    live.wait(PATIENCE)
    assert objections(live) == []


def test_nobody_objects_to_its_own_batch(live: Live) -> None:
    hand_in(live, live.fabricated())
    assert decide_objections(
        live.network, live.keeper.id, 0, True, partial(examine, live.network, block_hash=block_hash)
    ) == ([], {})
    assert objections(live)


@pytest.mark.parametrize(
    ("changes", "lie"),
    [
        ({"account": 2}, Lie.ORDER),
        ({"charge": 10**9 + 1, "work": 10**12}, Lie.ORDER),
        ({"charge": 10**8 + 1}, Lie.ORDER),
        ({"attempt": 4}, Lie.ORDER),
    ],
)
def test_a_leaf_against_its_order_falls_by_proof(live: Live, changes: dict[str, int], lie: Lie) -> None:
    batch = hand_in(live, live.ready().model_copy(update=changes))
    assert object_to(live, batch).step[1] == "prove_order"
    assert live.network.batches[batch.commitment].lie is lie


def test_another_lanes_task_falls_by_proof__and_stays_its_own_managers(live: Live) -> None:
    leaf = live.ready()
    copy = hand_in(live, leaf, manager=live.other_keeper)
    own = live.settle_ready()
    assert own.leaves == [leaf]
    found, _ = decide_objections(
        live.network, live.keeper.id, 0, False, partial(examine, live.network, block_hash=block_hash)
    )
    assert [item.step[1] for item in found[0]] == ["prove_order"]
    live.send(found[0][0].step, live.challenger)
    assert live.network.batches[copy.commitment].status is BatchStatus.CANCELLED
    assert live.network.batches[own.commitment].status is BatchStatus.PROPOSED


def test_a_task_settled_twice_falls_by_proof(live: Live) -> None:
    leaf = live.ready()
    first, second = hand_in(live, leaf), hand_in(live, leaf)
    assert object_to(live, second).step[1] == "prove_duplicate"
    assert live.network.batches[first.commitment].status is BatchStatus.PROPOSED


def test_a_task_accepted_twice_in_a_batch_falls_by_proof(live: Live) -> None:
    leaf = live.ready()
    batch = hand_in(live, leaf, leaf.model_copy(update={"attempt": 1}))
    assert object_to(live, batch).step[1] == "prove_duplicate"


def test_leaves_out_of_order_fall_by_proof(live: Live) -> None:
    leaves = sorted([live.ready(), live.ready()], key=lambda leaf: leaf.task, reverse=True)
    assert object_to(live, hand_in(live, *leaves)).step[1] == "prove_duplicate"


def test_false_records_fall_by_proof(live: Live) -> None:
    leaf = live.ready()
    draft = live.serve(live.draft([leaf]))
    records = outcome_record(leaf.task, leaf.node, leaf.charge + 1, leaf.outcome)
    batch = live.hand_in(draft, posted=records)
    assert objections(live) == [], "the records are in the transaction alone"
    assert object_to(live, batch, records=records).step[1] == "prove_record"


def test_false_totals_fall_by_proof(live: Live) -> None:
    leaves = sorted([live.ready(), live.ready()], key=lambda leaf: leaf.task)
    draft = live.serve(live.draft(leaves))
    batch = live.hand_in(draft, charge=int(draft.header["charge"]) + 5)
    assert batch.problem
    assert object_to(live, batch).step[1] == "prove_wrong_sum"


def test_false_totals_of_a_single_leaf_have_no_data(live: Live) -> None:
    draft = live.serve(live.draft([live.ready()]))
    batch = live.hand_in(draft, charge=int(draft.header["charge"]) + 5)
    assert object_to(live, batch).step[1] == "challenge_data"


def test_a_hidden_leaf_has_no_data(live: Live) -> None:
    leaves = sorted([live.ready(), live.ready()], key=lambda leaf: leaf.task)
    draft = live.serve(live.draft(leaves))
    batch = live.hand_in(draft, posted=draft.records[:12], count=1)
    assert object_to(live, batch).step[1] == "challenge_data"


def test_data_that_are_not_served_fall_after_the_patience(live: Live) -> None:
    draft = live.draft([live.ready()])
    batch = live.hand_in(draft)
    assert objections(live) == []
    live.wait(PATIENCE)
    assert object_to(live, batch).step[1] == "challenge_data"


def test_data_that_are_served_late_meet_no_objection(live: Live) -> None:
    draft = live.draft([live.ready()])
    live.hand_in(draft)
    live.wait(PATIENCE)
    live.serve(draft)
    live.replay()
    assert objections(live) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": Outcome.ACCEPTED, "work": 10**9, "charge": 10**6},
        {"outcome": Outcome.LATE, "charge": 1},
        {"outcome": Outcome.REJECTED, "anchor": 99},
        {"outcome": Outcome.UNSERVED},
    ],
)
def test_a_task_that_nobody_ordered_falls_by_its_votes(live: Live, changes: dict[str, Any]) -> None:
    batch = hand_in(live, live.fabricated(**changes))
    first = object_to(live, batch)
    assert (first.step[1], first.is_staked) == ("challenge_votes", True)
    assert live.staking.frozen(live.other_keeper.id) == 0, "the bond came back"


@pytest.mark.parametrize(
    ("changes", "is_sure"),
    [
        ({"outcome": Outcome.REJECTED, "charge": 0, "work": 0}, False),
        ({"result": b"\7" * 32}, True),
        ({"node": 99}, True),
        ({"voters": (99).to_bytes(4, "big").ljust(32, b"\0")}, True),
    ],
)
def test_what_the_votes_do_not_give_falls_by_its_votes(live: Live, changes: dict[str, Any], is_sure: bool) -> None:
    """What another document could still explain is given its time."""
    batch = hand_in(live, live.ready().model_copy(update=changes))
    assert bool(objections(live)) is is_sure
    live.wait(PATIENCE)
    assert object_to(live, batch).step[1] == "challenge_votes"


def test_a_leaf_that_names_a_later_anchor_falls_by_proof(live: Live) -> None:
    """A receipt counts at its first anchor: what the lane anchors again, for another seed, changes nothing."""
    state = live.state(live.order())
    live.deliver(state)
    attempt = state.attempts[0]
    fields = {"task": state.task.id, "attempt": 0, "node": attempt.node}
    live.anchor(live.sign(Receipt(**fields, result=attempt.result)))
    later = max(live.network.lane(live.keeper.id).anchors)
    live.cast(live.seated(state)[:3], state, Outcome.ACCEPTED)
    leaf = outcome_leaf(live.network, state, attempt)
    assert leaf.anchor < later
    batch = hand_in(live, leaf.model_copy(update={"anchor": later}))
    assert object_to(live, batch).step[1] == "prove_anchor"
    assert live.network.batches[batch.commitment].lie is Lie.ANCHOR


@pytest.mark.parametrize("field", ["work", "charge"])
def test_what_no_contract_decides_and_the_manager_alone_wrote_goes_to_a_panel(live: Live, field: str) -> None:
    """More work, a charge below the order's price: order, receipt and votes answer for these, so no dispute is opened."""
    leaf = live.ready()
    changes = {"work": leaf.work + 1, "charge": leaf.charge - 1}
    batch = hand_in(live, leaf.model_copy(update={field: changes[field]}))
    live.wait(PATIENCE)
    look = partial(examine, live.network, block_hash=block_hash)
    assert decide_objections(live.network, live.other_keeper.id, PATIENCE, True, look) == ([], {})
    (fault,) = decide_faults(live.network, live.other_keeper.id, PATIENCE, look)
    assert (fault.batch, fault.places) == (batch, (0,))
    assert fault.says.endswith(f"task {leaf.task.hex()[:12]} attempt 0 has another {field}")
    assert fault.step[1] == "object_outcomes"
    assert decide_faults(live.network, live.keeper.id, PATIENCE, look) == [], "not against oneself"


def take_over(live: Live, leaf: BatchLeaf) -> int:
    """The other manager takes the leaf's job over; how many anchors its own lane has."""
    live.seal_anchor(live.other_keeper)
    live.take_over(live.network.tasks[leaf.task].task.job, live.keeper, live.other_keeper)
    live.wait(0)
    return live.network.lane(live.other_keeper.id).anchored


def falls_alone(live: Live, copy: Batch, own: Batch) -> str:
    """The call by which the first manager's keeper has the taker's batch cancelled."""
    ((proof, *_),), _ = decide_objections(
        live.network, live.keeper.id, 0, False, partial(examine, live.network, block_hash=block_hash)
    )
    live.send(proof.step, live.challenger)
    statuses = [live.network.batches[batch.commitment].status for batch in (own, copy)]
    assert statuses == [BatchStatus.PROPOSED, BatchStatus.CANCELLED]
    return proof.step[1]


def test_what_a_manager_had_before_its_job_was_taken_over_it_settles_and_a_copy_falls_by_proof(live: Live) -> None:
    leaf = live.ready()
    before = take_over(live, leaf)
    own = live.settle_ready()
    assert own.leaves == [leaf]
    assert objections(live) == []
    copy = hand_in(live, leaf.model_copy(update={"anchor": before}), manager=live.other_keeper)
    assert falls_alone(live, copy, own) == "prove_order"


def test_a_copy_that_names_an_anchor_of_after_the_take_over_falls_beside_what_it_copied(live: Live) -> None:
    leaf = live.ready()
    before = take_over(live, leaf)
    own = live.settle_ready()
    live.wait(SEEN_AFTER)
    copy = hand_in(live, leaf.model_copy(update={"anchor": before + 1}), manager=live.other_keeper)
    assert falls_alone(live, copy, own) == "prove_duplicate"
