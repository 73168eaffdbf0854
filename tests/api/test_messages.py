# SPDX-License-Identifier: Apache-2.0
"""``POST /node/messages`` and ``/node/progress``: what may count is kept once, the rest is refused with its reason."""

import pytest
from sqlmodel import select

from inferix.canaries import commitment_of, opening_for
from inferix.messages import (
    Benchmark,
    CanaryOpening,
    PanelVote,
    Probe,
    Receipt,
    Vote,
    VoteCommitment,
    vote_commitment,
)
from inferix.models.job import case_id
from inferix.models.roles import Outcome
from inferix.replay.attempts import seats
from inferix.replay.probes import PROBE_TERM
from inferix.replay.state import TaskState
from inferix.storage.cid import Cid, Codec
from inferix.storage.tables import Challenge, Message, Progress
from tests.api.conftest import Api, code
from tests.replay.chain import DOMAIN, MANAGER, VERIFIERS, WORKERS, key, signed

LOOK = str(Cid.of(Codec.RAW, b"a quick look"))

SALT = b"\x05" * 32


@pytest.fixture
def running(api: Api) -> TaskState:
    """A task that a worker has accepted."""
    state = api.chain.state(api.chain.order(), 0)
    api.chain.anchor()
    api.chain.anchor(api.chain.acceptance(state))
    return state


@pytest.fixture
def checking(api: Api, running: TaskState) -> TaskState:
    """A task whose committee is drawn."""
    api.chain.anchor(api.chain.receipt(running))
    return running


def voters(api: Api, state: TaskState) -> list[int]:
    now = api.chain.network.time
    return [seat.leaf.node for seat in seats(api.chain.network, state, state.attempts[0]) if seat.from_time <= now]


def vote_of(state: TaskState, node: int, outcome: Outcome = Outcome.ACCEPTED) -> Vote:
    result = state.attempts[0].result
    return Vote(task=state.task.id, attempt=0, node=node, result=result, outcome=int(outcome), measured=bytes(32))


def commitment_to(vote: Vote, salt: bytes = SALT) -> VoteCommitment:
    commitment = vote_commitment(vote.digest(DOMAIN), salt)
    return VoteCommitment(task=vote.task, attempt=vote.attempt, node=vote.node, commitment=commitment)


def kept(api: Api) -> list[str]:
    with api.database.reading() as session:
        return [row.kind for row in session.exec(select(Message))]


def test_a_receipt_is_kept_once(api: Api, running: TaskState) -> None:
    receipt = api.chain.receipt(running)
    assert api.send(receipt).json() == {"status": "taken"}
    assert api.send(receipt).json() == {"status": "known"}
    assert kept(api) == ["Receipt"]
    api.chain.anchor(receipt)
    assert api.send(receipt).json() == {"status": "known"}  # though it would not count any more


def test_a_receipt_for_somebody_elses_task_is_refused(api: Api, running: TaskState) -> None:
    other = next(node for node in WORKERS if node != running.attempts[0].node)
    receipt = signed(Receipt(task=running.task.id, attempt=0, node=other, result=b"\x02" * 32))
    status, says = code(api.send(receipt))
    assert status == 409
    assert "another node" in says
    assert kept(api) == []


def test_a_message_is_posted_by_its_own_node(api: Api, running: TaskState) -> None:
    other = next(node for node in WORKERS if node != running.attempts[0].node)
    assert "its own messages only" in code(api.send(api.chain.receipt(running), node=other))[1]


def test_a_message_that_another_key_signed_is_refused(api: Api, running: TaskState) -> None:
    message, _ = api.chain.receipt(running)
    assert "not signed by the node's operator" in code(api.send((message, message.sign(DOMAIN, key(99)))))[1]


@pytest.mark.parametrize("kind", ["Order", "Request", "Nonsense"])
def test_other_kinds_are_refused(api: Api, kind: str) -> None:
    body = {"kind": kind, "body": "0x", "signature": "0x" + "00" * 65}
    status, says = code(api.node(2, "POST", "/node/messages", body))
    assert status == 422
    assert "unknown message" in says


@pytest.mark.parametrize("body", ["0x", "0x00", "0x" + "ff" * 128])
def test_a_malformed_body_is_refused(api: Api, body: str) -> None:
    sent = {"kind": "Receipt", "body": body, "signature": "0x" + "00" * 65}
    assert api.node(2, "POST", "/node/messages", sent).status_code == 422


def test_votes_are_committed_then_shown(api: Api, checking: TaskState) -> None:
    voter, other = voters(api, checking)
    vote = vote_of(checking, voter)
    status, says = code(api.send(signed(vote), SALT))
    assert status == 409
    assert "VoteCommitment first" in says
    assert api.send(signed(commitment_to(vote))).json() == {"status": "taken"}
    assert "VoteCommitment first" in code(api.send(signed(vote)))[1]  # without the salt
    assert "not the one" in code(api.send(signed(vote), b"\x06" * 32))[1]
    assert api.send(signed(vote), SALT).json() == {"status": "taken"}
    assert "VoteCommitment first" in code(api.send(signed(vote_of(checking, other)), SALT))[1]


def test_a_vote_other_than_the_committed_one_is_refused(api: Api, checking: TaskState) -> None:
    voter = voters(api, checking)[0]
    api.send(signed(commitment_to(vote_of(checking, voter, Outcome.REJECTED))))
    status, says = code(api.send(signed(vote_of(checking, voter)), SALT))
    assert status == 403
    assert "not the one that was committed to" in says
    assert kept(api) == ["VoteCommitment"]


def test_attack_a_copied_commitment_opens_nothing_of_the_copiers(api: Api, checking: TaskState) -> None:
    """The number of the voter is in the vote that it commits to."""
    voter, copier = voters(api, checking)
    vote = vote_of(checking, voter)
    commitment = commitment_to(vote)
    assert api.send(signed(commitment)).json() == {"status": "taken"}
    assert api.send(signed(commitment.model_copy(update={"node": copier}))).json() == {"status": "taken"}
    assert api.send(signed(vote), SALT).json() == {"status": "taken"}
    status, says = code(api.send(signed(vote.model_copy(update={"node": copier})), SALT))
    assert (status, says) == (403, "this vote is not the one that was committed to")
    assert kept(api) == ["VoteCommitment", "VoteCommitment", "Vote"]


def test_attack_a_vote_is_shown_by_its_voter_alone(api: Api, checking: TaskState) -> None:
    voter, other = voters(api, checking)
    vote = vote_of(checking, voter)
    for node in (voter, other):
        assert api.send(signed(commitment_to(vote_of(checking, node)))).json() == {"status": "taken"}
    assert "its own messages only" in code(api.send(signed(vote), SALT, node=other))[1]
    by_another = vote, vote.sign(DOMAIN, key(other))
    assert "not signed by the node's operator" in code(api.send(by_another, SALT))[1]
    assert kept(api) == ["VoteCommitment", "VoteCommitment"]
    assert api.send(signed(vote), SALT).json() == {"status": "taken"}


def test_a_second_commitment_is_refused(api: Api, checking: TaskState) -> None:
    voter = voters(api, checking)[0]
    first = signed(commitment_to(vote_of(checking, voter)))
    assert api.send(first).status_code == 202
    status, says = code(api.send(signed(commitment_to(vote_of(checking, voter, Outcome.REJECTED)))))
    assert status == 409
    assert "it stands" in says
    assert api.send(first).json() == {"status": "known"}


def test_two_commitments_that_raced_each_other_bind_to_neither(api: Api, checking: TaskState) -> None:
    voter = voters(api, checking)[0]
    vote = vote_of(checking, voter)
    api.send(signed(commitment_to(vote)))
    second = commitment_to(vote_of(checking, voter, Outcome.REJECTED))
    with api.database.session() as session:
        row = session.exec(select(Message)).one()
        fields = row.model_dump() | {"digest": second.digest(DOMAIN), "body": second.body()}
        session.add(Message(**fields))
    assert api.send(signed(vote), SALT).status_code == 403


def test_a_commitment_needs_a_seat_and_a_receipt(api: Api, running: TaskState) -> None:
    early = commitment_to(vote_of(running, VERIFIERS[0]))
    assert "no receipt" in code(api.send(signed(early)))[1]
    api.chain.anchor(api.chain.receipt(running))
    everybody = [seat.leaf.node for seat in seats(api.chain.network, running, running.attempts[0])]
    outsiders = {*VERIFIERS, *WORKERS} - set(everybody)
    for node in outsiders:
        assert "no seat" in code(api.send(signed(commitment_to(vote_of(running, node)))))[1]
    unknown = commitment_to(vote_of(running, VERIFIERS[0])).model_copy(update={"task": b"\x01" * 32})
    assert "not open" in code(api.send(signed(unknown)))[1]


def test_a_panel_vote_needs_a_seat_and_counts_once(api: Api, checking: TaskState) -> None:
    case, member = case_id(checking.task.id, 0), VERIFIERS[0]
    vote = PanelVote(dispute=case, node=member, upheld=True, measured=bytes(32))
    assert "no seat" in code(api.send(signed(vote)))[1]
    chain = api.chain
    chain.emit("CaseFrozen", case=case, task=checking.task.id, attempt=0, node=checking.attempts[0].node, amount=1)
    chain.emit("CaseAppealed", case=case, block=chain.block)
    chain.emit("PanelSeated", case=case, node=member)
    assert api.send(signed(vote)).json() == {"status": "taken"}
    second = vote.model_copy(update={"upheld": False})
    assert "it stands" in code(api.send(signed(second)))[1]
    other = PanelVote(dispute=case, node=VERIFIERS[1], upheld=True, measured=bytes(32))
    assert api.send(signed(other)).status_code == 403


def test_a_probe_is_answered_within_the_hour_and_once(api: Api) -> None:
    api.chain.anchor()
    right = Probe(manager=MANAGER, anchor=api.chain.anchors, seed=api.chain.seed, node=2)
    for changes in ({"anchor": 99}, {"manager": 9}, {"seed": bytes(32)}):
        assert "no anchor has this seed" in code(api.send(signed(right.model_copy(update=changes))))[1]
    assert api.send(signed(right)).status_code == 202
    api.chain.anchor(signed(right))
    assert "once" in code(api.send(api.chain.answer(2)))[1]
    with api.database.session() as session:
        row = session.exec(select(Message).where(Message.node == 2)).one()
        row.refused = "the keeper was away"
    api.chain.network.nodes[2].answered = 0
    assert api.send(api.chain.answer(2)).status_code == 202, "the first was never anchored"
    late = api.chain.answer(3)
    api.chain.wait(PROBE_TERM + 1)
    api.chain.network.tick(api.chain.time)
    assert "within the hour" in code(api.send(late))[1]


def test_a_benchmark_answers_its_challenge_once(api: Api) -> None:
    answer = Benchmark(challenge=b"\x01" * 32, node=2, result=b"\x02" * 32)
    assert "no such benchmark challenge" in code(api.send(signed(answer)))[1]
    with api.database.session() as session:
        session.add(Challenge(id=b"\x01" * 32, node=2, scene="unit", seed=7))
    stranger = Benchmark(challenge=b"\x01" * 32, node=3, result=b"\x02" * 32)
    assert api.send(signed(stranger)).status_code == 409
    assert api.send(signed(answer)).json() == {"status": "taken"}
    with api.database.reading() as session:
        row = session.get(Challenge, b"\x01" * 32)
    assert row is not None
    assert (row.state, row.answered_at_wall_ms > 0) == ("answered", True)
    second = answer.model_copy(update={"result": b"\x03" * 32})
    assert api.send(signed(second)).status_code == 409


def test_progress_is_taken_from_the_worker_of_the_attempt(api: Api, running: TaskState) -> None:
    worker = running.attempts[0].node
    body = {"task": "0x" + running.task.id.hex(), "attempt": 0, "frame": 1, "permille": 250}
    assert api.node(worker, "POST", "/node/progress", body).status_code == 204
    assert api.node(worker, "POST", "/node/progress", {**body, "permille": 1_000, "preview": LOOK}).status_code == 204
    with api.database.reading() as session:
        row = session.exec(select(Progress)).one()
    assert (row.permille, row.preview, row.node) == (1_000, LOOK, worker)
    view = api.http.get(f"/jobs/0x{running.task.job.hex()}").json()
    assert view["progress"][0]["permille"] == 1_000
    other = next(node for node in WORKERS if node != worker)
    assert api.node(other, "POST", "/node/progress", body).status_code == 403
    assert api.node(worker, "POST", "/node/progress", {**body, "attempt": 1}).status_code == 403
    assert api.node(worker, "POST", "/node/progress", {**body, "frame": 2}).status_code == 422  # of another task
    assert api.node(worker, "POST", "/node/progress", {**body, "permille": 1_001}).status_code == 422


@pytest.mark.parametrize("preview", ["x", "../nodes/1", "", LOOK.upper(), LOOK + "/../../status", LOOK[:-1] + "!"])
def test_attack_a_preview_that_is_no_cid_is_refused(api: Api, running: TaskState, preview: str) -> None:
    """Whoever looks at the job with its key asks for ``/files/`` and that."""
    worker = running.attempts[0].node
    body = {"task": "0x" + running.task.id.hex(), "attempt": 0, "frame": 1, "permille": 1_000, "preview": preview}
    assert api.node(worker, "POST", "/node/progress", body).status_code == 422
    assert api.node(worker, "POST", "/node/progress", {**body, "preview": LOOK}).status_code == 204


# -- openings


@pytest.fixture
def decided(api: Api, running: TaskState) -> tuple[TaskState, CanaryOpening]:
    """An attempt whose receipt commits and whose votes have decided, and what opens it."""
    worker = running.attempts[0].node
    opening = opening_for(b"secret", MANAGER, running.task.id, 0, worker, 1_000_000)
    canary = commitment_of(opening, worker)
    api.chain.anchor(signed(Receipt(task=running.task.id, attempt=0, node=worker, result=b"\x01" * 32, canary=canary)))
    return running, opening


def test_a_worker_is_asked_to_open_what_its_manager_keeps_back(
    api: Api, decided: tuple[TaskState, CanaryOpening]
) -> None:
    state, opening = decided
    worker = state.attempts[0].node
    status, says = code(api.send(signed(opening), node=worker))
    assert status == 409 and "have not decided" in says
    assert all(item["kind"] != "open" for item in api.work(worker))
    api.chain.anchor(*api.chain.votes(state, Outcome.REJECTED))
    assert [item["kind"] for item in api.work(worker) if item["kind"] in ("open", "verify")] == ["open"]
    for voter in VERIFIERS:
        assert all(item["kind"] not in ("verify", "reveal") for item in api.work(voter))
    assert api.send(signed(opening), node=worker).json() == {"status": "taken"}
    assert api.send(signed(opening), node=worker).json() == {"status": "known"}
    assert all(item["kind"] != "open" for item in api.work(worker))
    with api.database.reading() as session:
        (row,) = session.exec(select(Message))
        assert (row.kind, row.node, row.attempt) == ("CanaryOpening", MANAGER, 0)
    api.chain.network.tick(api.chain.time + 61)
    assert state.attempts[0].outcome is Outcome.REJECTED


def test_an_opening_is_passed_on_by_its_worker_alone_with_its_managers_signature(
    api: Api, decided: tuple[TaskState, CanaryOpening]
) -> None:
    state, opening = decided
    worker = state.attempts[0].node
    api.chain.anchor(*api.chain.votes(state))
    other = next(node for node in WORKERS if node != worker)
    assert "its own messages only" in code(api.send(signed(opening), node=other))[1]
    own = (opening, opening.sign(DOMAIN, key(worker)))
    assert "job's quote" in code(api.send(own, node=worker))[1]
    assert kept(api) == []
