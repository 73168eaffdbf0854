# SPDX-License-Identifier: Apache-2.0
"""What a node signs once, signs again, or never; and that a restart changes none of it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from inferix.errors import Corrupt, Misconfigured
from inferix.keystore import Keys, new_keys
from inferix.messages import Acceptance, Message, Order, Probe, Receipt, Request, Vote, VoteCommitment
from inferix.models.result import Measurement
from node.identity import Identity
from node.journal import HELD, READY, SENT, Entry, Journal
from node.signer import AlreadySigned, NotOurs, Signer, message_of
from node.transport import BlockClock
from tests.node.network import DOMAIN, START

TASK = b"t" * 32
KEYS: Keys = new_keys()


class Desk:
    """A signer on a journal that can be reopened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = BlockClock(lambda: 0.0)
        self.clock.set(START)
        self.reopen()

    def reopen(self) -> None:
        self.journal = Journal(self.path, KEYS.address)
        self.signer = Signer(Identity(7, DOMAIN, KEYS), self.journal, self.clock)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "home" / "journal.sqlite")
    yield made
    made.journal.close()


def accept(task: bytes = TASK, attempt: int = 0, node: int = 7) -> Acceptance:
    return Acceptance(task=task, attempt=attempt, node=node, draw=0)


def receipt(result: bytes = b"r" * 32, task: bytes = TASK, attempt: int = 0, node: int = 7) -> Receipt:
    return Receipt(task=task, attempt=attempt, node=node, result=result)


def measurement(reason: str) -> Measurement:
    return Measurement(task=TASK, attempt=0, node=7, build="b", device_class="cpu", method="none", reason=reason)


def vote(document: Measurement, outcome: int = 1) -> Vote:
    return Vote(task=TASK, attempt=0, node=7, result=b"r" * 32, outcome=outcome, measured=document.digest())


def test_receipt__after_own_acceptance__signed_by_the_operator(desk: Desk) -> None:
    desk.signer.sign(accept())
    entry = desk.signer.sign(receipt())
    assert message_of(entry) == receipt()
    assert receipt().signer(DOMAIN, entry.signature) == KEYS.address


@pytest.mark.parametrize("other", [receipt(task=b"o" * 32), receipt(attempt=1)])
def test_receipt__of_a_task_or_attempt_that_somebody_else_has__never(desk: Desk, other: Receipt) -> None:
    desk.signer.sign(accept())
    with pytest.raises(NotOurs, match="never accepted"):
        desk.signer.sign(other)
    assert desk.journal.find("Receipt", other.task + bytes([other.attempt])) is None


@pytest.mark.parametrize("message", [accept(node=8), Probe(manager=1, anchor=1, seed=bytes(32), node=8)])
def test_message_of_another_node__never(desk: Desk, message: Message) -> None:
    with pytest.raises(NotOurs, match="another node"):
        desk.signer.sign(message)


def test_messages_that_are_no_nodes_business__never(desk: Desk) -> None:
    order = Order(account=1, nonce=1, manager=1, spec=TASK, cap=1, price=1, attempts=1, deadline=1, post_by=1)
    for message in (order, Request(node=7, content=TASK, time=1)):
        with pytest.raises(NotOurs):
            desk.signer.sign(message)
    assert desk.journal.latest(9) == []


def test_second_receipt__refused_also_after_a_restart(desk: Desk) -> None:
    desk.signer.sign(accept())
    first = desk.signer.sign(receipt())
    with pytest.raises(AlreadySigned):
        desk.signer.sign(receipt(b"x" * 32))
    desk.reopen()
    with pytest.raises(AlreadySigned):
        desk.signer.sign(receipt(b"x" * 32))
    assert desk.signer.sign(receipt()).signature == first.signature


def test_vote__is_held_until_reveal__and_its_commitment_is_ready(desk: Desk) -> None:
    document = measurement("fine")
    commitment = desk.signer.commit_vote(vote(document), document)
    held = desk.signer.about(Vote, TASK, 0)
    assert held is not None
    assert (held.state, commitment.kind, commitment.state) == (HELD, "VoteCommitment", READY)
    assert [entry.kind for entry in desk.journal.sendable()] == ["VoteCommitment"]
    revealed = desk.signer.reveal(Vote, TASK, 0)
    assert revealed is not None
    assert [entry.kind for entry in desk.journal.sendable()] == ["VoteCommitment"]  # its document is not stored yet
    desk.journal.mark_stored(document.digest())
    assert [entry.kind for entry in desk.journal.sendable()] == ["Vote", "VoteCommitment"]


def test_double_vote__refused__and_the_first_salt_stays(desk: Desk) -> None:
    document, other = measurement("fine"), measurement("bad")
    first = desk.signer.commit_vote(vote(document), document)
    with pytest.raises(AlreadySigned):
        desk.signer.commit_vote(vote(other, outcome=2), other)
    desk.reopen()
    with pytest.raises(AlreadySigned):
        desk.signer.commit_vote(vote(other, outcome=2), other)
    assert desk.signer.commit_vote(vote(document), document) == first
    assert desk.journal.unstored() == [(document.digest(), document.encode())]


def test_failed_transaction__leaves_neither_vote_nor_commitment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    document = measurement("fine")
    add = desk.journal.add

    def fail(entry: object) -> None:
        if getattr(entry, "kind", "") == "VoteCommitment":
            raise OSError("disk full")
        add(entry)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.journal, "add", fail)
    with pytest.raises(OSError, match="disk full"):
        desk.signer.commit_vote(vote(document), document)
    assert desk.signer.about(Vote, TASK, 0) is None
    assert desk.journal.unstored() == []
    monkeypatch.undo()
    assert desk.signer.commit_vote(vote(document), document).kind == "VoteCommitment"


def test_send_again__only_what_was_sent_and_after_a_while(desk: Desk) -> None:
    entry = desk.signer.sign(accept())
    assert not desk.signer.send_again(entry, 5)
    desk.journal.mark(entry, SENT, START)
    sent = desk.signer.signed(Acceptance, entry.subject)
    assert sent is not None
    assert not desk.signer.send_again(sent, 5)
    desk.clock.set(START + 5)
    assert desk.signer.send_again(sent, 5)
    assert [item.kind for item in desk.journal.sendable()] == ["Acceptance"]


def test_reveal__nothing_signed__none(desk: Desk) -> None:
    assert desk.signer.reveal(Vote, TASK, 0) is None
    assert desk.signer.about(VoteCommitment, TASK, 0) is None


def test_journal__of_another_key__refused(desk: Desk) -> None:
    with pytest.raises(Misconfigured, match="--home"):
        Journal(desk.path, "another owner")


def test_journal__damaged__refused_rather_than_started_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"this is no database, but it is long enough to be read as one" * 20)
    with pytest.raises(Corrupt, match="signing twice"):
        Journal(path, "owner")


def test_regression_what_is_asked_all_the_time_reads_no_whole_table(tmp_path: Path) -> None:
    """Several times a second, of tables that hold all that was ever signed; and in the journal of an older program."""
    path, stored, other = tmp_path / "journal.sqlite", bytes([1]) * 32, bytes([2]) * 32
    with closing(Journal(path, "owner")) as journal:
        for digest in (stored, other):
            journal.keep_document(digest, b"document")
        journal.mark_stored(stored)
        for document, state in ((stored, READY), (other, READY), (b"", READY), (stored, SENT)):
            subject = document + state.encode()
            journal.add(Entry("Receipt", subject, b"", b"", b"", document, state, "", START))
        for (name,) in journal._db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND sql <> ''"
        ).fetchall():
            journal._db.execute(f"DROP INDEX {name}")
    with closing(Journal(path, "owner")) as journal:
        asked: list[str] = []
        journal._db.set_trace_callback(asked.append)
        assert [entry.document for entry in journal.sendable()] == [stored, b""]
        assert [digest for digest, _ in journal.unstored()] == [other]
        journal._db.set_trace_callback(None)
        steps = [step for query in asked for *_, step in journal._db.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert len(asked) == 2
    assert [step for step in steps if not step.startswith(("SEARCH", "CORRELATED"))] == []


def test_journal__is_private_and_forgets_old_documents_only(desk: Desk) -> None:
    assert desk.path.stat().st_mode & 0o777 == 0o600
    document = measurement("fine")
    desk.signer.commit_vote(vote(document), document)
    desk.journal.mark_stored(document.digest())
    desk.journal.forget_before(START + 100)
    assert desk.signer.reveal(Vote, TASK, 0) is not None
    assert [entry.kind for entry in desk.journal.sendable()] == ["Vote", "VoteCommitment"]
    for entry in desk.journal.sendable():
        desk.journal.mark(entry, SENT, START)
    desk.journal.forget_before(START + 100)
    assert desk.signer.about(Vote, TASK, 0) is not None
