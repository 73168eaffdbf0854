# SPDX-License-Identifier: Apache-2.0
"""A worker that is killed at any line goes on: no frame twice, no receipt in two ways, nothing unsent."""

from typing import Any

import pytest

from inferix.messages import Receipt
from node.journal import REFUSED, SENT
from node.signer import message_of
from tests.node.network import Job, Network
from tests.node.running import Node, Start
from tests.node.working import accept_and_run, offer, run


class Killed(BaseException):
    """The process ends here."""


def _die(*_: object) -> None:
    raise Killed


def test_killed_between_upload_and_receipt__no_frame_is_rendered_again(
    network: Network, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, first = Job(network), start(7)
    first.run(offer(job, first))
    monkeypatch.setattr(first.loop._parts.signer, "sign_receipt", _die)
    first.offer(run(job, first))
    first.loop.step()
    with pytest.raises(Killed):
        first.loop.executor.step()
    first.kill()
    assert first.engine.rendered == [1, 2]
    second = start(7)
    second.run(run(job, second))
    assert second.engine.rendered == []
    assert len(network.of(Receipt)) == 1


def test_killed_between_frames__goes_on_at_the_next(network: Network, start: Start) -> None:
    job, first = Job(network), start(7)
    first.run(offer(job, first))
    first.offer(run(job, first))
    first.loop.step()
    keep = first.journal.keep_frame

    def keep_and_die(*arguments: Any) -> None:
        keep(*arguments)
        raise Killed

    first.journal.keep_frame = keep_and_die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        first.loop.executor.step()
    first.kill()
    second = start(7)
    second.run(run(job, second))
    assert (first.engine.rendered, second.engine.rendered) == ([1], [2])
    assert len(network.of(Receipt)) == 1


def test_restarted_with_another_build__frames_of_the_old_one_are_rendered_again(network: Network, start: Start) -> None:
    job, first = Job(network), start(7)
    first.run(offer(job, first))
    first.journal.keep_frame(job.tasks[0].id, 0, 1, "0.9 test cpu", "{}")
    first.kill()
    second = start(7)
    second.run(run(job, second))
    assert second.engine.rendered == [1, 2]


def test_killed_between_signing_and_sending__the_same_receipt_goes_out(network: Network, start: Start) -> None:
    job, first = Job(network), start(7)
    first.run(offer(job, first))
    first.offer(run(job, first))
    first.loop.step()
    first.loop.executor.step()
    signed = first.journal.latest(1)[0]
    first.kill()
    assert network.of(Receipt) == []
    second = start(7)
    second.run(run(job, second))
    sent = network.of(Receipt)
    assert [item.message for item in sent] == [message_of(signed)]
    assert sent[0].signature == signed.signature
    assert second.engine.rendered == []


def test_acknowledged_but_lost__sent_again_while_the_work_is_listed(network: Network, worker: Node) -> None:
    job = Job(network)
    accept_and_run(job, worker)
    worker.run(run(job, worker))
    assert len(network.of(Receipt)) == 1
    network.time += 10
    worker.run(run(job, worker))
    first, second = network.of(Receipt)
    assert first == second


def test_network_refuses_a_receipt__kept_and_offered_again_later(network: Network, worker: Node) -> None:
    job = Job(network)
    worker.run(offer(job, worker))
    network.refuse = {"Receipt"}
    worker.run(run(job, worker))
    assert worker.journal.latest(1)[0].state == REFUSED
    network.refuse = set()
    network.time += 10
    worker.run(run(job, worker))
    assert worker.journal.latest(1)[0].state == SENT
