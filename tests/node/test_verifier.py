# SPDX-License-Identifier: Apache-2.0
"""What a verifier finds, votes and shows: honest work beside every way of not having done it."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferix import jobkeys
from inferix.jobkeys import result_key
from inferix.messages import PanelVote, Vote, VoteCommitment, vote_commitment
from inferix.models.result import FileRef, Film, FrameResult, Measurement, Result
from inferix.models.roles import Outcome, TaskKind
from inferix.models.work import PanelDuty, Reveal, Verify
from inferix.proofs.rendering import frame_seed
from inferix.sealing import JobKey, job_key, seal_key
from inferix.storage.cid import Cid, Codec
from node.engines import EngineSettings, FloatArray
from node.engines import RenderSettings as EngineRender
from node.engines.exr import Passes, pixels_sha256, read_frame, write_frame
from node.signer import AlreadySigned
from node.vault import Vault
from tests.node.conftest import Node, Start
from tests.node.network import DOMAIN, SCENE, START, Job, Network
from tests.node.noise_engine import NoiseEngine, pixels_of

WORKER = 7
SEED = b"s" * 32
Pixels = Callable[[int, int, EngineRender], FloatArray]


def honest(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return pixels_of(SCENE, frame, seed, settings)


class Delivery:
    """A worker's result of one task, as honest or not as ``pixels`` says."""

    def __init__(self, network: Network, job: Job, folder: Path, *, task: int = 0, attempt: int = 0) -> None:
        self.network, self.job, self.folder = network, job, folder
        self.task, self.attempt = job.tasks[task], attempt
        self.vault = Vault(network.store)
        self.key: JobKey = result_key(job.key, self.task.id, attempt)
        self.result = Result(
            kind=self.task.kind,
            task=self.task.id,
            attempt=attempt,
            node=WORKER,
            engine="noise",
            build="1.0 test",
            device_class="cpu",
        )

    def frames(self, pixels: Pixels = honest) -> "Delivery":
        """Render with ``pixels`` and store."""
        made = [self.frame(frame, pixels) for frame in self.task.frames()]
        return self.change(frames=made)

    def frame(self, frame: int, pixels: Pixels = honest) -> FrameResult:
        seed = frame_seed(jobkeys.task_key(self.job.key, self.task.id), self.attempt, WORKER, frame)
        image = pixels(frame, seed, EngineRender(64, 48, 16))
        path = self.folder / "made.exr"
        write_frame(path, Passes(image, image[..., :3], image[..., :3]))
        return FrameResult(
            frame=frame, raw=self.vault.store_file(path, self.key), pixels=pixels_sha256(image), milliseconds=1
        )

    def file(self, data: bytes) -> FileRef:
        """Store any bytes as a result's file."""
        path = self.folder / "any"
        path.write_bytes(data)
        return self.vault.store_file(path, self.key)

    def change(self, **changes: Any) -> "Delivery":
        """With other fields."""
        self.result = self.result.model_copy(update=changes)
        return self

    def change_first(self, **changes: Any) -> "Delivery":
        """With other fields of its first frame."""
        first, *rest = self.result.frames
        return self.change(frames=[first.model_copy(update=changes), *rest])

    def verify(self, node: Node, **changes: Any) -> Verify:
        """The work item to check this."""
        fields = self.job.fields(node.keys.sealing_public, self.job.tasks.index(self.task), self.attempt)
        digest = self.network.keep(self.result)
        return Verify(**{**fields, "worker": WORKER, "result": digest, "seed": SEED, **changes})


@pytest.fixture
def job(network: Network) -> Job:
    return Job(network)


@pytest.fixture
def delivery(network: Network, job: Job, tmp_path: Path) -> Delivery:
    return Delivery(network, job, tmp_path)


def voted(node: Node, item: Verify) -> tuple[Outcome, Measurement]:
    """What the node votes once it is asked to reveal; the commitment came first and opens."""
    network = node.network
    node.run(item)
    (committed,) = network.of(VoteCommitment)
    assert network.of(Vote) == []
    node.run(Reveal(task=item.task.id, attempt=item.attempt, deadline=item.deadline))
    node.loop.step()
    (shown,) = network.of(Vote)
    vote = shown.message
    assert isinstance(vote, Vote)
    assert isinstance(committed.message, VoteCommitment)
    assert committed.message.commitment == vote_commitment(vote.digest(DOMAIN), shown.salt)
    assert (vote.task, vote.attempt, vote.node, vote.result) == (item.task.id, item.attempt, 9, item.result)
    data = network.store.get_block(Cid(Codec.RAW, vote.measured))
    return Outcome(vote.outcome), Measurement.decode(data, vote.measured)


# -- raw frames


def test_verify__honest_frames__accepted_with_ten_tiles_each(verifier: Node, delivery: Delivery) -> None:
    outcome, measurement = voted(verifier, delivery.frames().verify(verifier))
    assert outcome is Outcome.ACCEPTED
    assert [tile.frame for tile in measurement.tiles] == [1] * 10 + [2] * 10
    assert all(tile.equal and tile.informative and tile.share_ppm == 0 for tile in measurement.tiles)
    assert (measurement.method, measurement.node, measurement.build) == ("tiles", 9, "1.0 test")


def _other_seed(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return honest(frame, seed + 1, settings)


def _fewer_samples(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return honest(frame, seed, replace(settings, samples=15))


def _previous_frame(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return honest(frame - 1, seed, settings)


def _denoised(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    image = honest(frame, seed, settings)
    return ((image + np.roll(image, 1, 0) + np.roll(image, 1, 1)) / 3).astype(np.float32)


def _not_finite(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return np.full_like(honest(frame, seed, settings), np.nan)


@pytest.mark.parametrize("forged", [_other_seed, _fewer_samples, _previous_frame, _denoised, _not_finite])
def test_verify__forged_frames__rejected(verifier: Node, delivery: Delivery, forged: Pixels) -> None:
    outcome, measurement = voted(verifier, delivery.frames(forged).verify(verifier))
    assert outcome is Outcome.REJECTED
    assert "differ from their re-render" in measurement.reason
    assert measurement.tiles


def test_verify__one_forged_frame_of_two__rejected(verifier: Node, delivery: Delivery) -> None:
    delivery.frames()
    forged = [delivery.result.frames[0], delivery.frame(2, _other_seed)]
    outcome, measurement = voted(verifier, delivery.change(frames=forged).verify(verifier))
    assert outcome is Outcome.REJECTED
    assert measurement.reason.startswith("frame 2:")


def test_verify__honest_frames_of_an_earlier_attempt__rejected(
    network: Network, verifier: Node, job: Job, tmp_path: Path
) -> None:
    first = Delivery(network, job, tmp_path).frames()
    replayed = Delivery(network, job, tmp_path, attempt=1)
    copies = []
    for frame in first.result.frames:
        path = tmp_path / "copy.exr"
        Vault(network.store).fetch_file(frame.raw, first.key, 10**7, path)
        copies.append(frame.model_copy(update={"raw": replayed.vault.store_file(path, replayed.key)}))
        path.unlink()
    outcome, _ = voted(verifier, replayed.change(frames=copies).verify(verifier))
    assert outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pixels": b"p" * 32}, "not those that were committed"),
        ({"raw": {"sha256": b"p" * 32}}, "SHA-256 differs"),
        ({"raw": {"size": 10**9}}, "at most"),
        ({"raw": {"cid": "not a cid at all"}}, "not a CID"),
    ],
)
def test_verify__false_commitment__rejected(
    verifier: Node, delivery: Delivery, change: dict[str, Any], reason: str
) -> None:
    raw = delivery.frames().result.frames[0].raw
    if "raw" in change:
        change = {"raw": raw.model_copy(update=change["raw"])}
    outcome, measurement = voted(verifier, delivery.change_first(**change).verify(verifier))
    assert outcome is Outcome.REJECTED
    assert reason in measurement.reason


def test_verify__file_sealed_with_another_key__rejected(verifier: Node, delivery: Delivery) -> None:
    delivery.frames()
    delivery.key = job_key()
    outcome, _ = voted(verifier, delivery.change_first(raw=delivery.file(b"x" * 900)).verify(verifier))
    assert outcome is Outcome.REJECTED


def test_verify__file_that_is_no_exr__rejected(verifier: Node, delivery: Delivery) -> None:
    delivery.frames()
    outcome, measurement = voted(verifier, delivery.change_first(raw=delivery.file(b"x" * 900)).verify(verifier))
    assert outcome is Outcome.REJECTED
    assert "EXR" in measurement.reason


@pytest.mark.parametrize("fields", [{"node": 8}, {"attempt": 1}, {"task": b"x" * 32}, {"kind": TaskKind.ASSEMBLE}])
def test_verify__document_of_something_else__rejected(
    verifier: Node, delivery: Delivery, fields: dict[str, Any]
) -> None:
    outcome, _ = voted(verifier, delivery.frames().change(**fields).verify(verifier))
    assert outcome is Outcome.REJECTED


def test_verify__frames_missing_or_twice__rejected(verifier: Node, delivery: Delivery) -> None:
    first, _ = delivery.frames().result.frames
    outcome, measurement = voted(verifier, delivery.change(frames=[first, first]).verify(verifier))
    assert outcome is Outcome.REJECTED
    assert "2 ordered" in measurement.reason


def test_verify__malformed_document__rejected(network: Network, verifier: Node, delivery: Delivery) -> None:
    garbage = b'{"no": "result"}'
    cid = Cid.of(Codec.RAW, garbage)
    network.store.put_block(cid, garbage)
    outcome, _ = voted(verifier, delivery.verify(verifier, result=cid.digest))
    assert outcome is Outcome.REJECTED


def test_verify__without_the_tile_check_a_forgery_would_pass(
    verifier: Node, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tile check alone stands between `_other_seed` and acceptance: everything else about it is in order."""
    monkeypatch.setattr(verifier.loop._role._checker, "_measure", _measure_nothing)  # type: ignore[attr-defined]
    outcome, _ = voted(verifier, delivery.frames(_other_seed).verify(verifier))
    assert outcome is Outcome.ACCEPTED


# -- other builds


@pytest.mark.parametrize("fields", [{"build": "2.0 other"}, {"device_class": "optix"}])
def test_verify__differs_on_another_build_or_device__void_and_nobodys_fault(
    verifier: Node, delivery: Delivery, fields: dict[str, Any]
) -> None:
    outcome, _ = voted(verifier, delivery.frames(_other_seed).change(**fields).verify(verifier))
    assert outcome is Outcome.VOID


def test_verify__agrees_on_another_build__accepted(verifier: Node, delivery: Delivery) -> None:
    outcome, _ = voted(verifier, delivery.frames().change(build="2.0 other").verify(verifier))
    assert outcome is Outcome.ACCEPTED


def test_verify__build_that_was_not_ordered__rejected(network: Network, verifier: Node, tmp_path: Path) -> None:
    delivery = Delivery(network, Job(network, engine="noise 1.0 test"), tmp_path).frames()
    outcome, _ = voted(verifier, delivery.change(build="2.0 other").verify(verifier))
    assert outcome is Outcome.REJECTED


def test_verify__job_for_another_engine__void(network: Network, verifier: Node, tmp_path: Path) -> None:
    delivery = Delivery(network, Job(network, engine="blender"), tmp_path)
    outcome, measurement = voted(verifier, delivery.verify(verifier))
    assert outcome is Outcome.VOID
    assert "blender" in measurement.reason


# -- the client's fault


@pytest.mark.parametrize("scene", [b"SCENE broken", b"not a scene at all"])
def test_verify__no_frames_of_a_bad_package__client_fault(
    network: Network, verifier: Node, tmp_path: Path, scene: bytes
) -> None:
    delivery = Delivery(network, Job(network, scene=scene), tmp_path)
    outcome, _ = voted(verifier, delivery.verify(verifier))
    assert outcome is Outcome.CLIENT_FAULT


def test_verify__no_frames_of_a_good_package__rejected(verifier: Node, delivery: Delivery) -> None:
    outcome, measurement = voted(verifier, delivery.verify(verifier))
    assert outcome is Outcome.REJECTED
    assert "opens and renders" in measurement.reason


# -- what cannot be had


def _remove(network: Network, cid: str) -> None:
    network.store._path(Cid.parse(cid)).unlink()


def _give_up(node: Node, item: Verify) -> tuple[Outcome, Measurement]:
    """Nothing is voted at first; in half of the time the node gives up."""
    node.run(item)
    assert node.network.received == []
    node.network.time = START + 299
    node.loop.executor._resting.clear()
    node.run()
    assert node.network.received == []
    node.network.time = START + 301
    node.loop.executor._resting.clear()
    return voted(node, item)


def test_verify__result_not_in_storage__unserved_when_half_the_time_is_gone(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    _remove(verifier.network, str(Cid(Codec.RAW, item.result)))
    outcome, measurement = _give_up(verifier, item)
    assert outcome is Outcome.UNSERVED
    assert (measurement.method, measurement.tiles) == ("none", [])


def test_verify__one_frame_not_in_storage__unserved_although_its_hash_is_known(
    verifier: Node, delivery: Delivery
) -> None:
    item = delivery.frames().verify(verifier)
    _remove(verifier.network, delivery.result.frames[1].raw.cid)
    outcome, _ = _give_up(verifier, item)
    assert outcome is Outcome.UNSERVED


def test_verify__result_comes_late__accepted(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    cid = Cid.parse(delivery.result.frames[1].raw.cid)
    block = verifier.network.store.get_block(cid)
    _remove(verifier.network, str(cid))
    verifier.run(item)
    verifier.network.store.put_block(cid, block)
    verifier.loop.executor._resting.clear()
    assert voted(verifier, item)[0] is Outcome.ACCEPTED


def test_verify__key_for_another_node__unserved(verifier: Node, worker: Node, delivery: Delivery) -> None:
    sealed = seal_key(delivery.job.key, worker.keys.sealing_public)
    outcome, _ = _give_up(verifier, delivery.frames().verify(verifier, sealed_key=sealed))
    assert outcome is Outcome.UNSERVED


def test_verify__input_that_does_not_decrypt__unserved_not_blamed_on_the_worker(
    verifier: Node, delivery: Delivery
) -> None:
    sealed = seal_key(job_key(), verifier.keys.sealing_public)
    outcome, _ = _give_up(verifier, delivery.frames().verify(verifier, sealed_key=sealed))
    assert outcome is Outcome.UNSERVED


def test_verify__storage_away__unserved(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    verifier.network.storage_down = True
    verifier.run(item)
    verifier.network.time = START + 301
    verifier.loop.executor._resting.clear()
    verifier.run()
    verifier.network.storage_down = False
    assert voted(verifier, item)[0] is Outcome.UNSERVED


def test_verify__own_engine_fails__void(verifier: Node, delivery: Delivery) -> None:
    verifier.engine.failing = True
    outcome, measurement = _give_up(verifier, delivery.frames().verify(verifier))
    assert outcome is Outcome.VOID
    assert "engine" in measurement.reason


def test_verify__deadline_past__no_vote(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    verifier.network.time = item.deadline
    verifier.run(item)
    assert verifier.network.received == []


# -- votes


def test_vote__restarted_before_reveal__shows_the_same_vote_and_no_second(
    network: Network, start: Start, delivery: Delivery
) -> None:
    first = start(9, "verifier")
    item = delivery.frames().verify(first)
    first.run(item)
    first.kill()
    second = start(9, "verifier", NoiseEngine(EngineSettings(), build="2.0 other"))
    second.run(item)
    assert len(network.of(VoteCommitment)) == 1
    assert voted(second, item)[0] is Outcome.ACCEPTED


def test_vote__killed_before_sending__the_same_commitment_goes_out(
    network: Network, start: Start, delivery: Delivery
) -> None:
    first = start(9, "verifier")
    item = delivery.frames().verify(first)
    first.offer(item)
    first.loop.step()
    first.loop.executor.step()
    kept = first.journal.find("VoteCommitment", item.task.id + b"\0")
    first.kill()
    assert network.received == []
    assert kept is not None
    second = start(9, "verifier")
    assert voted(second, item)[0] is Outcome.ACCEPTED
    assert network.of(VoteCommitment)[0].signature == kept.signature


def test_vote__a_second_and_different_one__is_never_signed(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    verifier.run(item)
    measurement = Measurement(
        task=item.task.id, attempt=0, node=9, build="", device_class="cpu", method="none", reason="changed my mind"
    )
    vote = Vote(task=item.task.id, attempt=0, node=9, result=item.result, outcome=2, measured=measurement.digest())
    with pytest.raises(AlreadySigned):
        verifier.loop._parts.signer.commit_vote(vote, measurement)
    assert len(verifier.network.of(VoteCommitment)) == 1
    assert voted(verifier, item)[0] is Outcome.ACCEPTED


def test_reveal__without_a_vote__says_so_and_sends_nothing(verifier: Node, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        verifier.run(Reveal(task=b"t" * 32, attempt=0, deadline=START + 9))
    assert verifier.network.received == []
    assert "no Vote to reveal" in caplog.text


# -- panels


def _panel(delivery: Delivery, node: Node, outcome: Outcome) -> PanelDuty:
    item = delivery.verify(node)
    fields = {name: getattr(item, name) for name in Verify.model_fields if name != "kind"}
    return PanelDuty(**{**fields, "case": b"c" * 32, "outcome": outcome, "seed": b"p" * 32})


def _panel_vote(node: Node) -> PanelVote:
    (item,) = node.network.of(PanelVote)
    assert isinstance(item.message, PanelVote)
    return item.message


def test_panel__rejected_forgery__upheld(verifier: Node, delivery: Delivery) -> None:
    verifier.run(_panel(delivery.frames(_other_seed), verifier, Outcome.REJECTED))
    vote = _panel_vote(verifier)
    assert (vote.dispute, vote.node, vote.upheld) == (b"c" * 32, 9, True)
    data = verifier.network.store.get_block(Cid(Codec.RAW, vote.measured))
    assert Measurement.decode(data).tiles


def test_panel__rejected_honest_work__reversed(verifier: Node, delivery: Delivery) -> None:
    verifier.run(_panel(delivery.frames(), verifier, Outcome.REJECTED))
    assert _panel_vote(verifier).upheld is False


def test_panel__nothing_to_check__no_vote_either_way(verifier: Node, delivery: Delivery) -> None:
    duty = _panel(delivery.frames(), verifier, Outcome.REJECTED)
    _remove(verifier.network, str(Cid(Codec.RAW, duty.result)))
    for seconds in (0, 301, 500):
        verifier.network.time = START + seconds
        verifier.loop.executor._resting.clear()
        verifier.run(duty)
    assert verifier.network.received == []


# -- films


def _film(network: Network, job: Job, folder: Path) -> tuple[Delivery, list[bytes]]:
    """An honest film of honest frames, and the digests of the frames' results."""
    results, stills = [], []
    delivery = Delivery(network, job, folder, task=2)
    for task in (0, 1):
        part = Delivery(network, job, folder, task=task).frames()
        results.append(network.keep(part.result))
        stills += [_still(part, frame) for frame in part.result.frames]
    film = Film(
        stills=[delivery.file(still) for still in stills],
        movie=delivery.file(b"movie"),
        contact_sheet=delivery.file(b"sheet"),
    )
    return delivery.change(film=film), results


def _still(part: Delivery, frame: FrameResult) -> bytes:
    raw, picture = part.folder / "raw.exr", part.folder / "still.npy"
    part.vault.fetch_file(frame.raw, part.key, 10**7, raw)
    np.save(picture, (255 * read_frame(raw).combined[..., :3].clip(0, 1)).astype(np.uint8))
    raw.unlink()
    return picture.read_bytes()


def test_verify_film__honest__accepted_by_redoing_one_frame(
    network: Network, verifier: Node, job: Job, tmp_path: Path
) -> None:
    delivery, results = _film(network, job, tmp_path)
    outcome, measurement = voted(verifier, delivery.verify(verifier, results=results))
    assert outcome is Outcome.ACCEPTED
    (tile,) = measurement.tiles
    assert (measurement.method, tile.equal, tile.width, tile.height) == ("redo", True, 64, 48)


def test_verify_film__other_pictures__rejected(network: Network, verifier: Node, job: Job, tmp_path: Path) -> None:
    delivery, results = _film(network, job, tmp_path)
    film = delivery.result.film
    assert film is not None
    black = tmp_path / "black.npy"
    np.save(black, np.zeros((48, 64, 3), np.uint8))
    forged = film.model_copy(update={"stills": [delivery.file(black.read_bytes())] * 4})
    outcome, _ = voted(verifier, delivery.change(film=forged).verify(verifier, results=results))
    assert outcome is Outcome.REJECTED


@pytest.mark.parametrize("missing", ["film", "still", "garbage"])
def test_verify_film__incomplete_or_unreadable__rejected(
    network: Network, verifier: Node, job: Job, tmp_path: Path, missing: str
) -> None:
    delivery, results = _film(network, job, tmp_path)
    film = delivery.result.film
    assert film is not None
    changed = {
        "film": None,
        "still": film.model_copy(update={"stills": film.stills[:3]}),
        "garbage": film.model_copy(update={"stills": [delivery.file(b"no picture")] * 4}),
    }[missing]
    outcome, _ = voted(verifier, delivery.change(film=changed).verify(verifier, results=results))
    assert outcome is Outcome.REJECTED


def test_verify_film__movie_not_in_storage__unserved(
    network: Network, verifier: Node, job: Job, tmp_path: Path
) -> None:
    delivery, results = _film(network, job, tmp_path)
    film = delivery.result.film
    assert film is not None
    item = delivery.verify(verifier, results=results)
    _remove(network, film.movie.cid)
    outcome, _ = _give_up(verifier, item)
    assert outcome is Outcome.UNSERVED


def _measure_nothing(*_: object) -> Any:
    from inferix.proofs.rendering import Verdict

    return [], Verdict(True, True, "nothing was measured")
