# SPDX-License-Identifier: Apache-2.0
"""What a worker accepts, does and signs; and what it never signs."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from inferix import jobkeys
from inferix.jobkeys import result_key
from inferix.messages import Acceptance, Benchmark, Probe, Receipt
from inferix.models.result import Result
from inferix.models.roles import TaskKind
from inferix.models.work import BenchmarkDuty, ProbeDuty
from inferix.proofs.rendering import frame_seed
from inferix.sealing import job_key, open_stream, seal_key, seal_stream
from inferix.storage.cid import Cid, Codec
from node.engines import EngineSettings
from node.engines import RenderSettings as EngineRender
from node.worker import SLOTS_LOST
from tests.node.network import SCENE, START, Job, Network
from tests.node.noise_engine import NoiseEngine, pixels_of
from tests.node.running import Node, Start
from tests.node.working import accept_and_run, offer, plain, result_of, run

# -- offers


def test_offer__input_opens__accepted_once(network: Network, worker: Node) -> None:
    job = Job(network)
    worker.run(offer(job, worker, draw=3))
    worker.run()
    expected = Acceptance(task=job.tasks[0].id, attempt=0, node=7, draw=3)
    assert [item.message for item in network.of(Acceptance)] == [expected]
    assert network.of(Acceptance)[0].message.signer(worker.identity.domain, network.received[0].signature)


def test_offer__key_sealed_to_another__silent(network: Network, worker: Node, verifier: Node) -> None:
    job = Job(network)
    worker.run(offer(job, worker, sealed_key=seal_key(job.key, verifier.keys.sealing_public)))
    assert network.received == []


def test_offer__ciphertext_that_does_not_decrypt__silent(network: Network, worker: Node) -> None:
    job = Job(network)
    worker.run(offer(job, worker, sealed_key=seal_key(job_key(), worker.keys.sealing_public)))
    assert network.received == []
    assert worker.engine.rendered == []


def test_attack_a_second_key_for_the_job__opens_nothing_and_gives_no_seed(network: Network, worker: Node) -> None:
    job, second = Job(network), job_key()
    input = network.store.add(seal_stream(jobkeys.input_key(second), [SCENE]))
    network.store.pin(input)
    request = job.spec.request.model_copy(update={"input": str(input)})
    job.digest = network.keep(job.spec.model_copy(update={"request": request}))
    worker.run(offer(job, worker, sealed_key=seal_key(second, worker.keys.sealing_public)))
    assert network.received == []
    assert worker.engine.opened == 0


def test_offer__input_not_in_storage__silent_until_it_is(network: Network, worker: Node) -> None:
    job = Job(network)
    cid = Cid.parse(job.spec.request.input)
    block = network.store.get_block(cid)
    network.store.unpin(cid)
    network.store._path(cid).unlink()
    worker.run(offer(job, worker))
    assert network.received == []
    network.store.put_block(cid, block)
    worker.loop.executor._resting.clear()
    worker.run()
    assert len(network.of(Acceptance)) == 1


@pytest.mark.parametrize("engine", ["blender", "noise 2.0 other"])
def test_offer__other_engine_or_build__silent(network: Network, worker: Node, engine: str) -> None:
    worker.run(offer(Job(network, engine=engine), worker))
    assert network.received == []


def test_offer__exact_build__accepted(network: Network, worker: Node) -> None:
    worker.run(offer(Job(network, engine="noise 1.0 test"), worker))
    assert len(network.of(Acceptance)) == 1


def test_offer__too_much_work_for_its_speed__silent(network: Network, worker: Node) -> None:
    network.nodes[7]["ib"] = 1
    worker.run(offer(Job(network), worker))
    assert network.received == []


@pytest.mark.parametrize(("beyond", "taken"), [(0, 0), (600, 1)])
def test_attack_an_attempt_that_is_over_before_its_receipt_can_be_anchored_is_not_accepted(
    network: Network, worker: Node, beyond: int, taken: int
) -> None:
    """A client had every worker fined that took one: acceptance and receipt each wait for an anchor, slots apart."""
    worker.loop._parts.parameters["slot"] = 30
    worker.run(offer(Job(network, seconds=SLOTS_LOST * 30 + beyond), worker))
    assert len(network.of(Acceptance)) == taken


def test_offer__not_measured_yet__accepted(network: Network, worker: Node) -> None:
    network.nodes[7]["ib"] = 0
    worker.run(offer(Job(network), worker))
    assert len(network.of(Acceptance)) == 1


def test_offer__task_that_the_spec_does_not_have__silent(network: Network, worker: Node) -> None:
    job = Job(network)
    more = job.tasks[0].model_copy(update={"last_frame": 9})
    worker.run(offer(job, worker, task=0).model_copy(update={"task": more}))
    assert network.received == []


def test_offer__while_working_or_waiting__silent(network: Network, worker: Node) -> None:
    job = Job(network)
    first, second = offer(job, worker, task=0), offer(job, worker, task=1)
    worker.run(first, second)
    assert len(network.of(Acceptance)) == 1
    network.time += 30  # the acceptance came to nothing: somebody else was quicker
    worker.run(second)
    assert len(network.of(Acceptance)) == 2


def test_offer__withdrawn_while_the_input_was_fetched__silent(network: Network, worker: Node) -> None:
    job = Job(network)
    worker.offer(offer(job, worker))
    worker.loop.step()
    worker.loop._parts.listing.update([])
    worker.loop.executor.step()
    worker.offer()
    worker.loop.step()
    assert network.received == []


# -- tasks


def test_run__every_frame_is_stored_sealed_and_as_committed(network: Network, worker: Node) -> None:
    job = Job(network)
    result = result_of(network, accept_and_run(job, worker))
    task = job.tasks[0]
    assert (result.task, result.attempt, result.node, result.build) == (task.id, 0, 7, "1.0 test")
    assert [frame.frame for frame in result.frames] == [1, 2]
    for frame in result.frames:
        assert plain(network, frame.raw, result_key(job.key, task.id, 0))
        assert Cid.parse(frame.raw.cid) in set(network.store.pins())
        seed = frame_seed(jobkeys.task_key(job.key, task.id), 0, 7, frame.frame)
        pixels = pixels_of(SCENE, frame.frame, seed, EngineRender(64, 48, 16))
        assert frame.pixels == hashlib.sha256(pixels.astype("<f4").tobytes()).digest()


def test_run__quick_looks_open_with_the_preview_key(network: Network, worker: Node) -> None:
    job = Job(network)
    accept_and_run(job, worker)
    looks = [item for item in network.progress if item["preview"]]
    assert [item["frame"] for item in looks] == [1, 2]
    assert all(item["permille"] == 1_000 for item in looks)
    key = jobkeys.preview_key(job.key, job.tasks[0].id, 0)
    data = b"".join(open_stream(key, network.store.open(Cid.parse(looks[0]["preview"]), 10**6)))
    assert data.startswith(b"quick look")


def test_run__not_accepted_by_this_node__nothing_is_done_or_signed(network: Network, worker: Node) -> None:
    job = Job(network)
    worker.run(offer(job, worker, task=0))
    worker.run(run(job, worker, task=1))
    assert network.of(Receipt) == []
    assert worker.engine.rendered == []


def test_run__deadline_past__no_receipt(network: Network, worker: Node) -> None:
    job = Job(network)
    worker.run(offer(job, worker))
    network.time = START + 600
    worker.run(run(job, worker))
    assert network.of(Receipt) == []
    assert worker.engine.rendered == []


def test_run__taken_back_meanwhile__stops_between_frames(network: Network, worker: Node) -> None:
    job = Job(network)
    worker.run(offer(job, worker))
    worker.offer(run(job, worker))
    worker.loop.step()
    worker.loop._parts.listing.update([])
    worker.loop.executor.step()
    assert network.of(Receipt) == []
    assert worker.engine.rendered == []


def test_run__package_that_the_engine_refuses__reported_without_frames(network: Network, worker: Node) -> None:
    for scene in (b"SCENE broken", b"not a scene at all"):
        job = Job(network, scene=scene)
        result = result_of(network, accept_and_run(job, worker))
        assert (result.frames, result.film, result.task) == ([], None, job.tasks[0].id)
        network.time += 60


def test_run__engine_crash__no_receipt_and_tried_again(network: Network, worker: Node) -> None:
    job = Job(network)
    worker.run(offer(job, worker))
    worker.engine.failing = True
    worker.run(run(job, worker))
    assert network.of(Receipt) == []
    worker.engine.failing = False
    worker.loop.executor._resting.clear()
    worker.run()
    assert len(network.of(Receipt)) == 1


def test_run__progress_that_the_network_refuses__does_not_stop_the_work(network: Network, worker: Node) -> None:
    job = Job(network)
    network.progress_down = True
    assert accept_and_run(job, worker).task == job.tasks[0].id


def test_assemble__film_from_accepted_frames(network: Network, worker: Node) -> None:
    job = Job(network)
    results = []
    for task in (0, 1):
        results.append(accept_and_run(job, worker, task).result)
        network.time += 60
    result = result_of(network, accept_and_run(job, worker, 2, results=results))
    film = result.film
    assert film is not None
    assert result.kind is TaskKind.ASSEMBLE
    key = result_key(job.key, job.tasks[2].id, 0)
    assert len(film.stills) == 4
    assert plain(network, film.movie, key).startswith(b"film at 24.0")
    assert plain(network, film.contact_sheet, key) == b"sheet"


def test_assemble__results_of_too_few_tasks__no_receipt(network: Network, worker: Node) -> None:
    job = Job(network)
    results = [accept_and_run(job, worker, 0).result]
    network.time += 60
    worker.run(offer(job, worker, 2))
    worker.run(run(job, worker, 2, results=results))
    assert [item.message.task for item in network.of(Receipt)] == [job.tasks[0].id]  # type: ignore[attr-defined]


# -- benchmark and probe


def test_benchmark__result_is_the_sample_scene_at_its_own_settings(network: Network, worker: Node) -> None:
    scene = network.store.add(SCENE)
    duty = BenchmarkDuty(challenge=b"c" * 32, scene=str(scene), seed=5, deadline=START)
    worker.run(duty)
    worker.run()
    (answer,) = network.of(Benchmark)
    assert isinstance(answer.message, Benchmark)
    result = Result.decode(network.store.get_block(Cid(Codec.RAW, answer.message.result)), answer.message.result)
    (frame,) = result.frames
    assert result.task == duty.challenge
    pixels = pixels_of(SCENE, 1, 5, EngineRender(64, 48, 16))
    assert frame.pixels == hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).digest()
    assert network.store.stat(Cid.parse(frame.raw.cid)).size == frame.raw.size


def test_benchmark__scene_not_there__nothing_is_signed(network: Network, worker: Node) -> None:
    missing = str(Cid.of(Codec.RAW, b"never stored"))
    worker.run(BenchmarkDuty(challenge=b"c" * 32, scene=missing, seed=5, deadline=START + 60))
    assert network.received == []


def test_probe__answered_at_once_and_once(network: Network, worker: Node) -> None:
    duty = ProbeDuty(manager=1, anchor=20, seed=bytes(32), deadline=START + 60)
    worker.run(duty)
    worker.run(duty)
    assert [item.message for item in network.received] == [Probe(manager=1, anchor=20, seed=bytes(32), node=7)]


# -- what stays on the disk


def test_clients_data_is_private_and_goes_with_the_process(network: Network, start: Start, tmp_path: Path) -> None:
    node = start(7, engine=NoiseEngine(EngineSettings()))
    accept_and_run(Job(network), node)
    work = tmp_path / "home-7" / "work"
    packages = list(work.glob("*/package"))
    assert [path.read_bytes() for path in packages] == [SCENE]
    assert work.stat().st_mode & 0o77 == 0
    node.loop._parts.sessions.close()
    assert not work.exists()
    work.mkdir()
    (work / "left over").write_bytes(SCENE)
    start(7)
    assert list(work.iterdir()) == []
