# SPDX-License-Identifier: Apache-2.0
"""A worker that is asked for a canary: a bad result, committed to, opened when it is asked for; and what it never does."""

import hashlib
from typing import Any

import pytest
from eth_account import Account
from eth_utils.crypto import keccak

from inferix import jobkeys
from inferix.canaries import commitment_of, seal_opening
from inferix.messages import CanaryOpening, Receipt
from inferix.models.work import Open
from inferix.proofs.rendering import canary_seed, frame_seed
from inferix.replay.jobs import quote_of
from node.engines import RenderSettings as EngineRender
from tests.node.network import DOMAIN, SCENE, START, Job, Network
from tests.node.noise_engine import KERNEL, pixels_of
from tests.node.running import Node, Start
from tests.node.working import accept_and_run, offer, result_of, run

MANAGER = keccak(text="manager")
OTHER = keccak(text="another manager")


@pytest.fixture
def job(network: Network) -> Job:
    """A job whose quote its manager has signed."""
    found = Job(network)
    quote = quote_of(found.spec).sign(DOMAIN, MANAGER)
    found.spec = found.spec.model_copy(update={"quote_signature": "0x" + quote.hex()})
    found.digest = network.keep(found.spec)
    return found


def opening(job: Job, **changes: Any) -> CanaryOpening:
    fields = {"task": job.tasks[0].id, "attempt": 0, "node": 1, "is_canary": True, "salt": b"\x05" * 32}
    return CanaryOpening(**{**fields, **changes})


def sealed(message: CanaryOpening, node: Node, signer: bytes = MANAGER) -> bytes:
    return seal_opening(message, message.sign(DOMAIN, signer), node.keys.sealing_public)


def has_its_seed(network: Network, job: Job, receipt: Receipt, changed: bytes = b"") -> bool:
    """Whether the delivered frames are of the ordered samples and their seed; ``changed``: by a canary's salt."""
    frame = result_of(network, receipt).frames[0]
    seed = frame_seed(jobkeys.task_key(job.key, job.tasks[0].id), 0, 7, frame.frame)
    made = pixels_of(SCENE, frame.frame, canary_seed(seed, changed) if changed else seed, EngineRender(64, 48, 16))
    return hashlib.sha256(made.astype("<f4").tobytes()).digest() == frame.pixels


@pytest.mark.parametrize("is_canary", [True, False])
def test_attack_a_canary_is_another_seed_that_neither_time_nor_noise_tells_and_any_receipt_commits(
    network: Network, worker: Node, job: Job, is_canary: bool
) -> None:
    """With an eighth of the samples a verifier saw by the time it took where it had to render."""
    message = opening(job, is_canary=is_canary)
    receipt = accept_and_run(job, worker, opening=sealed(message, worker))
    assert receipt.canary == commitment_of(message, 7)
    assert has_its_seed(network, job, receipt, message.salt if is_canary else b"")
    assert has_its_seed(network, job, receipt) is not is_canary
    assert [frame.frame for frame in result_of(network, receipt).frames] == [1, 2]


def test_without_an_opening_the_receipt_commits_to_nothing(network: Network, worker: Node, job: Job) -> None:
    receipt = accept_and_run(job, worker)
    assert receipt.canary == bytes(32) and has_its_seed(network, job, receipt)


def test_the_opening_is_shown_when_it_is_asked_for_and_not_before(network: Network, worker: Node, job: Job) -> None:
    message = opening(job)
    accept_and_run(job, worker, opening=sealed(message, worker))
    assert network.of(CanaryOpening) == []
    network.signers = {Account.from_key(MANAGER).address}
    worker.run(Open(task=job.tasks[0].id, attempt=0, deadline=START + 9))
    (sent,) = network.of(CanaryOpening)
    assert sent.message == message and sent.signature == message.sign(DOMAIN, MANAGER)


def test_who_was_given_nothing_shows_nothing(network: Network, worker: Node, job: Job) -> None:
    accept_and_run(job, worker)
    worker.run(Open(task=job.tasks[0].id, attempt=0, deadline=START + 9))
    assert network.of(CanaryOpening) == []


@pytest.mark.parametrize(
    ("changes", "signer"),
    [({}, OTHER), ({"task": b"t" * 32}, MANAGER), ({"attempt": 1}, MANAGER), ({"node": 2}, MANAGER)],
)
def test_attack_an_opening_that_would_open_nothing_is_no_reason_for_a_bad_result(
    network: Network, worker: Node, job: Job, changes: dict[str, Any], signer: bytes
) -> None:
    """Whoever asks for a bad result without the manager's signature wants the worker slashed for it."""
    worker.run(offer(job, worker))
    worker.run(run(job, worker, opening=sealed(opening(job, **changes), worker, signer)))
    assert network.of(Receipt) == [] and worker.engine.rendered == []
    worker.loop.executor._resting.clear()
    worker.run(run(job, worker, opening=sealed(opening(job), worker)))
    assert len(network.of(Receipt)) == 1


def test_frames_of_a_canary_are_not_delivered_as_others(network: Network, job: Job, start: Start) -> None:
    """The wish changes while the node is down: what lies in its journal was rendered for another."""
    first = start(7)
    first.run(offer(job, first))
    first.journal.keep_frame(job.tasks[0].id, 0, 1, f"1.0 test cpu {KERNEL} canary", "{}")
    first.kill()
    second = start(7)
    second.run(run(job, second, opening=sealed(opening(job, is_canary=False), second)))
    assert second.engine.rendered == [1, 2]
