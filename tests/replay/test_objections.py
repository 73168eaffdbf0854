# SPDX-License-Identifier: Apache-2.0
"""What was objected to: from the opening to the verdict, and what a void leaf leaves of charges and rewards."""

from typing import Any

import pytest

from inferix.errors import NotFound, Refused
from inferix.escape import draft
from inferix.models.anchor import BatchLeaf
from inferix.models.job import case_id
from inferix.models.roles import ObjectionKind, ObjectionStatus, Outcome, RootKind, RosterKind
from inferix.replay.accounting import accounts_data, epoch_rewards, final_leaves, reserved, roster_leaves
from inferix.replay.leaves import is_managers, why_false
from inferix.replay.objections import CHECKED, checked_again, job_of, naming
from inferix.replay.settlement import PROPOSED_ANEW, UNPROPOSED_AFTER, draft_batch, draft_batches, ready
from inferix.replay.state import Batch, RootName
from tests.replay.chain import MANAGER, VERIFIERS, Chain, block_hash
from tests.replay.objecting import (
    REASON,
    SEED,
    close,
    newest_roots,
    object_to_leaf,
    object_to_outcomes,
    propose_all,
    seat,
)


@pytest.fixture
def batch(chain: Chain) -> bytes:
    """A job with three accepted tasks, proposed."""
    chain.finish(chain.order())
    return propose_all(chain)


def test_an_objection_to_outcomes_from_its_opening_to_its_verdict(chain: Chain, batch: bytes) -> None:
    objection = object_to_outcomes(chain, batch, 0, 2, node=MANAGER)
    assert (objection.kind, objection.places, objection.manager) == (ObjectionKind.OUTCOMES, (0, 2), MANAGER)
    assert (objection.status, objection.reason, objection.asked_at) == (ObjectionStatus.OPEN, REASON, chain.time)
    assert [naming(chain.network, batch, at) for at in range(3)] == [[objection], [], [objection]]
    job = job_of(chain.network, objection)
    assert job is next(iter(chain.network.jobs.values()))
    seat(chain, objection, *VERIFIERS[:2])
    assert (objection.seed, objection.seats, objection.complete_at) == (SEED, list(VERIFIERS[:2]), chain.time)
    chain.emit("PanelVoted", case=objection.id, node=VERIFIERS[0], upheld=True, measured=bytes(32))
    assert objection.votes == {VERIFIERS[0]: True}
    chain.emit("ObjectionReferred", id=objection.id)
    assert objection.is_referred
    chain.wait(9)
    close(chain, objection, 2)
    assert (objection.status, objection.ended_at) == (ObjectionStatus.UPHELD, chain.time)


def test_a_panel_of_an_appeal_and_one_of_an_objection_are_told_apart_by_their_id(chain: Chain, batch: bytes) -> None:
    task = next(iter(chain.network.tasks))
    case = case_id(task, 0)
    chain.emit("CaseFrozen", case=case, task=task, attempt=0, node=2, amount=5)
    objection = object_to_outcomes(chain, batch, 0)
    chain.emit("PanelRearmed", case=case, block=77)
    seat(chain, objection, 5)
    assert (chain.network.cases[case].asked_block, objection.asked_block) == (77, chain.block)
    assert (chain.network.cases[case].seats, objection.seats) == ([], [5])
    with pytest.raises(KeyError):
        chain.network.hearing(b"\x09" * 32)


def test_a_void_leaf_is_neither_charged_nor_paid_and_holds_nothing_back(chain: Chain, batch: bytes) -> None:
    network = chain.network
    leaves = list(network.batches[batch].leaves)
    object_to_outcomes(chain, batch, 1)
    chain.emit("LeafVoided", commitment=batch, index=1, task=leaves[1].task, charge=0, work=0)
    chain.wait(86_400)
    chain.emit("BatchFinalized", commitment=batch, epoch=0)
    left = [leaves[0], leaves[2]]
    sums = {"charge": sum(leaf.charge for leaf in left), "work": sum(leaf.work for leaf in left)}
    chain.close_epoch(1_000_000_007, **sums)
    (account,) = accounts_data(network, 0).accounts
    assert (account.spent, account.reserved) == (sums["charge"], 0)
    paid = epoch_rewards(network, network.epochs[0])
    earned = {leaf.node for leaf in left}
    assert {node for node, amount in paid.workers.items() if amount} == earned
    total = sum(sum(group.values()) for group in (paid.workers, paid.verifiers, paid.managers))
    assert total + paid.dust == 1_000_000_007


def test_a_void_leaf_stays_void_when_its_batch_falls_the_others_are_proposed_again(chain: Chain, batch: bytes) -> None:
    leaves = list(chain.network.batches[batch].leaves)
    chain.emit("LeafVoided", commitment=batch, index=1, task=leaves[1].task, charge=0, work=0)
    chain.emit("BatchCancelled", commitment=batch)
    assert {state.task.id for state, _ in ready(chain.network, MANAGER)} == {leaves[0].task, leaves[2].task}


def test_a_leaf_voided_after_the_cut_off_was_still_reserved_at_it(chain: Chain, batch: bytes) -> None:
    """What was right when it was posted stays right, or an honest root would be false by the time a panel looks."""
    network = chain.network
    chain.close_epoch(0, charge=0, work=0)
    before = accounts_data(network, 0).accounts
    assert before[0].reserved > 0
    for at, leaf in enumerate(network.batches[batch].leaves):
        chain.emit("LeafVoided", commitment=batch, index=at, task=leaf.task, charge=0, work=0)
    assert accounts_data(network, 0).accounts == before


def test_the_fine_for_a_false_root_is_not_for_the_panel_that_judged_it(chain: Chain) -> None:
    chain.close_epoch(0)
    chain.post_accounts(accounts_data(chain.network, 0))
    objection = object_to_leaf(chain, newest_roots(chain)[0], 1)
    assert (objection.kind, objection.manager) == (ObjectionKind.ACCOUNT, MANAGER)
    seat(chain, objection, 5, 6)
    chain.emit("Slashed", node=7, amount=10, burned=5, pooled=5)  # who was silent
    chain.emit("AccountsCancelled", epoch=0, index=1)
    chain.emit("Slashed", node=MANAGER, amount=1_000, burned=500, pooled=400)
    close(chain, objection, 2)
    assert [(fine.node, fine.barred) for fine in chain.network.fines] == [
        (7, frozenset()),
        (MANAGER, frozenset({5, 6})),
    ]


@pytest.mark.parametrize("status", [3, 4, 5])
def test_no_fine_is_barred_where_nobody_was_punished(chain: Chain, status: int) -> None:
    chain.close_epoch(0)
    chain.post_accounts(accounts_data(chain.network, 0))
    objection = object_to_leaf(chain, newest_roots(chain)[1], 1)
    seat(chain, objection, 5)
    chain.emit("Slashed", node=MANAGER, amount=1_000, burned=500, pooled=400)
    close(chain, objection, status)
    assert chain.network.fines[-1].barred == frozenset()


@pytest.mark.parametrize(("is_managers", "status", "is_barred"), [(True, 2, True), (False, 2, False), (True, 3, False)])
def test_the_fine_of_a_manager_that_wrote_what_no_vote_says_is_not_for_the_panel_that_judged_it(
    chain: Chain, batch: bytes, is_managers: bool, status: int, is_barred: bool
) -> None:
    objection = object_to_outcomes(chain, batch, 0, is_managers=is_managers)
    assert objection.is_managers is is_managers
    seat(chain, objection, 5, 6)
    chain.emit("Slashed", node=MANAGER, amount=1_000, burned=500, pooled=400)
    close(chain, objection, status)
    assert chain.network.fines[-1].barred == (frozenset({5, 6}) if is_barred else frozenset())


def test_who_put_a_roster_up_is_known_and_a_root_nobody_knows_is_nobodys(chain: Chain) -> None:
    chain.post_roster(RosterKind.WORKERS, 2, roster_leaves(chain.network, RosterKind.WORKERS))
    posted = chain.network.posted_rosters[RosterKind.WORKERS, 2]
    name = RootName(RootKind.ROSTER, int(RosterKind.WORKERS), 2, posted.root)
    objection = object_to_leaf(chain, name, 3)
    assert (objection.manager, objection.root) == (MANAGER, name)
    assert object_to_leaf(chain, RootName(RootKind.NODES, 0, 9, b"\x01" * 32), 3).manager == 0


def test_three_of_many_outcomes_are_drawn_the_same_for_every_member_and_others_by_another_seed() -> None:
    places = tuple(range(40))
    first = checked_again(places, SEED)
    assert first == checked_again(tuple(reversed(places)), SEED)
    assert len(set(first)) == CHECKED and set(first) < set(places)
    assert first != checked_again(places, b"\x06" * 32)
    assert checked_again((4, 9), SEED) == [4, 9]


def test_regression_a_machine_measured_anew_does_not_change_what_past_epochs_gave(chain: Chain) -> None:
    """Presence was weighed with the speed of now: what had been posted became false, and matured less than before."""
    chain.finish(chain.order())
    chain.settle()
    chain.anchor(chain.answer(2), chain.answer(3))
    chain.close_epoch(1_000_000_007)
    before = accounts_data(chain.network, 0).nodes
    chain.emit("BenchmarkAttested", node=2, manager=MANAGER, ib=60_000, device_class=b"cpu".ljust(32, b"\0"))
    assert accounts_data(chain.network, 0).nodes == before


def test_a_leaf_that_was_false_does_not_cost_the_attempt_its_own(chain: Chain) -> None:
    chain.finish(chain.order())
    (drafted,) = draft_batches(chain.network, MANAGER)
    leaves = [leaf.model_copy(update={"charge": leaf.charge - 1}) for leaf in drafted.leaves]
    commitment = chain.propose(draft_batch(MANAGER, 1, 0, leaves, bytes(32)))
    chain.emit("LeafVoided", commitment=commitment, index=0, task=leaves[0].task, charge=0, work=0)
    chain.emit("BatchCancelled", commitment=commitment)
    assert len(ready(chain.network, MANAGER)) == len(leaves)
    assert all(attempt.outcome is Outcome.ACCEPTED for _, attempt in ready(chain.network, MANAGER))


def overcharged(chain: Chain) -> tuple[bytes, list[BatchLeaf]]:
    """A batch of one job whose first leaf charges too little, voided by a panel; the right leaves."""
    chain.finish(chain.order())
    (drafted,) = draft_batches(chain.network, MANAGER)
    false = drafted.leaves[0].model_copy(update={"charge": drafted.leaves[0].charge - 1})
    commitment = chain.propose(draft_batch(MANAGER, 1, 0, [false, *drafted.leaves[1:]], bytes(32)))
    chain.wait(9)
    chain.emit("LeafVoided", commitment=commitment, index=0, task=false.task, charge=0, work=0)
    return commitment, drafted.leaves


def test_regression_the_right_leaf_follows_the_one_that_was_voided_in_its_place_and_is_paid_once(chain: Chain) -> None:
    """It counted as proposed for ever: a manager's lie cost the worker its pay, and Escape was refused too."""
    commitment, leaves = overcharged(chain)
    assert [state.task.id for state, _ in ready(chain.network, MANAGER)] == [leaves[0].task]
    assert draft(chain.network, leaves[0].task, block_hash).leaf == leaves[0]
    (again,) = draft_batches(chain.network, MANAGER)
    assert again.leaves == [leaves[0]]
    second = chain.propose(again)
    assert why_false(chain.network, chain.network.batches[second], leaves[0]) == ""
    assert ready(chain.network, MANAGER) == []
    with pytest.raises(Refused, match="on its way"):
        draft(chain.network, leaves[0].task, block_hash)
    for final in (commitment, second):
        chain.emit("BatchFinalized", commitment=final, epoch=0)
    sums = {"charge": sum(leaf.charge for leaf in leaves), "work": sum(leaf.work for leaf in leaves)}
    chain.close_epoch(1_000_000_007, **sums)
    assert [leaf for _, leaf in final_leaves(chain.network, 0)].count(leaves[0]) == 1
    assert accounts_data(chain.network, 0).accounts[0].spent == sums["charge"]


def test_a_right_leaf_that_a_panel_voided_is_never_due_again_nor_outside_its_lane(chain: Chain, batch: bytes) -> None:
    leaf = chain.network.batches[batch].leaves[0]
    chain.emit("LeafVoided", commitment=batch, index=0, task=leaf.task, charge=0, work=0)
    assert ready(chain.network, MANAGER) == []
    chain.emit("BatchCancelled", commitment=batch)
    with pytest.raises(NotFound, match="nothing is owed"):
        draft(chain.network, leaf.task, block_hash)
    chain.wait(1)
    again = chain.propose(draft_batch(MANAGER, 1, 0, [leaf], bytes(32)))
    assert why_false(chain.network, chain.network.batches[again], leaf) == "was voided by a panel before"


def test_where_a_live_batch_has_the_right_leaf_already_it_is_not_due_twice(chain: Chain) -> None:
    chain.finish(chain.order())
    (drafted,) = draft_batches(chain.network, MANAGER)
    false = drafted.leaves[0].model_copy(update={"charge": drafted.leaves[0].charge - 1})
    first = chain.propose(draft_batch(MANAGER, 1, 0, [false], bytes(32)))
    second = chain.propose(draft_batch(MANAGER, 2, 0, drafted.leaves, first))
    chain.emit("LeafVoided", commitment=first, index=0, task=false.task, charge=0, work=0)
    assert ready(chain.network, MANAGER) == []
    assert why_false(chain.network, chain.network.batches[second], drafted.leaves[0]) == ""


def test_the_order_stays_reserved_while_the_right_leaf_may_still_come(chain: Chain) -> None:
    """After its deadline the reserve is paid back: what is charged later would be other clients' credit."""
    commitment, leaves = overcharged(chain)
    job = chain.network.jobs[chain.network.tasks[leaves[0].task].task.job]
    ends = job.order.deadline + UNPROPOSED_AFTER
    epochs = (ends - chain.network.genesis) // chain.network.parameters["epoch_length"] + 1
    cut_off = chain.network.epoch_end(epochs)
    chain.emit("BatchFinalized", commitment=commitment, epoch=0)
    assert reserved(chain.network, job, epochs, 0) == 0
    batch = chain.network.batches[commitment]
    batch.freed[0] = cut_off - PROPOSED_ANEW + 1
    assert reserved(chain.network, job, epochs, 0) == job.order.cap
    batch.freed[0] -= 1
    assert reserved(chain.network, job, epochs, 0) == 0
    chain.network.pauses.append((cut_off - 2, cut_off - 1))
    assert reserved(chain.network, job, epochs, 0) == job.order.cap, "the 48 hours stand still in a pause"


@pytest.mark.parametrize(
    ("changes", "is_the_managers"),
    [
        ({}, False),
        ({"votes": bytes(32)}, False),
        ({"voters": bytes(32)}, False),
        ({"result": bytes(32)}, False),
        ({"work": 1}, True),
        ({"charge": 1}, True),
        ({"account": 7}, True),
        ({"node": 7}, True),
        ({"anchor": 1}, True),
        ({"outcome": Outcome.LATE}, True),
        ({"outcome": Outcome.VOID, "votes": bytes(32)}, True),
        ({"attempt": 1}, True),
        ({"task": bytes(32)}, True),
    ],
)
def test_what_no_signature_answers_for_is_the_managers(
    chain: Chain, batch: bytes, changes: dict[str, Any], is_the_managers: bool
) -> None:
    item = chain.network.batches[batch]
    leaf = item.leaves[0].model_copy(update=changes)
    assert is_managers(chain.network, item, leaf) is is_the_managers
    assert bool(why_false(chain.network, item, leaf)) is bool(changes)


def test_a_right_leaf_of_who_proposes_alone_stands_beside_a_late_one_of_its_lane(chain: Chain) -> None:
    chain.finish(chain.order())
    (drafted,) = draft_batches(chain.network, MANAGER)
    right = drafted.leaves[0]
    late = right.model_copy(update={"outcome": Outcome.LATE, "work": 0, "charge": 0})
    chain.propose(draft_batch(MANAGER, 1, 0, [late], bytes(32)))
    alone = Batch(
        commitment=b"\x09" * 32, manager=MANAGER, sequence=0, coin=0, charge=0, work=0, root=bytes(32), data=bytes(32),
        header={}, proposed_at=chain.time, leaves=[right],
    )  # fmt: skip
    assert why_false(chain.network, alone, right) == ""
    other = chain.network.batches[chain.network.tasks[right.task].attempts[right.attempt].batch or b""]
    other.leaves[0] = right
    assert why_false(chain.network, alone, right) == "is settled already"
