# SPDX-License-Identifier: Apache-2.0
"""Jobs as the API shows them, and the stream that ends with them."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from api.routes import jobs
from api.watched import View, Watched
from inferix.models.roles import Outcome
from inferix.replay import Network
from inferix.replay.state import Job
from inferix.storage.tables import Progress
from tests.api.conftest import Api, code
from tests.replay.chain import Chain, address


def finish(chain: Chain, job: bytes) -> None:
    for state in chain.network.jobs[job].tasks:
        chain.run(state)


def test_a_finished_job_with_its_attempts_votes_and_charges(api: Api) -> None:
    job = api.chain.order()
    api.chain.run(api.chain.state(job, 0), Outcome.REJECTED)
    finish(api.chain, job)
    view = api.http.get(f"/jobs/0x{job.hex()}").json()
    assert (view["status"], view["client"], view["engine"]) == ("complete", address(0), "blender")
    first, second = view["tasks"][0]["attempts"]
    assert (first["outcome"], first["charge"], first["waits_for"]) == ("rejected", 0, None)
    assert (second["outcome"], second["charge"]) == ("accepted", 16_001)
    assert {vote["outcome"] for vote in second["votes"]} == {"accepted"}
    assert {vote["node"] for vote in second["votes"]} <= set(second["committee"])
    assert view["charged"] == 2 * 16_001 + 8_000
    assert all(task["done"] for task in view["tasks"])
    (listed,) = api.http.get("/jobs").json()
    assert listed["charged"] == view["charged"]
    assert listed["tasks"][0]["attempts"][0]["committee"] is None


def test_the_results_are_those_that_were_accepted(api: Api) -> None:
    job = api.chain.order()
    api.chain.run(api.chain.state(job, 0), Outcome.REJECTED)
    assert api.http.get(f"/jobs/0x{job.hex()}/results").json()["results"] == []
    finish(api.chain, job)
    answer = api.http.get(f"/jobs/0x{job.hex()}/results").json()
    assert [(row["kind"], row["first_frame"], row["attempt"]) for row in answer["results"]] == [
        ("render", 1, 1),
        ("render", 2, 0),
        ("assemble", 1, 0),
    ]
    assert api.http.get("/jobs/0x" + "01" * 32 + "/results").status_code == 404


def test_jobs_are_listed_newest_first_by_client_and_number(api: Api) -> None:
    first, second = (api.chain.order() for _ in range(2))
    listed = [row["id"] for row in api.http.get("/jobs").json()]
    assert listed == ["0x" + second.hex(), "0x" + first.hex()]
    assert [row["id"] for row in api.http.get("/jobs?limit=1").json()] == listed[:1]
    assert len(api.http.get("/jobs", params={"client": address(0).lower()}).json()) == 2
    assert api.http.get("/jobs", params={"client": address(2)}).json() == []
    assert api.http.get("/jobs?limit=0").status_code == 422


@pytest.mark.parametrize(("path", "status"), [("0x" + "01" * 32, 404), ("0x01", 422), ("nonsense", 422)])
def test_a_job_that_is_not_there(api: Api, path: str, status: int) -> None:
    for end in ("", "/events", "/results"):
        assert code(api.http.get(f"/jobs/{path}{end}"))[0] == status


def stream(api: Api, job: bytes) -> list[dict[str, Any]]:
    answer = api.http.get(f"/jobs/0x{job.hex()}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


def test_the_stream_tells_each_change_and_ends_with_the_job(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "STREAM_SECONDS", 0.01)
    job = api.chain.order()
    steps = [*(lambda state=state: api.chain.run(state) for state in api.chain.network.jobs[job].tasks)]
    polls = 0

    def follow() -> Network:
        nonlocal polls
        polls += 1
        if polls % 6 == 0 and steps:
            steps.pop(0)()
        return api.chain.network

    api.context.follow = follow
    views = stream(api, job)
    assert [view["status"] for view in views] == ["posted", "running", "running", "complete"]
    assert sum(task["done"] for task in views[-1]["tasks"]) == 3


@pytest.mark.parametrize("status", ["cancelled", "expired", "void"])
def test_the_stream_of_a_job_that_has_ended_is_one_event(api: Api, status: str) -> None:
    job = api.chain.order(**({"price": 1} if status == "void" else {}))
    if status == "cancelled":
        api.chain.emit("OrderCancelled", account=1, nonce=api.chain.nonce)
    if status == "expired":
        api.chain.wait(86_401)
        api.chain.network.tick(api.chain.time)
    assert [view["status"] for view in stream(api, job)] == [status]


def test_the_stream_says_now_and_then_that_it_lives(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "STREAM_SECONDS", 0.01)
    monkeypatch.setattr(jobs, "KEEP_ALIVE_SECONDS", 0.02)
    job = api.chain.order()
    polls = 0

    def follow() -> Network:
        nonlocal polls
        polls += 1
        if polls == 20:
            api.chain.wait()
            api.chain.emit("OrderCancelled", account=1, nonce=api.chain.nonce)
        return api.chain.network

    api.context.follow = follow
    assert ": nothing new" in api.http.get(f"/jobs/0x{job.hex()}/events").text


def test_regression_a_job_is_made_anew_for_its_listeners_only_where_something_changed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "STREAM_SECONDS", 0.01)
    made: list[str] = []
    view = jobs.job_view

    def counted(network: Network, job: Job, **changes: Any) -> dict[str, Any]:
        made.append(str(job.status))
        return view(network, job, **changes)

    monkeypatch.setattr(jobs, "job_view", counted)
    job, polls = api.chain.order(), 0
    task = api.chain.state(job, 0).task.id

    def follow() -> Network:
        nonlocal polls
        polls += 1
        if polls == 20:
            with api.database.session() as session:
                session.add(Progress(task=task, attempt=0, frame=1, node=2, permille=500, updated_at=1))
        if polls == 40:
            api.chain.wait()
            api.chain.emit("OrderCancelled", account=1, nonce=api.chain.nonce)
        return api.chain.network

    api.context.follow = follow
    assert [(row["status"], len(row["progress"])) for row in stream(api, job)] == [
        ("posted", 0),
        ("posted", 1),
        ("cancelled", 1),
    ]
    assert made == ["posted", "posted", "cancelled"]
    assert not api.context.watched, "nobody listens any more"


def test_listeners_share_what_one_of_them_looked_at() -> None:
    looks = 0

    async def look() -> tuple[object, Callable[[], View]]:
        nonlocal looks
        looks += 1
        return looks // 2, lambda: {"looks": looks, "time": 5}

    async def listen() -> list[str]:
        watched, told = Watched(), []
        for every in (60, 0, 0):
            await asyncio.gather(*(watched.look(look, every) for _ in range(1 if every == 0 else 3)))
            told.append(watched.text)
        return told

    assert asyncio.run(listen()) == ['{"looks": 1}', '{"looks": 2}', '{"looks": 2}']


def test_regression_an_order_that_reached_the_chain_a_moment_ago_is_not_unknown(api: Api, chain: Chain) -> None:
    """Its row was gone, and the state from before that was still good enough to answer from."""
    before = Chain()
    before.start()
    job = chain.order()
    states = [before.network, chain.network]
    api.context.settings = api.context.settings.model_copy(update={"poll_seconds": 60.0})
    api.context.follow = lambda: states.pop(0)
    assert api.http.get(f"/jobs/0x{job.hex()}").json()["status"] == "posted"
    assert states == []
