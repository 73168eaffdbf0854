# SPDX-License-Identifier: Apache-2.0
"""Batches against their documents, and what becomes of them in court."""

from functools import partial
from hashlib import sha256
from typing import Any

import pytest

from inferix.messages import outcome_record
from inferix.models.anchor import BatchData, BatchLeaf
from inferix.models.document import canonical
from inferix.models.event import NamedBy
from inferix.models.roles import BatchStatus, DisputeKind, DisputeStatus, Lie, Outcome
from inferix.replay import Network, apply
from inferix.replay.batches import NOT_SERVED, OTHER_ROOT, given
from inferix.replay.disputes import dispute_id
from inferix.replay.later import look_ahead
from inferix.replay.settlement import MAX_LEAVES, BatchDraft, commitment_of, draft_batch, draft_batches, ready
from inferix.replay.state import Batch
from keepers.lies import examine
from keepers.objections import decide_objections
from tests.keepers.batches import OTHER, ended
from tests.keepers.batches import propose as hidden
from tests.replay.chain import DOMAIN, GENESIS, MANAGER, Chain, block_hash


def draft(chain: Chain) -> BatchDraft:
    job = chain.order()
    for state in chain.network.jobs[job].tasks:
        chain.run(state)
    return draft_batches(chain.network, MANAGER)[0]


def propose(chain: Chain, draft: BatchDraft, **changes: Any) -> Batch:
    header = draft.header | changes
    chain.emit("Proposed", commitment=commitment_of(header), header=header)
    return chain.network.batches[commitment_of(header)]


def test_a_batch_is_what_its_documents_say(chain: Chain) -> None:
    found = draft(chain)
    for document in found.documents:
        chain.store(document)
    batch = propose(chain, found)
    assert (batch.problem, batch.leaves) == ("", found.leaves)
    assert given(chain.network, batch).leaves == found.leaves


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"root": b"\1" * 32}, OTHER_ROOT),
        ({"count": 2}, "it has 3 leaves, not as many as it says"),
        ({"count": 4}, "it has 3 leaves, not as many as it says"),
        ({"charge": 1}, "its totals are not those of its leaves"),
        ({"work": 1}, "its totals are not those of its leaves"),
    ],
)
def test_a_header_that_its_documents_contradict_has_no_leaves(
    chain: Chain, changes: dict[str, Any], problem: str
) -> None:
    found = draft(chain)
    for document in found.documents:
        chain.store(document)
    batch = propose(chain, found, **changes)
    assert (batch.problem, batch.leaves) == (problem, [])


def test_the_first_chunk_that_is_not_to_be_had_is_named(chain: Chain) -> None:
    leaf = draft(chain).leaves[0]
    leaves = [leaf.model_copy(update={"task": at.to_bytes(32, "big")}) for at in range(130)]
    found = draft_batch(MANAGER, 1, 1, leaves, bytes(32))
    assert given(chain.network, propose(chain, found)).broken == 0
    chain.store(found.documents[0])
    chain.store(found.documents[2])
    batch = propose(chain, found, previous=b"\1" * 32)
    assert (batch.problem, given(chain.network, batch).broken) == (NOT_SERVED, 1)
    chain.documents[found.documents[1].digest()] = b"{}"
    assert given(chain.network, batch).broken == 1
    assert given(chain.network, batch).problem != NOT_SERVED


def test_all_chunks_that_are_missing_are_asked_for_at_once(chain: Chain) -> None:
    leaf = draft(chain).leaves[0]
    leaves = [leaf.model_copy(update={"task": at.to_bytes(32, "big")}) for at in range(130)]
    found = draft_batch(MANAGER, 1, 1, leaves, bytes(32))
    chain.store(found.documents[0])
    propose(chain, found)
    chunks = {document.digest(): NamedBy(MANAGER) for document in found.documents[1:]}
    assert len(chunks) == 2
    assert chain.network.missing == chunks


def test_more_chunks_than_the_first_names_are_not_followed(chain: Chain) -> None:
    leaf = draft(chain).leaves[0]
    inner = BatchData(manager=MANAGER, sequence=1, leaves=[], chunks=[b"\x09" * 32])
    outer = BatchData(manager=MANAGER, sequence=1, leaves=[leaf], chunks=[chain.store(inner)])
    single = draft_batch(MANAGER, 1, 1, [leaf], bytes(32))
    assert propose(chain, single, data=chain.store(outer)).problem == ""


def test_regression_another_lanes_batch_does_not_hide_an_attempt_from_its_own_manager(chain: Chain) -> None:
    found = draft(chain)
    for document in found.documents:
        chain.store(document)
    propose(chain, found, manager=9)
    assert len(ready(chain.network, MANAGER)) == 3
    propose(chain, found)
    assert ready(chain.network, MANAGER) == []


def test_regression_a_charge_over_five_bytes_is_a_false_record_not_an_error() -> None:
    """As Disputes packs it: node << 64 | charge << 24 | outcome << 16 | tail of the task."""
    record = outcome_record(bytes(31) + b"\5", 1, 1 << 40, Outcome.ACCEPTED)
    assert int.from_bytes(record, "big") == 1 << 64 | 1 << 64 | 1 << 16 | 5


def opened(chain: Chain, batch: Batch, kind: DisputeKind, place: int) -> bytes:
    id = dispute_id(batch.commitment, kind, place)
    fields = {"commitment": batch.commitment, "kind": int(kind), "place": place, "challenger": "0x", "node": 0}
    chain.emit("DisputeOpened", id=id, bond=5, until=chain.time + 21_600, **fields)
    return id


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("DisputeAnswered", DisputeStatus.ANSWERED),
        ("DisputeUpheld", DisputeStatus.UPHELD),
        ("DisputeDropped", DisputeStatus.DROPPED),
    ],
)
def test_a_dispute_from_its_opening_to_its_end(chain: Chain, event: str, status: DisputeStatus) -> None:
    batch = propose(chain, draft(chain))
    id, other = opened(chain, batch, DisputeKind.VOTES, 1), opened(chain, batch, DisputeKind.DATA, 0)
    dispute = chain.network.disputes[id]
    assert (dispute.kind, dispute.place, dispute.bond, dispute.status) == (DisputeKind.VOTES, 1, 5, DisputeStatus.OPEN)
    chain.wait(60)
    chain.emit(event, id=id)
    assert (dispute.status, dispute.ended_at) == (status, chain.time)
    assert chain.network.disputes[other].status is DisputeStatus.OPEN


def test_a_proven_lie_is_remembered_with_its_batch(chain: Chain) -> None:
    batch = propose(chain, draft(chain))
    chain.emit("LieProven", commitment=batch.commitment, kind=5, reporter="0x")
    chain.emit("BatchCancelled", commitment=batch.commitment)
    assert (batch.lie, batch.status) == (Lie.RECORD, BatchStatus.CANCELLED)


def test_a_double_vote_is_remembered(chain: Chain) -> None:
    chain.emit("EquivocationProven", node=5, task=b"\1" * 32, attempt=2, amount=1, reporter="0x")
    assert chain.network.equivocations == {(b"\1" * 32, 2, 5)}


def test_attack_a_lane_rests_on_no_rejection_that_may_never_be_final(chain: Chain) -> None:
    """The client's fault by a second rejection is shown with the leaf of the first. In a job taken over that is a
    silent manager's to propose, and a panel may void it: who had proposed the second already was convicted."""
    state = chain.state(chain.order(), 0)
    chain.run(state, Outcome.REJECTED)
    chain.run(state, Outcome.REJECTED)
    assert state.attempts[1].outcome is Outcome.CLIENT_FAULT

    def numbers() -> list[int]:
        return [attempt.number for _, attempt in ready(chain.network, MANAGER)]

    assert numbers() == [0]
    (first,) = draft_batches(chain.network, MANAGER)
    chain.emit("BatchCancelled", commitment=chain.propose(first))
    assert numbers() == [0], "a batch that fell is none"
    chain.wait()
    (again,) = draft_batches(chain.network, MANAGER)
    commitment = chain.propose(again)
    assert numbers() == [], "what is not final may fall"
    chain.wait(86_400)
    chain.emit("BatchFinalized", commitment=commitment, epoch=0)
    assert numbers() == [1]


def test_a_second_rejection_whose_first_is_void_is_nobodys(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.run(state, Outcome.REJECTED)
    chain.run(state, Outcome.REJECTED)
    (first,) = draft_batches(chain.network, MANAGER)
    commitment, leaf = chain.propose(first), first.leaves[0]
    chain.emit("LeafVoided", commitment=commitment, index=0, task=leaf.task, charge=leaf.charge, work=leaf.work)
    chain.wait(86_400)
    chain.emit("BatchFinalized", commitment=commitment, epoch=0)
    assert ready(chain.network, MANAGER) == []


def test_what_its_votes_call_the_clients_fault_rests_on_nothing(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.run(state, Outcome.CLIENT_FAULT)
    assert [attempt.number for _, attempt in ready(chain.network, MANAGER)] == [0]


def test_attack_a_batch_that_is_shown_on_chain_alone_is_judged_as_any(chain: Chain) -> None:
    """Its document is nobody's; asked for its leaves the manager shows them on chain, and wins the bond. Who knew only
    the document knew nothing of them: not what they charge, nor that they are false."""
    right = ended(chain, Outcome.REJECTED)[0]
    false = right.model_copy(update={"outcome": Outcome.ACCEPTED, "work": 1, "charge": 900_000_000, "node": 4})
    batch = hidden(chain, [false], serve=False)
    assert (batch.leaves, batch.problem) == ([], NOT_SERVED)
    assert not chain.network.is_stale
    chain.emit("LeavesShown", commitment=batch.commitment, chunk=0, leaves=[false.model_dump()])
    assert chain.network.is_stale, "what was replayed without them is no state"

    again = Network(DOMAIN, GENESIS, chain.documents, look_ahead(chain.events))
    for event in chain.events:
        apply(again, event)
    assert not again.is_stale
    assert (again.batches[batch.commitment].leaves, again.batches[batch.commitment].problem) == ([false], "")
    again.tick(chain.time + 1_800)
    lanes, _ = decide_objections(again, OTHER, 1_800, True, partial(examine, again, block_hash=block_hash))
    assert "challenge_votes" in [item.step[1] for items in lanes for item in items]


def test_a_batch_of_which_a_part_was_shown_is_not_known(chain: Chain) -> None:
    leaf = draft(chain).leaves[0]
    leaves = [leaf.model_copy(update={"task": at.to_bytes(32, "big")}) for at in range(70)]
    batch = hidden(chain, leaves, serve=False)
    for chunk, whole in ((1, False), (0, True)):
        shown = [item.model_dump() for item in leaves[64 * chunk :][:64]]
        chain.emit("LeavesShown", commitment=batch.commitment, chunk=chunk, leaves=shown)
        assert chain.network.is_stale is whole


def test_what_is_served_is_not_replayed_because_it_was_shown(chain: Chain) -> None:
    found = draft(chain)
    batch = hidden(chain, found.leaves)
    chain.emit("LeavesShown", commitment=batch.commitment, chunk=0, leaves=[leaf.model_dump() for leaf in found.leaves])
    assert not chain.network.is_stale


def named(chain: Chain, leaves: list[BatchLeaf], chunks: list[bytes]) -> bytes:
    """Stores the first document of a batch as anybody can write it, whatever the model allows; its digest."""
    plain = BatchData(manager=MANAGER, sequence=1, leaves=[]).model_dump(mode="json")
    rows = [leaf.model_dump(mode="json") for leaf in leaves]
    body = canonical({**plain, "leaves": rows, "chunks": ["0x" + digest.hex() for digest in chunks]})
    chain.documents[sha256(body).digest()] = body
    return sha256(body).digest()


@pytest.mark.parametrize(("leaves", "chunks"), [(65, 0), (1, 16)])
def test_attack_a_document_of_more_leaves_or_chunks_than_a_batch_has_is_not_read(
    chain: Chain, leaves: int, chunks: int
) -> None:
    """One that named the same chunk of 512 leaves 3,780 times cost every replay minutes and gigabytes, for good."""
    leaf = draft(chain).leaves[0]
    rows = [leaf.model_copy(update={"task": at.to_bytes(32, "big")}) for at in range(leaves + 64 * chunks)]
    whole = draft_batch(MANAGER, 1, 1, rows, bytes(32))
    digest = named(chain, rows[:leaves], [named(chain, rows[leaves:][:64], [])] * chunks)
    found = given(chain.network, propose(chain, whole, data=digest))
    assert found.leaves == []
    assert "malformed BatchData" in found.problem and "at most" in found.problem


def test_attack_nothing_is_read_once_there_are_more_leaves_than_the_header_counts(chain: Chain) -> None:
    leaf = draft(chain).leaves[0]
    rows = [leaf.model_copy(update={"task": at.to_bytes(32, "big")}) for at in range(64)]
    chunk = named(chain, rows, [])
    digest = named(chain, rows, [chunk, bytes(32)])
    found = given(chain.network, propose(chain, draft_batch(MANAGER, 1, 1, rows[:60], bytes(32)), data=digest))
    assert (found.leaves, found.problem, found.broken) == ([], "it has 64 leaves, not as many as it says", 0)
    assert not chain.network.missing
    found = given(chain.network, propose(chain, draft_batch(MANAGER, 1, 1, rows, bytes(32)), data=digest))
    assert (found.problem, found.broken) == ("it has 128 leaves, not as many as it says", 1)
    assert not chain.network.missing


def test_a_largest_batch_is_read(chain: Chain) -> None:
    leaf = draft(chain).leaves[0]
    rows = [leaf.model_copy(update={"task": at.to_bytes(32, "big")}) for at in range(MAX_LEAVES)]
    found = draft_batch(MANAGER, 1, 1, rows, bytes(32))
    for document in found.documents:
        chain.store(document)
    batch = propose(chain, found)
    assert (batch.problem, batch.leaves) == ("", rows)
