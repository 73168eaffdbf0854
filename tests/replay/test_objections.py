# SPDX-License-Identifier: Apache-2.0
"""What was objected to: from the opening to the verdict, and what a void leaf leaves of charges and rewards."""

import pytest

from inferix.models.job import case_id
from inferix.models.roles import ObjectionKind, ObjectionStatus, Outcome, RootKind, RosterKind
from inferix.replay.accounting import accounts_data, epoch_rewards, roster_leaves
from inferix.replay.objections import CHECKED, checked_again, job_of, naming
from inferix.replay.settlement import draft_batch, draft_batches, ready
from inferix.replay.state import RootName
from tests.replay.chain import MANAGER, VERIFIERS, Chain
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
    (account,) = accounts_data(network, 0, {}).accounts
    assert (account.spent, account.reserved) == (sums["charge"], 0)
    paid = epoch_rewards(network, network.epochs[0], {})
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
    before = accounts_data(network, 0, {}).accounts
    assert before[0].reserved > 0
    for at, leaf in enumerate(network.batches[batch].leaves):
        chain.emit("LeafVoided", commitment=batch, index=at, task=leaf.task, charge=0, work=0)
    assert accounts_data(network, 0, {}).accounts == before


def test_the_fine_for_a_false_root_is_not_for_the_panel_that_judged_it(chain: Chain) -> None:
    chain.close_epoch(0)
    chain.post_accounts(accounts_data(chain.network, 0, {}))
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
    chain.post_accounts(accounts_data(chain.network, 0, {}))
    objection = object_to_leaf(chain, newest_roots(chain)[1], 1)
    seat(chain, objection, 5)
    chain.emit("Slashed", node=MANAGER, amount=1_000, burned=500, pooled=400)
    close(chain, objection, status)
    assert chain.network.fines[-1].barred == frozenset()


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
    chain.close_epoch(1_000_000_007)
    probes = {0: {2: 5, 3: 5}}
    before = accounts_data(chain.network, 0, probes).nodes
    chain.emit("BenchmarkAttested", node=2, manager=MANAGER, ib=60_000, device_class=b"cpu".ljust(32, b"\0"))
    assert accounts_data(chain.network, 0, probes).nodes == before


def test_a_leaf_that_was_false_does_not_cost_the_attempt_its_own(chain: Chain) -> None:
    chain.finish(chain.order())
    (draft,) = draft_batches(chain.network, MANAGER)
    leaves = [leaf.model_copy(update={"charge": leaf.charge - 1}) for leaf in draft.leaves]
    commitment = chain.propose(draft_batch(MANAGER, 1, 0, leaves, bytes(32)))
    chain.emit("LeafVoided", commitment=commitment, index=0, task=leaves[0].task, charge=0, work=0)
    chain.emit("BatchCancelled", commitment=commitment)
    assert len(ready(chain.network, MANAGER)) == len(leaves)
    assert all(attempt.outcome is Outcome.ACCEPTED for _, attempt in ready(chain.network, MANAGER))
