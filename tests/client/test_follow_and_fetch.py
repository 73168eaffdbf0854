# SPDX-License-Identifier: Apache-2.0
"""Following a job through broken streams, and bringing results home whole or not at all."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from inferix import jobkeys
from inferix.client import Client, JobFile
from inferix.client.fetching import fetch_file, files_of
from inferix.errors import Corrupt, InferixError, NotFound
from inferix.models.result import FileRef, Film, FrameResult, Result
from inferix.models.roles import TaskKind
from inferix.sealing import JobKey
from tests.api.conftest import Api
from tests.client.conftest import Cut
from tests.client.results import finish, run, store

KEY = JobKey(b"\x07" * 32)


@pytest.fixture
def job(api: Api, client: Client) -> bytes:
    """A job on chain whose key the client has."""
    found = api.chain.order()
    path = client.home / "jobs" / "1.json"
    JobFile(name="scene.blend", key=KEY.hex(), api="", job=found.hex(), path=str(path)).save()
    return found


def test_a_stream_is_followed_to_the_end(api: Api, client: Client, job: bytes) -> None:
    finish(api, job, KEY)
    assert [view["status"] for view in client.follow(job.hex())] == ["complete"]


def test_a_broken_stream_is_replaced_by_asking(api: Api, client: Client, wire: Cut, job: bytes) -> None:
    streams = 0

    def cut(request: httpx.Request) -> bool:
        nonlocal streams
        if request.url.path.endswith("/events"):
            streams += 1
            return True
        return False

    wire.broken = cut
    seen = []
    for view in client.follow("0x" + job.hex()):
        seen.append(view["status"])
        if len(seen) == 1:
            finish(api, job, KEY)
    assert seen == ["posted", "complete"]
    assert streams == 2


def test_a_server_that_streams_nonsense_is_asked(api: Api, client: Client, wire: Cut, job: bytes) -> None:
    finish(api, job, KEY)
    inner = wire.handle_request

    def nonsense(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events"):
            return httpx.Response(200, stream=httpx.ByteStream(b"data: {\n\ndata: oops\n\n"))
        return inner(request)

    wire.handle_request = nonsense  # type: ignore[method-assign]
    assert [view["status"] for view in client.follow(job.hex())] == ["complete"]


def test_an_unknown_job_is_not_followed(client: Client) -> None:
    with pytest.raises(NotFound):
        list(client.follow("01" * 32))


def test_film_stills_and_raw_passes_come_home(api: Api, client: Client, job: bytes, tmp_path: Path) -> None:
    finish(api, job, KEY)
    out = tmp_path / "out"
    files = client.fetch(job.hex()[:10], out)
    assert [str(path.relative_to(out)) for path in files] == [
        "frames/0001.png",
        "frames/0002.png",
        "film.mp4",
        "contact_sheet.png",
    ]
    assert (out / "frames/0002.png").read_bytes() == b"still 2"
    assert (out / "film.mp4").read_bytes() == b"movie" * 50_000
    assert not (out / "raw").exists()
    client.fetch(job.hex(), out, raw=True)
    assert (out / "raw/0001.exr").read_bytes() == b"raw 1"


def test_what_is_home_is_not_fetched_again(api: Api, client: Client, job: bytes, tmp_path: Path, wire: Cut) -> None:
    finish(api, job, KEY)
    client.fetch(job.hex(), tmp_path)
    (tmp_path / "frames/0001.png").write_bytes(b"edited")
    before = (tmp_path / "film.mp4").stat().st_mtime_ns
    wire.seen.clear()
    client.fetch(job.hex(), tmp_path)
    assert (tmp_path / "frames/0001.png").read_bytes() == b"still 1"
    assert (tmp_path / "film.mp4").stat().st_mtime_ns == before
    documents = len(api.chain.network.jobs[job].tasks)
    assert len([line for line in wire.seen if line.startswith("GET /blocks")]) == documents + 1


def test_a_file_that_does_not_open_is_corrupt_and_leaves_nothing(
    api: Api, client: Client, job: bytes, tmp_path: Path
) -> None:
    first, second, assemble = api.chain.network.jobs[job].tasks
    foreign = FrameResult(frame=1, raw=store(api, b"raw", JobKey(b"\x01" * 32)), pixels=bytes(32), milliseconds=1)
    run(api, first, KEY, frames=[foreign])
    with pytest.raises(Corrupt, match="altered, or sealed with another key"):
        client.fetch(job.hex(), tmp_path / "out", raw=True)
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
    assert not second.done
    assert not assemble.done


def test_another_file_than_the_accepted_one_is_corrupt_and_leaves_nothing(
    api: Api, client: Client, job: bytes, tmp_path: Path
) -> None:
    state = api.chain.network.jobs[job].tasks[0]
    key = jobkeys.result_key(KEY, state.task.id, 0)
    for content, claims in ((b"same size", b"SAME SIZE"), (b"longer than it says", b"short")):
        ref = store(api, content, key, claims=claims)
        target = tmp_path / "0001.exr"
        with pytest.raises(InferixError, match="not the file that was accepted|raise the limit"):
            fetch_file(client.store, ref, key, target)
        assert list(tmp_path.glob("*.exr*")) == []
        assert list(tmp_path.glob(".part*")) == []


def test_stills_are_named_by_their_frames(api: Api, client: Client, tmp_path: Path) -> None:
    ref = FileRef(cid="b" * 59, sha256=bytes(32), size=1)
    film = Film(stills=[ref, ref], movie=ref, contact_sheet=ref)
    fields: dict[str, Any] = {"kind": TaskKind.ASSEMBLE, "task": bytes(32), "attempt": 0, "node": 2, "film": film}
    result = Result(**fields, engine="noise", build="1", device_class="cpu")
    names = [name for _, name in files_of(result, 100, raw=True)]
    assert names == ["frames/0100.png", "frames/0101.png", "film.mp4", "contact_sheet.png"]
