# SPDX-License-Identifier: Apache-2.0
"""What a verifier finds in raw frames: honest work beside every way of not having done it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inferix.models.roles import Outcome, TaskKind
from inferix.proofs.rendering import load_calibration
from inferix.sealing import job_key, seal_key
from inferix.storage.cid import Cid, Codec
from node.engines import FloatArray
from node.engines import RenderSettings as EngineRender
from node.vault import FREE_BYTES, Vault
from tests.node.delivery import Delivery, Pixels, give_up, honest, other_seed, remove, voted
from tests.node.network import START, Job, Network
from tests.node.running import Node

# -- raw frames


def test_verify__honest_frames__accepted_with_as_many_tiles_as_it_takes(verifier: Node, delivery: Delivery) -> None:
    outcome, measurement = voted(verifier, delivery.frames().verify(verifier))
    assert outcome is Outcome.ACCEPTED
    needed = load_calibration().rule("cpu", "cpu", same_kernel=True).clean_needed
    assert [tile.frame for tile in measurement.tiles] == [1] * needed + [2] * needed
    assert all(tile.equal and tile.informative and tile.share_ppm == 0 for tile in measurement.tiles)
    assert (measurement.method, measurement.node, measurement.build) == ("tiles", 9, "1.0 test")


def _fewer_samples(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return honest(frame, seed, replace(settings, samples=15))


def _previous_frame(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return honest(frame - 1, seed, settings)


def _denoised(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    image = honest(frame, seed, settings)
    return ((image + np.roll(image, 1, 0) + np.roll(image, 1, 1)) / 3).astype(np.float32)


def _not_finite(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return np.full_like(honest(frame, seed, settings), np.nan)


@pytest.mark.parametrize("forged", [other_seed, _fewer_samples, _previous_frame, _denoised, _not_finite])
def test_verify__forged_frames__rejected(verifier: Node, delivery: Delivery, forged: Pixels) -> None:
    outcome, measurement = voted(verifier, delivery.frames(forged).verify(verifier))
    assert outcome is Outcome.REJECTED
    assert "differ from their re-render" in measurement.reason
    assert measurement.tiles


def test_verify__one_forged_frame_of_two__rejected(verifier: Node, delivery: Delivery) -> None:
    delivery.frames()
    forged = [delivery.result.frames[0], delivery.frame(2, other_seed)]
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


# -- other builds


@pytest.mark.parametrize("fields", [{"build": "2.0 other"}, {"device_class": "optix"}])
def test_verify__differs_on_another_build_or_device__void_and_nobodys_fault(
    verifier: Node, delivery: Delivery, fields: dict[str, Any]
) -> None:
    outcome, _ = voted(verifier, delivery.frames(other_seed).change(**fields).verify(verifier))
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


def test_verify__result_not_in_storage__unserved_when_half_the_time_is_gone(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    remove(verifier.network, str(Cid(Codec.RAW, item.result)))
    outcome, measurement = give_up(verifier, item)
    assert outcome is Outcome.UNSERVED
    assert (measurement.method, measurement.tiles) == ("none", [])


def test_verify__one_frame_not_in_storage__unserved_although_its_hash_is_known(
    verifier: Node, delivery: Delivery
) -> None:
    item = delivery.frames().verify(verifier)
    remove(verifier.network, delivery.result.frames[1].raw.cid)
    outcome, _ = give_up(verifier, item)
    assert outcome is Outcome.UNSERVED


def test_verify__result_comes_late__accepted(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    cid = Cid.parse(delivery.result.frames[1].raw.cid)
    block = verifier.network.store.get_block(cid)
    remove(verifier.network, str(cid))
    verifier.run(item)
    verifier.network.store.put_block(cid, block)
    verifier.loop.executor._resting.clear()
    assert voted(verifier, item)[0] is Outcome.ACCEPTED


def test_verify__key_for_another_node__unserved(verifier: Node, worker: Node, delivery: Delivery) -> None:
    sealed = seal_key(delivery.job.key, worker.keys.sealing_public)
    outcome, _ = give_up(verifier, delivery.frames().verify(verifier, sealed_key=sealed))
    assert outcome is Outcome.UNSERVED


def test_verify__input_that_does_not_decrypt__unserved_not_blamed_on_the_worker(
    verifier: Node, delivery: Delivery
) -> None:
    sealed = seal_key(job_key(), verifier.keys.sealing_public)
    outcome, _ = give_up(verifier, delivery.frames().verify(verifier, sealed_key=sealed))
    assert outcome is Outcome.UNSERVED


def test_verify__storage_away__unserved(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    verifier.network.storage_down = True
    verifier.run(item)
    verifier.network.time = START + 301
    verifier.loop.executor._resting.clear()
    verifier.run()
    verifier.network.storage_down = False
    verifier.loop._outbox._resting.clear()
    assert voted(verifier, item)[0] is Outcome.UNSERVED


def test_attack_a_delivery_does_not_fill_a_verifiers_disk(
    verifier: Node, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only workers looked how much is free: the journal, on the same disk, is what a full one stops."""
    item = delivery.frames().verify(verifier)
    with monkeypatch.context() as full:
        full.setattr("node.vault.shutil.disk_usage", lambda _: SimpleNamespace(free=FREE_BYTES))
        verifier.run(item)
        assert not list(verifier.home.rglob("*.exr"))
        assert not list(verifier.home.rglob("package"))
    verifier.loop.executor._resting.clear()
    verifier.run()
    assert voted(verifier, item)[0] is Outcome.ACCEPTED


def test_verify__own_engine_fails__void(verifier: Node, delivery: Delivery) -> None:
    verifier.engine.failing = True
    outcome, measurement = give_up(verifier, delivery.frames().verify(verifier))
    assert outcome is Outcome.VOID
    assert "engine" in measurement.reason


def test_verify__deadline_past__no_vote(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    verifier.network.time = item.deadline
    verifier.run(item)
    assert verifier.network.received == []


def test_verify__decided_by_others_meanwhile__stops_without_a_vote(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    verifier.offer(item)
    verifier.loop.step()
    verifier.loop._parts.listing.update([])
    verifier.loop.executor.step()
    verifier.offer()
    verifier.loop.step()
    assert verifier.network.received == []
    assert verifier.journal.latest(9) == []
