# SPDX-License-Identifier: Apache-2.0
"""``again``: exit 0 where the frame is the same or cannot be compared, 1 where it should be and is not."""

from typing import Any

import pytest

from inferix import jobkeys, sealing
from inferix.client import JobFile
from tests.api.conftest import Api
from tests.cli.conftest import Commands, refused
from tests.client.test_again import KEY, SCENE, SETTINGS, accept


@pytest.fixture
def job(run: Commands, api: Api) -> bytes:
    """A job on chain whose sealed package is in the store, and whose key is at home."""
    found = api.chain.order()
    cid = api.context.store.add(sealing.seal_stream(jobkeys.input_key(KEY), [SCENE]))
    path = run.home / "jobs" / "1.json"
    JobFile(
        name="scene.blend", key=KEY.hex(), api="", job=found.hex(), path=str(path), input=str(cid),
        package_bytes=len(SCENE), settings=SETTINGS,
    ).save()  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("changes", "code", "says", "equal", "comparable"),
    [
        ({}, 0, "equal to the last bit", True, True),
        ({"seed_off": 1}, 1, "it is NOT what was accepted: claim the result", False, True),
        ({"seed_off": 1, "build": "2.0"}, 0, "this says nothing", False, False),
    ],
)
def test_again__in_words_and_json(
    run: Commands, api: Api, job: bytes, changes: dict[str, Any], code: int, says: str, equal: bool, comparable: bool
) -> None:
    accept(api, job, **changes)
    done = run("again", job.hex(), "--frame", "1")
    assert (done.exit_code, says in done.stdout) == (code, True), done.output
    if code == 0:
        view = run.json("again", job.hex(), "--frame", "1")
        assert (view["frame"], view["equal"], view["comparable"]) == (1, equal, comparable)


def test_again__a_frame_that_is_not_accepted_or_a_job_of_somebody_else__exit_4(
    run: Commands, api: Api, job: bytes
) -> None:
    refused(run("again", job.hex(), "--frame", "1"), 4, "frame 1 of scene.blend is not accepted yet", "`inferix jobs`")
    refused(run("again", api.chain.order().hex(), "--frame", "1"), 4, "0 jobs of yours begin with")
    assert run("again", job.hex()).exit_code == 2
