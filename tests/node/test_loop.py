# SPDX-License-Identifier: Apache-2.0
"""The loop outlives a network that is away, and sends what was signed meanwhile."""

import hashlib
import sqlite3
import threading
import time
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from inferix.errors import Corrupt
from inferix.messages import Acceptance, Probe, Receipt
from inferix.models.work import Offer, ProbeDuty, Run, Work
from node import status
from node.config import Home
from node.journal import READY, REFUSED, SENT, Entry
from node.loop import POLL_SECONDS
from node.outbox import Outbox
from tests.node.network import START, Job, Network
from tests.node.running import Node, Start

PROBE = ProbeDuty(manager=1, anchor=10, seed=bytes(32), deadline=START + 60)


def test_step__network_away__waits_longer_each_time_and_comes_back(network: Network, worker: Node) -> None:
    assert worker.loop.step() == POLL_SECONDS
    network.down = httpx.Response(503)
    pauses = [worker.loop.step() for _ in range(8)]
    assert pauses[0] <= 0.5
    assert pauses[-1] >= 15
    network.down = None
    worker.offer(PROBE)
    assert worker.loop.step() == POLL_SECONDS
    assert [item.message for item in network.received] == [Probe(manager=1, anchor=10, seed=bytes(32), node=7)]


def test_step__asked_to_wait__waits_that_long(network: Network, worker: Node) -> None:
    network.down = httpx.Response(429, headers={"Retry-After": "40"})
    assert worker.loop.step() == 40


def test_attack_a_node_sleeps_no_day_because_an_answer_asks_for_it(network: Network, worker: Node) -> None:
    network.down = httpx.Response(503, headers={"Retry-After": "86400"})
    assert worker.loop.step() == 60


def test_attack_a_used_up_quota_of_storage_puts_no_node_to_sleep(
    network: Network, worker: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others behind one address use it up; then only this document waits, a minute at a time."""
    worker.journal.keep_document(hashlib.sha256(b"first").digest(), b"first")
    worker.journal.keep_document(hashlib.sha256(b"second").digest(), b"second")
    real = network._storage
    puts = []

    def used_up(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and request.content == b"first":
            puts.append(request.url.path)
            return httpx.Response(429, headers={"Retry-After": "86400"})
        return real(request)

    monkeypatch.setattr(network, "_storage", used_up)
    worker.offer(PROBE)
    assert worker.loop.step() == POLL_SECONDS
    assert [item.message.kind for item in network.received] == ["Probe"]
    assert [data for _, data in worker.journal.unstored()] == [b"first"]
    worker.loop.step()
    assert len(puts) == 1  # it rests
    monkeypatch.setattr(network, "_storage", real)
    after_a_minute = time.monotonic() + 61
    monkeypatch.setattr("node.outbox.time.monotonic", lambda: after_a_minute)
    worker.loop.step()
    assert worker.journal.unstored() == []


def test_attack_a_storage_that_hangs_holds_no_message_up_for_long(
    network: Network, worker: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr("node.outbox.time.monotonic", lambda: now[0])
    for data in (b"first", b"second"):
        worker.journal.keep_document(hashlib.sha256(data).digest(), data)
    puts = []

    def hang(request: httpx.Request) -> httpx.Response:
        puts.append(request.content)
        now[0] += 30
        raise httpx.ReadTimeout("no answer")

    monkeypatch.setattr(network, "_storage", hang)
    worker.offer(PROBE)
    worker.loop.step()
    assert puts == [b"first"]
    assert [item.message.kind for item in network.received] == ["Probe"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "reveal", "task": "0x" + "00" * 32, "attempt": -1, "deadline": START + 60},
        {"kind": "reveal", "task": "0x" + "00" * 32, "attempt": 256, "deadline": START + 60},
        {"kind": "probe", "manager": 2**40, "anchor": 1, "seed": "0x" + "00" * 32, "deadline": START + 60},
        {"kind": "probe", "manager": 1, "anchor": 1, "seed": "0x" + "00" * 32, "deadline": 2**40},
    ],
)
def test_attack_work_with_numbers_that_nobody_could_sign_is_left_out(
    network: Network, worker: Node, wrong: dict[str, Any]
) -> None:
    item = SimpleNamespace(model_dump=lambda mode: wrong)
    network.work[worker.id] = [item, PROBE]  # type: ignore[list-item]
    assert worker.loop.step() == POLL_SECONDS
    assert [item.message for item in network.received] == [Probe(manager=1, anchor=10, seed=bytes(32), node=7)]


@pytest.mark.parametrize("wrong", [{"attempt": 256}, {"draw": 70_000}])
def test_attack_an_offer_with_numbers_that_nobody_could_sign_is_left_out(
    network: Network, worker: Node, wrong: dict[str, int]
) -> None:
    offer = Offer(**Job(network).fields(worker.keys.sealing_public), draw=0)
    item = SimpleNamespace(model_dump=lambda mode: {**offer.model_dump(mode="json"), **wrong})
    network.work[worker.id] = [item, PROBE]  # type: ignore[list-item]
    assert worker.loop.step() == POLL_SECONDS
    assert [item.message.kind for item in network.received] == ["Probe"]


def test_attack_an_item_that_nobody_foresaw_holds_up_no_other(
    network: Network, worker: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = worker.loop._take

    def take(item: Work) -> None:
        if isinstance(item, ProbeDuty) and item.anchor == 0:
            raise OverflowError("unforeseen")
        real(item)

    monkeypatch.setattr(worker.loop, "_take", take)
    worker.offer(PROBE.model_copy(update={"anchor": 0}), PROBE)
    assert [worker.loop.step() for _ in range(3)] == [POLL_SECONDS] * 3
    assert [item.message.kind for item in network.received] == ["Probe"]
    assert caplog.text.count("OverflowError: unforeseen") == 1  # said once


def test_attack_a_full_disk_ends_no_node(network: Network, worker: Node, caplog: pytest.LogCaptureFixture) -> None:
    """SQLite rolls back by itself then; a second ROLLBACK was an error that nobody caught."""
    pages = worker.journal._db.execute("PRAGMA page_count").fetchone()[0]
    worker.journal._db.execute(f"PRAGMA max_page_count = {pages}")
    probes = [PROBE.model_copy(update={"anchor": anchor}) for anchor in range(200)]
    worker.offer(*probes)
    worker.loop.step()
    signed = len(worker.journal.latest(1_000))
    assert 0 < signed < 200
    assert worker.loop.step() <= 1  # and again: a pause, longer each time
    assert "free some room on its disk" in caplog.text
    worker.journal._db.execute("PRAGMA max_page_count = 1000000")
    assert worker.loop.step() == POLL_SECONDS
    assert {item.message.anchor for item in network.of(Probe)} == set(range(200))  # type: ignore[attr-defined]


def test_regression_what_cannot_be_committed_is_rolled_back(worker: Node) -> None:
    """The transaction stayed open, and all later ones were part of it: nothing was durable any more."""
    journal = worker.journal
    journal._db.execute("PRAGMA foreign_keys = ON")
    journal._db.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    journal._db.execute("CREATE TABLE children (id REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError), journal.transaction():
        journal._db.execute("INSERT INTO children VALUES (1)")  # which COMMIT refuses
    assert not journal._db.in_transaction
    journal.keep_document(b"next", b"document")
    assert not journal._db.in_transaction


def test_step__time_has_jumped__is_asked_and_the_next_request_fits(network: Network, worker: Node) -> None:
    network.time += 86_400
    worker.offer(PROBE.model_copy(update={"deadline": network.time + 60}))
    worker.loop.step()
    assert network.received == []
    worker.loop.step()
    assert len(network.received) == 1


def test_work_goes_on_while_the_network_is_away(network: Network, worker: Node) -> None:
    job = Job(network)
    fields = job.fields(worker.keys.sealing_public)
    worker.run(Offer(**fields, draw=0))
    worker.offer(Run(**fields))
    worker.loop.step()
    network.down = httpx.Response(503)
    worker.loop.step()
    network.down, down = None, network.down
    worker.loop.executor.step()
    network.down = down
    worker.loop.step()
    assert network.of(Receipt) == []
    network.down = None
    worker.loop.step()
    assert len(network.of(Receipt)) == 1


def test_message_waits_for_its_document(network: Network, worker: Node) -> None:
    job = Job(network)
    fields = job.fields(worker.keys.sealing_public)
    worker.run(Offer(**fields, draw=0))
    worker.offer(Run(**fields))
    worker.loop.step()
    worker.loop.executor.step()
    network.storage_down = True
    worker.loop.step()
    assert network.of(Receipt) == []
    network.storage_down = False
    _wait_for(lambda: worker.loop.step() and len(network.of(Receipt)) == 1)


def test_message_that_is_refused__does_not_hold_up_the_next(network: Network, worker: Node) -> None:
    network.refuse = {"Acceptance"}
    job = Job(network)
    worker.run(Offer(**job.fields(worker.keys.sealing_public), draw=0), PROBE)
    assert [item.message.kind for item in network.received] == ["Probe"]


def test_run__signed_work_goes_out_and_stop_ends_it(
    network: Network, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = start(7)
    monkeypatch.setattr("node.loop.POLL_SECONDS", 0.01)
    thread = threading.Thread(target=node.loop.run)
    job = Job(network)
    node.offer(Offer(**job.fields(node.keys.sealing_public), draw=0))
    thread.start()
    _wait_for(lambda: bool(network.of(Acceptance)))
    node.offer(Run(**job.fields(node.keys.sealing_public)))
    _wait_for(lambda: bool(network.of(Receipt)))
    node.stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert not node.home.joinpath("work").exists()


def test_flush__nothing_to_send__asks_nothing(network: Network, worker: Node) -> None:
    before = len(network.requests)
    outbox = worker.loop._outbox
    assert isinstance(outbox, Outbox)
    assert outbox.flush() == 0
    assert len(network.requests) == before


def test_regression_a_message_of_a_program_of_another_time_holds_no_other_up(network: Network, worker: Node) -> None:
    """A kind whose fields have changed since it was signed blocked all that was signed later."""
    outbox = worker.loop._outbox
    old = Entry("Probe", b"old", bytes(96), bytes(65), b"", b"", READY, "", START)
    outbox._journal.add(old)
    worker.run(PROBE)
    assert [item.message for item in network.received] == [Probe(manager=1, anchor=10, seed=bytes(32), node=7)]
    assert outbox.flush() == 0
    kept = outbox._journal.find("Probe", b"old")
    assert kept is not None
    assert kept.state == REFUSED


def test_regression_an_answer_that_is_no_answer_loses_no_message(
    network: Network, worker: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with the network's bytes says nothing of what was sent."""
    outbox = worker.loop._outbox
    with monkeypatch.context() as broken:

        def garbled(*_: object) -> None:
            raise Corrupt("no JSON")

        broken.setattr(outbox._api, "send", garbled)
        worker.offer(PROBE)
        worker.loop.step()
    assert network.received == []
    assert outbox.flush() == 1
    assert len(network.received) == 1


def after(network: Network, node: Node, seconds: int) -> None:
    """Time goes on: the first request is refused, the second has the new time."""
    network.time += seconds
    for _ in range(2):
        node.loop.step()


def test_regression_a_node_that_is_never_started_anew_forgets_old_documents(network: Network, worker: Node) -> None:
    worker.loop.step()
    worker.journal.keep_document(b"old", b"document")
    worker.journal.mark_stored(b"old")
    worker.journal.add(Entry("Receipt", b"subject", b"", b"", b"", b"old", SENT, "", START))

    def kept() -> int:
        return int(worker.journal._db.execute("SELECT count(*) FROM documents").fetchone()[0])

    after(network, worker, 29 * 86_400)
    assert kept() == 1
    after(network, worker, 2 * 86_400)
    assert kept() == 0
    assert worker.journal.find("Receipt", b"subject") is not None


def test_regression_an_attempt_that_is_no_longer_listed_is_not_at_work_for_ever(network: Network, worker: Node) -> None:
    """Its frames were kept until a receipt was signed, which never is of what came late or went to another."""
    job = Job(network)
    ours, back, _ = runs = [Run(**job.fields(worker.keys.sealing_public, task, seconds=9_000)) for task in range(3)]
    for item in runs:
        worker.journal.keep_frame(item.task.id, item.attempt, 1, "origin", "{}")

    def at_work() -> list[Run]:
        lines = [line for line in status.recorded(Home(worker.home).journal) if line.startswith("at work")]
        return [item for item in runs if any(item.task.id.hex()[:16] in line for line in lines)]

    worker.offer(ours)
    worker.loop.step()
    assert at_work() == runs
    worker.offer(ours, back)  # by a reorganisation, say
    after(network, worker, 601)
    assert at_work() == [ours, back]


def _wait_for(true: object, seconds: float = 30.0) -> None:
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
