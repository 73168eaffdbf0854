# SPDX-License-Identifier: Apache-2.0
"""A worker and a verifier with real Blender in a real sandbox: honest work passes, cheaper frames do not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inferix.jobkeys import result_key
from inferix.keystore import new_keys
from inferix.messages import Receipt, Vote
from inferix.models.result import Measurement, Result
from inferix.models.roles import Outcome
from inferix.models.work import Offer, Reveal, Run, Verify
from inferix.sealing import open_stream
from inferix.storage.cid import Cid, Codec
from node import sandbox
from node.engines import EngineSettings, RawFrame, RenderSettings, load_engine
from node.reader import SandboxedReader
from tests.node.network import Job, Network
from tests.node.running import Node

pytest.importorskip("bpy", reason="pip install 'inferix[node]'")
SCENE = Path(__file__).parents[2] / "assets" / "scenes" / "demo.blend"


@pytest.fixture(scope="module")
def engine() -> Any:
    try:
        sandbox.check()
    except sandbox.SandboxUnavailable as error:
        pytest.skip(str(error))
    return load_engine("blender", EngineSettings(threads=1))


@pytest.fixture
def people(tmp_path: Path, engine: Any) -> Iterator[tuple[Network, Node, Node]]:
    network = Network(tmp_path / "network")
    lives = []
    for node, role in ((7, "worker"), (9, "verifier")):
        keys = new_keys()
        network.register(node, keys.address, role)
        lives.append(Node(network, tmp_path / role, node, keys, engine, SandboxedReader()))
    yield network, *lives
    for life in lives:
        life.loop._parts.sessions.close()
        life.kill()


def _do(job: Job, worker: Node, task: int, **more: Any) -> bytes:
    """The digest of the result that the worker signs a receipt for."""
    fields = job.fields(worker.keys.sealing_public, task)
    worker.run(Offer(**fields, draw=0))
    worker.run(Run(**fields, **more))
    message = worker.network.of(Receipt)[-1].message
    assert isinstance(message, Receipt)
    assert message.task == job.tasks[task].id
    worker.network.time += 60
    return message.result


def _vote(job: Job, verifier: Node, task: int, result: bytes, **more: Any) -> tuple[Outcome, Measurement]:
    network = verifier.network
    fields = job.fields(verifier.keys.sealing_public, task)
    verifier.run(Verify(**fields, worker=7, result=result, seed=b"s" * 32, **more))
    verifier.run(Reveal(task=job.tasks[task].id, attempt=0, deadline=fields["deadline"]))
    verifier.loop.step()
    message = network.of(Vote)[-1].message
    assert isinstance(message, Vote)
    data = network.store.get_block(Cid(Codec.RAW, message.measured))
    return Outcome(message.outcome), Measurement.decode(data, message.measured)


def test_honest_job__frames_and_film_are_accepted(people: tuple[Network, Node, Node]) -> None:
    network, worker, verifier = people
    job = Job(network, scene=SCENE.read_bytes(), frames=2, engine=f"blender {worker.engine.build()}")
    raw = _do(job, worker, 0)
    outcome, measurement = _vote(job, verifier, 0, raw)
    assert outcome is Outcome.ACCEPTED
    assert len(measurement.tiles) >= 6  # three a frame, before anything is decided
    assert all(tile.equal for tile in measurement.tiles)
    film = _do(job, worker, 1, results=[raw])
    outcome, measurement = _vote(job, verifier, 1, film, results=[raw])
    assert (outcome, measurement.method) == (Outcome.ACCEPTED, "redo")
    result = Result.decode(network.store.get_block(Cid(Codec.RAW, film)), film)
    assert result.film is not None
    key = result_key(job.key, job.tasks[1].id, 0)
    movie = b"".join(open_stream(key, network.store.open(Cid.parse(result.film.movie.cid), 10**8)))
    assert movie[4:8] == b"ftyp"


def test_quarter_of_the_samples__rejected(people: tuple[Network, Node, Node], monkeypatch: pytest.MonkeyPatch) -> None:
    network, worker, verifier = people
    kind = worker.engine.session
    render = kind.render

    def cheap(self: Any, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        found: RawFrame = render(
            self, frame, seed, RenderSettings(settings.width, settings.height, settings.samples // 4)
        )
        return found

    job = Job(network, scene=SCENE.read_bytes(), frames=2, engine="blender")
    with monkeypatch.context() as patch:
        patch.setattr(kind, "render", cheap)
        forged = _do(job, worker, 0)
    outcome, measurement = _vote(job, verifier, 0, forged)
    assert outcome is Outcome.REJECTED
    assert "differ from their re-render" in measurement.reason


def test_no_scene__reported_by_the_worker_and_client_fault_by_the_verifier(people: tuple[Network, Node, Node]) -> None:
    network, worker, verifier = people
    job = Job(network, scene=b"this is no scene", frames=2, engine="blender")
    empty = _do(job, worker, 0)
    assert Result.decode(network.store.get_block(Cid(Codec.RAW, empty))).frames == []
    assert _vote(job, verifier, 0, empty)[0] is Outcome.CLIENT_FAULT
