# SPDX-License-Identifier: Apache-2.0
"""What the disputes keeper does about false batches of other lanes, from a chain written by hand."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from inferix.messages import pack_voters
from inferix.models.anchor import BatchLeaf
from inferix.models.roles import DisputeKind, Outcome
from inferix.replay.availability import NOT_SERVED
from inferix.replay.settlement import draft_batch, draft_batches
from keepers.desk import Step
from keepers.lies import examine
from keepers.objections import BONDS_AN_EPOCH, Fault, Objection, decide_faults, decide_objections
from tests.keepers.batches import OTHER, dispute, ended, propose
from tests.replay.chain import MANAGER, Chain, block_hash
from tests.replay.objecting import close, object_to_outcomes

Objections = Callable[..., tuple[list[list[str]], dict[str, str]]]
PATIENCE = 1_800


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


def decide(chain: Chain, stake: bool = True) -> tuple[list[list[Objection]], dict[str, str]]:
    return decide_objections(
        chain.network, OTHER, PATIENCE, stake, partial(examine, chain.network, block_hash=block_hash)
    )


@pytest.fixture
def objections(functions: Callable[[Sequence[Step]], list[str]]) -> Objections:
    """(functions to try in turn, lane by lane; what is said)"""

    def found(chain: Chain, *, stake: bool = True) -> tuple[list[list[str]], dict[str, str]]:
        lanes, told = decide(chain, stake)
        return [functions([item.step for item in items]) for items in lanes], told

    return found


def false(leaf: BatchLeaf) -> BatchLeaf:
    """The same leaf with a voter whom no draw hits: it has no answer."""
    return leaf.model_copy(update={"voters": pack_voters([99])})


def doubtful(leaf: BatchLeaf) -> BatchLeaf:
    """The same leaf rejected: votes for that may be on their way."""
    return leaf.model_copy(update={"outcome": Outcome.REJECTED, "work": 0, "charge": 0})


def test_objections__what_is_right__none(chain: Chain, objections: Objections) -> None:
    propose(chain, ended(chain, Outcome.ACCEPTED, Outcome.REJECTED))
    assert objections(chain) == ([], {})


def test_objections__proofs_come_before_bonds(chain: Chain, objections: Objections) -> None:
    leaf = ended(chain, Outcome.ACCEPTED)[0]
    propose(chain, [false(leaf).model_copy(update={"account": 2})])
    assert objections(chain) == ([["prove_order", "challenge_votes"]], {})


def test_objections__the_first_false_batch_of_a_lane__the_later_ones_fall_with_it(
    chain: Chain, objections: Objections
) -> None:
    first, second = ended(chain, Outcome.ACCEPTED, Outcome.ACCEPTED)
    propose(chain, [false(first)])
    propose(chain, [false(second)])
    assert objections(chain)[0] == [["challenge_votes"]]


def test_objections__a_false_leaf_that_a_panel_voided__none(chain: Chain, objections: Objections) -> None:
    batch = propose(chain, [false(ended(chain, Outcome.ACCEPTED)[0])])
    chain.emit("LeafVoided", commitment=batch.commitment, index=0, task=bytes(32), charge=0, work=0)
    assert objections(chain) == ([], {})


def test_objections__another_coin__falls_by_proof_and_nothing_staked(chain: Chain, objections: Objections) -> None:
    propose(chain, ended(chain, Outcome.ACCEPTED), coin=7)
    chain.network.tick(chain.time + PATIENCE)
    assert objections(chain) == ([["prove_order"]], {})


def test_objections__a_batch_that_is_final_or_fell__none(chain: Chain, objections: Objections) -> None:
    first, second = ended(chain, Outcome.ACCEPTED, Outcome.ACCEPTED)
    final = propose(chain, [false(first)])
    chain.emit("BatchFinalized", commitment=final.commitment, epoch=0)
    fallen = propose(chain, [false(second)])
    assert objections(chain)[0] == [["challenge_votes"]]
    chain.emit("BatchCancelled", commitment=fallen.commitment)
    assert objections(chain) == ([], {})


def test_objections__one_place_at_a_time__the_next_when_it_was_answered(chain: Chain, objections: Objections) -> None:
    leaves = [doubtful(leaf) for leaf in ended(chain, *[Outcome.ACCEPTED] * 2)]
    batch = propose(chain, leaves)
    chain.network.tick(chain.time + PATIENCE)
    chain.time = chain.network.time
    assert objections(chain)[0] == [["challenge_votes"]]
    for place in range(2):
        id = dispute(chain, batch, place)
        assert objections(chain) == ([], {}), "it waits for the answer"
        chain.emit("DisputeAnswered", id=id)
        assert objections(chain)[0] == ([["challenge_votes"]] if place == 0 else [])


def test_objections__while_one_of_the_lane_waits__no_bond_for_a_later_batch_that_falls_with_it(
    chain: Chain, objections: Objections
) -> None:
    first, second, third = ended(chain, *[Outcome.ACCEPTED] * 3)
    waiting = propose(chain, [false(first)])
    propose(chain, [false(second)])
    dispute(chain, waiting)
    assert objections(chain) == ([], {})
    propose(chain, [third.model_copy(update={"account": 2})], manager=9)
    assert objections(chain)[0] == [["prove_order", "challenge_votes"]], "other lanes do not wait"


def test_objections__a_lie_that_is_sure__is_asked_for_before_a_doubtful_one(
    chain: Chain, objections: Objections
) -> None:
    first, sure = ended(chain, Outcome.ACCEPTED, Outcome.ACCEPTED)
    propose(chain, [doubtful(first), false(sure)])
    ((item,),), _ = decide(chain)
    assert item.step[2][2] == 1


def test_objections__unserved__after_the_patience_and_chunk_by_chunk(chain: Chain, objections: Objections) -> None:
    leaf = ended(chain, Outcome.ACCEPTED)[0]
    leaves = [leaf.model_copy(update={"task": at.to_bytes(32, "big")}) for at in range(65)]
    batch = propose(chain, leaves, serve=False)
    chain.network.tick(chain.time + PATIENCE - 1)
    assert objections(chain) == ([], {})
    chain.network.tick(chain.time + PATIENCE)
    chain.time = chain.network.time
    assert objections(chain)[0] == [["challenge_data"]]
    chain.emit("DisputeAnswered", id=dispute(chain, batch, 0, DisputeKind.DATA))
    ((item,),), _ = decide(chain)
    assert item.step[2][1] == 1


@pytest.mark.parametrize(("count", "chunk"), [(129, 2), (64, 0), (70, 1), (200, 2)])
def test_objections__leaves_hidden_or_missing__the_chunk_that_has_no_answer(
    chain: Chain, count: int, chunk: int
) -> None:
    """130 leaves behind a header that says otherwise: the other chunks could be shown."""
    leaf = ended(chain, Outcome.ACCEPTED)[0]
    leaves = [leaf.model_copy(update={"task": at.to_bytes(32, "big")}) for at in range(130)]
    chain.propose(draft_batch(MANAGER, 1, 1, leaves, bytes(32)), count=count)
    ((item,),), _ = decide(chain)
    assert (item.step[1], item.step[2][1]) == ("challenge_data", chunk)


def test_objections__a_document_that_is_no_batch__at_once(chain: Chain, objections: Objections) -> None:
    leaves = ended(chain, Outcome.ACCEPTED)
    draft = draft_batch(MANAGER, 1, 1, leaves, bytes(32))
    chain.documents[draft.documents[0].digest()] = b"{}"
    propose(chain, leaves, serve=False)
    assert objections(chain)[0] == [["challenge_data"]]


def test_objections__without_leave_to_stake__said(chain: Chain, objections: Objections) -> None:
    leaf = ended(chain, Outcome.ACCEPTED)[0]
    propose(chain, [false(leaf)])
    found, told = objections(chain, stake=False)
    assert found == []
    assert told == {f"batch 1/1: task {leaf.task.hex()[:12]} attempt 0 has another voters": "no bond is put up for it"}


def test_objections__enough_bonds_at_stake__said_until_an_epoch_is_over(chain: Chain, objections: Objections) -> None:
    """Whoever withholds documents and answers on chain wins half a bond each time: not without end."""
    right, other = ended(chain, Outcome.ACCEPTED, Outcome.ACCEPTED)
    bait = propose(chain, [right])
    for place in range(BONDS_AN_EPOCH):
        assert objections(chain)[0] == []
        chain.emit("DisputeAnswered", id=dispute(chain, bait, place, DisputeKind.DATA, node=OTHER))
    propose(chain, [false(other)])
    found, told = objections(chain)
    assert (found, set(told.values())) == ([], {"enough bonds are at stake"})
    chain.network.tick(chain.time + chain.network.parameters["epoch_length"] + 1)
    assert objections(chain)[0] == [["challenge_votes"]]


def test_objections__bonds_that_came_back_or_are_others__do_not_count(chain: Chain, objections: Objections) -> None:
    right, other = ended(chain, Outcome.ACCEPTED, Outcome.ACCEPTED)
    bait = propose(chain, [right])
    for place in range(BONDS_AN_EPOCH):
        chain.emit("DisputeUpheld", id=dispute(chain, bait, place, DisputeKind.DATA, node=OTHER))
        dispute(chain, bait, place + 9, DisputeKind.DATA, node=MANAGER)
    propose(chain, [false(other)])
    assert objections(chain)[0] == [["challenge_votes"]]


def test_objections__to_several_lanes__no_more_than_bonds_are_left(chain: Chain, objections: Objections) -> None:
    leaf = false(ended(chain, Outcome.ACCEPTED)[0])
    for manager in range(10, 11 + BONDS_AN_EPOCH):
        order = chain.network.jobs[next(iter(chain.network.jobs))].order
        propose(chain, [leaf.model_copy(update={"task": bytes([manager]) * 32, "account": order.account})], manager)
    found, told = objections(chain)
    assert found == [["challenge_votes"]] * BONDS_AN_EPOCH
    assert set(told.values()) == {"enough bonds are at stake"}


def test_examine__a_batch_full_of_lies__stops_where_enough_is_known(chain: Chain) -> None:
    leaf = ended(chain, Outcome.ACCEPTED)[0]
    wrong = leaf.model_copy(update={"account": 2})
    leaves = [wrong.model_copy(update={"attempt": attempt}) for attempt in range(200)]
    found = examine(chain.network, propose(chain, leaves), block_hash)
    assert 0 < len(found.proofs) + len(found.doubts) < 10


# -- what no contract decides


def faults(chain: Chain, manager: int = OTHER) -> list[Fault]:
    return decide_faults(chain.network, manager, PATIENCE, partial(examine, chain.network, block_hash=block_hash))


def be_patient(chain: Chain) -> None:
    chain.wait(PATIENCE)
    chain.network.tick(chain.time)


def cheaper(leaf: BatchLeaf) -> BatchLeaf:
    """The same leaf with a charge that no contract computes."""
    return leaf.model_copy(update={"charge": leaf.charge - 1})


def late(leaf: BatchLeaf) -> BatchLeaf:
    """The same attempt said to have come to nothing: nobody is asked for votes."""
    return leaf.model_copy(update={"outcome": Outcome.LATE, "work": 0, "charge": 0})


@pytest.mark.parametrize("lie", [cheaper, late])
def test_faults__what_the_manager_alone_writes__to_a_panel_once(
    chain: Chain, objections: Objections, lie: Callable[[BatchLeaf], BatchLeaf]
) -> None:
    batch = propose(chain, [lie(leaf) for leaf in ended(chain, Outcome.ACCEPTED)])
    assert faults(chain) == [], "documents may still come"
    be_patient(chain)
    assert objections(chain) == ([], {}), "no contract decides it"
    (fault,) = faults(chain)
    key, function, (header, leaf, _, places, is_managers) = fault.step
    assert (function, header, places, is_managers) == ("object_outcomes", batch.header, [0], True)
    assert leaf == batch.leaves[0].model_dump()
    assert batch.commitment.hex() in key
    assert faults(chain, manager=MANAGER) == [], "not against one's own lane"
    close(chain, object_to_outcomes(chain, batch.commitment, 0, is_managers=False), 3)
    assert [item.places for item in faults(chain)] == [(0,)], "nobody has said yet whose lie it is"
    close(chain, object_to_outcomes(chain, batch.commitment, 0, is_managers=True), 3)
    assert faults(chain) == []


@pytest.mark.parametrize("verdict", [None, 3], ids=["open", "rejected"])
def test_attack_an_objection_that_no_panel_upholds_keeps_nobody_from_a_right_one(
    chain: Chain, verdict: int | None
) -> None:
    """A liar's friend names the false leaf beside a right one: a panel rejects that."""
    wrong, right = ended(chain, Outcome.ACCEPTED, Outcome.ACCEPTED)
    batch = propose(chain, [cheaper(wrong), right])
    be_patient(chain)
    sham = object_to_outcomes(chain, batch.commitment, 0, 1, is_managers=True)
    if verdict is not None:
        close(chain, sham, verdict)
    assert [item.places for item in faults(chain)] == [(0,)]
    object_to_outcomes(chain, batch.commitment, 0, is_managers=True)
    assert faults(chain) == []


def test_faults__none_where_all_is_right_or_only_votes_are_others(chain: Chain) -> None:
    right, other = ended(chain, Outcome.ACCEPTED, Outcome.ACCEPTED)
    propose(chain, [right])
    propose(chain, [other.model_copy(update={"votes": bytes(32)})])
    be_patient(chain)
    assert faults(chain) == []


def test_faults__the_places_of_one_job_in_one_objection(chain: Chain) -> None:
    jobs = [chain.order(chain.spec(2)) for _ in range(2)]
    for job in jobs:
        chain.finish(job)
    (draft,) = draft_batches(chain.network, MANAGER)
    batch = propose(chain, [cheaper(leaf) for leaf in draft.leaves])
    be_patient(chain)
    found = faults(chain)
    assert [{chain.network.tasks[batch.leaves[at].task].task.job for at in item.places} for item in found] in (
        [{jobs[0]}, {jobs[1]}],
        [{jobs[1]}, {jobs[0]}],
    )
    assert sorted(place for item in found for place in item.places) == list(range(len(draft.leaves)))


def test_faults__after_the_window_or_where_an_anchor_is_not_served__none(chain: Chain) -> None:
    batch = propose(chain, [cheaper(leaf) for leaf in ended(chain, Outcome.ACCEPTED)])
    be_patient(chain)
    anchor = chain.network.lane(MANAGER).anchors[batch.leaves[0].anchor]
    anchor.problem = NOT_SERVED
    assert faults(chain) == []
    anchor.problem = ""
    assert len(faults(chain)) == 1
    chain.network.tick(batch.proposed_at + chain.network.parameters["batch_window"])
    assert faults(chain) == []


def test_faults__of_a_batch_that_falls_by_proof__none(chain: Chain, objections: Objections) -> None:
    first, second = ended(chain, Outcome.ACCEPTED, Outcome.ACCEPTED)
    propose(chain, [cheaper(first), second.model_copy(update={"account": 2})])
    propose(chain, [late(first)])
    be_patient(chain)
    assert objections(chain)[0] == [["prove_order"]]
    assert faults(chain) == []


def test_faults__a_leaf_beside_a_void_one_of_its_attempt__no_duplicate(chain: Chain, objections: Objections) -> None:
    """Disputes takes no proof beside what is void: the second leaf is for a panel."""
    (leaf,) = ended(chain, Outcome.ACCEPTED)
    first = propose(chain, [leaf])
    chain.emit("LeafVoided", commitment=first.commitment, index=0, task=leaf.task, charge=0, work=0)
    second = propose(chain, [leaf])
    be_patient(chain)
    assert objections(chain) == ([], {})
    assert [(item.batch, item.places) for item in faults(chain)] == [(second, (0,))]
