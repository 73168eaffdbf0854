# SPDX-License-Identifier: Apache-2.0
"""A client renders an accepted frame again: equal bits where they must be, a clear word where they are not."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from inferix import jobkeys, sealing
from inferix.cli.again import _words
from inferix.client import Client, JobFile
from inferix.errors import NotFound
from inferix.models.result import FileRef, FrameResult, Result
from inferix.models.roles import TaskKind
from inferix.proofs.rendering import frame_seed
from inferix.sealing import JobKey
from inferix.storage.documents import put_document
from node.engines import EngineSettings, RenderSettings
from node.engines.exr import pixels_sha256
from tests.api.conftest import Api
from tests.client.conftest import ENGINE
from tests.client.plain_engine import PlainEngine
from tests.node.noise_engine import pixels_of

KEY = JobKey(b"\x07" * 32)
SCENE = b"SCENE glass"
SETTINGS = {"first_frame": 1, "last_frame": 2, "width": 64, "height": 48, "samples": 4}


@pytest.fixture
def job(api: Api, client: Client) -> bytes:
    """A job on chain whose sealed package is in the store."""
    found = api.chain.order()
    cid = api.context.store.add(sealing.seal_stream(jobkeys.input_key(KEY), [SCENE]))
    path = client.home / "jobs" / "1.json"
    job_file = JobFile(name="scene.blend", key=KEY.hex(), api="", job=found.hex(), path=str(path), input=str(cid))
    job_file.package_bytes, job_file.settings = len(SCENE), SETTINGS
    job_file.save()
    return found


def accept(api: Api, job: bytes, *, seed_off: int = 0, **changes: Any) -> None:
    """Frame 1, rendered by whoever was drawn (``seed_off``: with another seed) and accepted."""
    chain, state = api.chain, api.chain.network.jobs[job].tasks[0]
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    node = state.attempts[-1].node
    seed = frame_seed(jobkeys.task_key(KEY, state.task.id), 0, node, 1) + seed_off
    pixels = pixels_sha256(pixels_of(SCENE, 1, seed, RenderSettings(64, 48, 4)))
    raw = FileRef(cid="b" * 59, sha256=hashlib.sha256(b"raw").digest(), size=3)
    frame = FrameResult(frame=1, raw=raw, pixels=pixels, milliseconds=1)
    build = PlainEngine(EngineSettings()).build()
    fields = {
        "kind": TaskKind.RENDER, "task": state.task.id, "attempt": 0, "node": node, "engine": "noise",
        "build": build, "device_class": "cpu", "frames": [frame],
    }  # fmt: skip
    chain.anchor(chain.receipt(state, put_document(api.context.store, Result(**{**fields, **changes}))))
    chain.anchor(*chain.votes(state))


def test_an_honest_frame_is_equal_to_the_last_bit(api: Api, client: Client, job: bytes) -> None:
    accept(api, job)
    found = client.again(job.hex(), 1, engine=ENGINE)
    assert found.equal
    assert found.comparable
    assert "equal to the last bit" in _words(found)


def test_another_picture_is_not_and_says_so(api: Api, client: Client, job: bytes) -> None:
    accept(api, job, seed_off=1)
    found = client.again(job.hex(), 1, engine=ENGINE)
    assert not found.equal
    assert found.comparable
    assert "NOT what was accepted" in _words(found)


@pytest.mark.parametrize("change", [{"build": "2.0"}, {"device_class": "optix sm_90"}])
def test_a_difference_between_classes_or_builds_says_nothing(
    api: Api, client: Client, job: bytes, change: dict[str, str]
) -> None:
    accept(api, job, seed_off=1, **change)
    found = client.again(job.hex(), 1, engine=ENGINE)
    assert not found.comparable
    assert "says nothing" in _words(found)


def test_a_frame_that_is_not_accepted_is_not_found(api: Api, client: Client, job: bytes) -> None:
    with pytest.raises(NotFound, match="frame 1 of scene.blend is not accepted yet"):
        client.again(job.hex(), 1, engine=ENGINE)
    accept(api, job)
    with pytest.raises(NotFound, match="frame 2"):
        client.again(job.hex(), 2, engine=ENGINE)


def test_nothing_stays_in_the_temporary_folder(
    api: Api, client: Client, job: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    accept(api, job)
    client.again(job.hex(), 1, engine=ENGINE)
    assert list((tmp_path / "temporary").iterdir()) == []
