# SPDX-License-Identifier: Apache-2.0
"""Marks of an order: they go into its scene before it is sealed, by a key of the job's, and are found with it."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inferix import jobkeys, sealing
from inferix.client import Client, JobFile
from inferix.client.jobfile import list_jobs, load_job
from inferix.client.marks import Marks, marks_of, spread, trace
from inferix.client.terms import Terms
from inferix.errors import Corrupt, InvalidInput
from inferix.models.job import RenderSettings
from inferix.proofs.rendering.angv import MARKS, angv_key, draw_marks
from inferix.storage.cid import Cid
from tests.api.conftest import Api
from tests.client.conftest import ENGINE, SETTINGS, Cut

MARKING = "tests.client.marking_engine:MarkingEngine"
PLAIN = b"SCENE small"


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "scene.blend"
    path.write_bytes(PLAIN)
    return path


def order(client: Client, scene: Path, marks: int, engine: str = MARKING) -> JobFile:
    return client.order(scene, SETTINGS, Terms(), engine=engine, marks=marks)


def keys_of(job_file: JobFile, scene: bytes, *frames: int) -> list[bytes]:
    return [angv_key(jobkeys.marks_key(job_file.job_key), hashlib.sha256(scene).digest(), frame) for frame in frames]


def ordered(api: Api, job_file: JobFile) -> bytes:
    sealed = api.context.store.open(Cid.parse(job_file.input), 10**7)
    return b"".join(sealing.open_stream(jobkeys.input_key(job_file.job_key), sealed))


def picture_of(job_file: JobFile, frame: int, levels: int = 12, width: int = 64) -> NDArray[np.uint8]:
    """Grey noise with the marks of a frame."""
    noise = np.random.default_rng(3).normal(128, 2, (48, width))
    key = angv_key(jobkeys.marks_key(job_file.job_key), bytes.fromhex(job_file.marks["scene"]), frame)
    drawn = draw_marks(key, MARKS)
    for which, x, y in job_file.marks["frames"][str(frame)]:
        mark = drawn[which]
        noise[y : y + mark.height, x : x + mark.width] += levels * mark.sign
    return np.repeat(noise.round().astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("first", "last", "count", "frames"),
    [(1, 8, 3, [1, 4, 8]), (1, 8, 1, [4]), (1, 2, 2, [1, 2]), (-3, -3, 5, [-3]), (0, 99, 4, [0, 33, 66, 99])],
)
def test_marks_are_spread_over_the_frames_of_an_order(first: int, last: int, count: int, frames: list[int]) -> None:
    settings = RenderSettings(first_frame=first, last_frame=last, width=64, height=48, samples=1)
    assert spread(settings, count) == frames


def test_an_order_with_marks_sends_the_marked_scene_and_keeps_where_they_are(
    api: Api, client: Client, scene: Path
) -> None:
    told: list[tuple[str, str]] = []
    client.progress = lambda stage, done, total, text: told.append((stage, text))
    job_file = order(client, scene, marks=5)
    assert ordered(api, job_file) == PLAIN + b"".join(keys_of(job_file, PLAIN, 1, 2))
    kept = load_job(client.home, job_file.job)
    assert kept.marks["scene"] == hashlib.sha256(PLAIN).hexdigest()
    assert kept.marks["frames"] == {"1": [[0, 10, 10], [1, 34, 10]], "2": [[0, 10, 10], [1, 34, 10]]}
    assert [text for stage, text in told if stage == "note" and "of 12" in text]


def test_what_the_job_file_keeps_is_read_back_as_it_was_placed(client: Client, scene: Path) -> None:
    job_file = order(client, scene, marks=5)
    places = ((0, 10, 10), (1, 34, 10))
    assert marks_of(job_file) == Marks(scene=hashlib.sha256(PLAIN).hexdigest(), frames={1: places, 2: places})
    assert marks_of(load_job(client.home, job_file.job)) == marks_of(job_file)


@pytest.mark.parametrize(
    "damage",
    [
        {"scene": None},
        {"scene": "ab"},
        {"frames": None},
        {"frames": {"one": []}},
        {"frames": {"1": [[0, 10]]}},
        {"frames": {"1": [[MARKS, 10, 10]]}},
        {"frames": {"1": [[0, -1, 10]]}},
        {"frames": {"1": [[0, 10.5, 10]]}},
        {"frames": {"1": [["0", "10", "10"]]}},
        {"frames": {"1": [[0, 63, 10]]}},
        {"more": 1},
    ],
)
def test_regression_marks_that_are_not_of_their_shape_are_a_damaged_job_file(
    client: Client, scene: Path, damage: dict[str, object]
) -> None:
    job_file = order(client, scene, marks=2)
    picture = picture_of(job_file, 2)
    assert trace(job_file, picture).found
    job_file.marks |= damage
    job_file.save()
    with pytest.raises(Corrupt, match="is damaged: it does not say where the marks are; restore a backup"):
        trace(load_job(client.home, job_file.job), picture)


def test_two_orders_of_one_scene_have_marks_of_different_keys(api: Api, client: Client, scene: Path) -> None:
    one, other = (ordered(api, order(client, scene, marks=2)) for _ in range(2))
    assert one[:-64] == other[:-64]
    assert one[-64:] != other[-64:]


def test_an_order_without_marks_is_what_was_packed(api: Api, client: Client, scene: Path) -> None:
    job_file = order(client, scene, marks=0)
    assert ordered(api, job_file) == PLAIN
    assert job_file.marks == {}


def test_a_scene_that_can_carry_no_marks_is_ordered_as_it_is_and_the_client_is_told(
    api: Api, client: Client, scene: Path
) -> None:
    told: list[str] = []
    client.progress = lambda stage, done, total, text: told.append(text)
    scene.write_bytes(b"SCENE flat")
    job_file = order(client, scene, marks=2)
    assert ordered(api, job_file) == b"SCENE flat"
    assert any("ordered without" in text for text in told)


@pytest.mark.parametrize(("text", "engine"), [(b"SCENE odd", MARKING), (b"SCENE", ENGINE)])
def test_where_no_marks_can_be_nothing_is_ordered(
    client: Client, wire: Cut, scene: Path, text: bytes, engine: str
) -> None:
    scene.write_bytes(text)
    with pytest.raises(InvalidInput, match="order without"):
        order(client, scene, marks=2, engine=engine)
    assert not [line for line in wire.seen if line.startswith("PUT")]
    assert not list_jobs(client.home)


def test_a_picture_is_traced_to_its_frame_and_others_to_none(client: Client, scene: Path) -> None:
    job_file = order(client, scene, marks=2)
    found = trace(job_file, picture_of(job_file, 2))
    assert (found.frame, found.found, found.tried) == (2, True, 2)
    assert not trace(job_file, picture_of(job_file, 2, levels=0)).found
    assert not trace(job_file, picture_of(order(client, scene, marks=2), 2, levels=1)).found
    assert not trace(replace(job_file, key=order(client, scene, marks=2).key), picture_of(job_file, 2, levels=1)).found


def test_a_picture_of_another_size_or_a_job_without_marks_cannot_be_traced(client: Client, scene: Path) -> None:
    job_file = order(client, scene, marks=2)
    with pytest.raises(InvalidInput, match="72x48 pixels: bring it to the size that was ordered, 64x48"):
        trace(job_file, picture_of(job_file, 2, width=72))
    with pytest.raises(InvalidInput, match="carries marks"):
        trace(order(client, scene, marks=0), picture_of(job_file, 2))
