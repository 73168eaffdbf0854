# SPDX-License-Identifier: Apache-2.0
"""Ordering: nothing leaves before it is safe at home, and what was cut off goes on where it stopped."""

import json
import os
import resource
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from inferix import jobkeys, sealing
from inferix.client import Client, JobFile
from inferix.client.client import Terms
from inferix.client.jobfile import list_jobs, load_job
from inferix.client.preflight import SceneRefused
from inferix.errors import Conflict, Corrupt, InvalidInput, LimitExceeded, NotFound, Refused, Unavailable
from inferix.models.job import QuoteRequest
from inferix.models.roles import Role
from inferix.storage.cid import Cid
from inferix.storage.tables import ManagerHere, QuoteJob
from tests.api.conftest import Api
from tests.client.conftest import ENGINE, SETTINGS, URL, Cut, Manager
from tests.replay.chain import address, key


def order(client: Client, scene: Path, terms: Terms | None = None) -> JobFile:
    return client.order(scene, SETTINGS, terms or Terms(), engine=ENGINE)


def test_an_order_is_sealed_uploaded_quoted_and_placed(api: Api, client: Client, manager: Manager, scene: Path) -> None:
    told: list[str] = []
    client.progress = lambda stage, done, total, text: told.append(stage)
    job_file = order(client, scene)
    assert list(dict.fromkeys(told)) == ["check", "note", "upload", "quote"]
    sealed = api.context.store.open(Cid.parse(job_file.input), 10**7)
    opened = b"".join(sealing.open_stream(jobkeys.input_key(job_file.job_key), sealed))
    assert opened == scene.read_bytes() + bytes(800_000)
    (job,) = manager.post_orders()
    assert job.hex() == job_file.job
    found = api.chain.network.jobs[job]
    assert found.status == "posted"
    assert found.spec is not None
    assert found.spec.request.engine == "noise 1.0 test"
    assert found.spec.request.input_bytes == len(opened)
    assert (found.order.price, found.order.cap, found.order.attempts) == (16_000_000, 30_000_000, 4)
    assert not list((client.home / "jobs").glob("*.sealed"))


def test_what_goes_with_a_scene_is_said_before_anything_is_uploaded(client: Client, wire: Cut, scene: Path) -> None:
    scene.write_bytes(b"SCENE beside")
    told: list[str] = []

    def tell(stage: str, done: float, total: float, text: str) -> None:
        if stage == "note":
            told.append(text)
            assert not [seen for seen in wire.seen if "/blocks" in seen]

    client.progress = tell
    wire.broken = lambda request: request.url.path == "/quotes"
    with pytest.raises(Unavailable):
        order(client, scene)
    assert told[0] == "wood.png, 5,000 bytes, goes with the scene"


def test_the_job_file_is_private_and_written_before_any_upload(
    api: Api, client: Client, wire: Cut, scene: Path
) -> None:
    found: list[JobFile] = []

    def look(request: httpx.Request) -> bool:
        if request.url.path.startswith("/blocks") and not found:
            found.extend(list_jobs(client.home))
        return False

    wire.broken = look
    job_file = order(client, scene)
    assert [item.key for item in found] == [job_file.key]
    assert found[0].settings == SETTINGS.model_dump()
    for path in (client.home / "jobs").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((client.home / "jobs").stat().st_mode) == 0o700
    assert load_job(client.home, job_file.job[:8]) == job_file


def test_an_upload_that_was_cut_off_goes_on_with_what_is_missing(
    api: Api, client: Client, wire: Cut, scene: Path, home: Path
) -> None:
    sent = 0

    def cut(request: httpx.Request) -> bool:
        nonlocal sent
        if request.method == "PUT":
            sent += 1
        return sent > 2

    wire.broken = cut
    with pytest.raises(Unavailable, match="inferix resume"):
        order(client, scene)
    (left,) = list_jobs(home)
    assert not left.job
    stored = [line for line in wire.seen if line.startswith("PUT")]
    assert len(stored) == 2
    wire.broken = lambda request: False
    wire.seen.clear()
    done = client.resume(load_job(home, left.label))
    again = [line for line in wire.seen if line.startswith("PUT")]
    assert len(again) == 3  # of five: three leaves of sealed file, its node, and the last leaf
    assert not set(again) & set(stored)
    assert done.job
    assert done.key == left.key
    assert not Path(left.package).exists()


def test_an_order_whose_answer_was_lost_is_placed_once(
    api: Api, client: Client, wire: Cut, manager: Manager, scene: Path
) -> None:
    lost = 0

    def lose(request: httpx.Request) -> bool:
        nonlocal lost
        if request.url.path == "/orders" and not lost:
            lost += 1
            wire.inner.request(request.method, str(request.url), content=request.read(), headers=dict(request.headers))
            return True
        return False

    wire.broken = lose
    job_file = order(client, scene)
    assert lost == 1
    assert [job.hex() for job in manager.post_orders()] == [job_file.job]


def test_a_resumed_order_that_was_placed_is_not_placed_again(
    client: Client, manager: Manager, scene: Path, wire: Cut
) -> None:
    job_file = order(client, scene)
    job_file.package = str(scene.with_suffix(".sealed"))
    wire.seen.clear()
    assert client.resume(job_file).job == job_file.job
    assert not [line for line in wire.seen if line.startswith("POST /orders")]
    assert len(manager.post_orders()) == 1


def test_a_job_file_without_its_package_is_not_resumed(client: Client, scene: Path, home: Path) -> None:
    job_file = order(client, scene)
    job_file.job = "01" * 32
    with pytest.raises(NotFound, match="order the scene anew"):
        client.resume(job_file)


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Until its end no file may grow over so many bytes: the kernel refuses as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_regression_a_disk_that_is_full_while_a_package_is_sealed_leaves_nothing_to_resume(
    client: Client, scene: Path, home: Path
) -> None:
    full = ExitStack()

    def progress(stage: str, done: float, total: float, text: str) -> None:
        if (stage, done) == ("check", 1):
            full.enter_context(full_disk(10_000))  # the job file fits, the package does not

    client.progress = progress
    with full, pytest.raises(OSError, match="File too large"):
        order(client, scene)
    assert list((home / "jobs").iterdir()) == []
    client.progress = lambda stage, done, total, text: None
    assert order(client, scene).job


def test_regression_a_job_file_whose_package_is_gone_says_what_to_do(
    client: Client, wire: Cut, scene: Path, home: Path
) -> None:
    wire.broken = lambda request: request.method == "PUT"
    with pytest.raises(Unavailable):
        order(client, scene)
    (left,) = list_jobs(home)
    Path(left.package).unlink()
    with pytest.raises(NotFound, match="order the scene anew"):
        client.resume(left)
    assert not list_jobs(home)[0].package  # no list says any more that it can be resumed


def test_a_disk_that_is_full_while_an_order_is_placed_is_resumed_once_there_is_room(
    api: Api, client: Client, manager: Manager, scene: Path, home: Path
) -> None:
    full = ExitStack()

    def progress(stage: str, done: float, total: float, text: str) -> None:
        if (stage, done) == ("quote", 1):
            full.enter_context(full_disk(100))

    client.progress = progress
    with full, pytest.raises(LimitExceeded, match="free some room; `inferix resume"):
        order(client, scene)
    (left,) = list_jobs(home)
    client.progress = lambda stage, done, total, text: None
    assert [job.hex() for job in (client.resume(left), manager.post_orders())[1]] == [list_jobs(home)[0].job]


def test_a_scene_with_problems_is_refused_before_any_upload(client: Client, wire: Cut, tmp_path: Path) -> None:
    broken = tmp_path / "broken.blend"
    broken.write_bytes(b"SCENE broken")
    with pytest.raises(SceneRefused, match=r"wood\.png is not packed") as caught:
        order(client, broken)
    assert "takes a while" not in str(caught.value)  # a warning refuses nothing
    with pytest.raises(SceneRefused, match="no such file"):
        order(client, tmp_path / "absent.blend")
    assert not [line for line in wire.seen if "blocks" in line]
    assert list_jobs(client.home) == []


def test_what_is_not_applied_of_a_scene_is_told_before_any_upload(
    client: Client, wire: Cut, manager: Manager, scene: Path, tmp_path: Path
) -> None:
    told: list[tuple[str, str, bool]] = []

    def progress(stage: str, done: float, total: float, text: str) -> None:
        told.append((stage, text, any("blocks" in line for line in wire.seen)))

    client.progress = progress
    manager.warns = [{"code": "slow", "message": "this takes a while", "severity": "warning"}]
    order(client, scene)
    assert ("note", "this takes a while", False) in told
    assert [text for _, text, _ in told].count("this takes a while") == 1, "though the quote has it as well"


def test_a_wallet_without_credit_is_told_before_any_upload(
    manager: Manager, wire: Cut, home: Path, scene: Path
) -> None:
    with httpx.Client(transport=wire) as http:
        poor = Client(URL, key(2), home, http=http, sleep=lambda _: manager.answer_quotes())
        with pytest.raises(Refused, match="top-up"):
            order(poor, scene)
        poor.close()
    assert not [line for line in wire.seen if "blocks" in line]


def test_a_scene_that_the_manager_refuses(client: Client, manager: Manager, scene: Path, home: Path) -> None:
    manager.refuses = [{"code": "engine", "message": "no camera"}, {"code": "engine", "message": "no light"}]
    manager.warns = [{"code": "border", "message": "no region", "severity": "warning"}]
    with pytest.raises(SceneRefused, match="no camera\n  - no light"):
        order(client, scene)
    (left,) = list_jobs(home)
    assert not left.package
    assert not list((home / "jobs").glob("*.sealed"))


def test_the_clients_own_price_and_cap_are_in_the_order(
    api: Api, client: Client, manager: Manager, scene: Path
) -> None:
    order(client, scene, Terms(price=9_000_000, cap=50_000_000, attempts=2, deadline_seconds=3_600))
    found = api.chain.network.jobs[manager.post_orders()[0]].order
    assert (found.price, found.cap, found.attempts) == (9_000_000, 50_000_000, 2)
    with pytest.raises(InvalidInput, match="floor"):
        order(client, scene, Terms(price=1))


def test_without_a_bonded_manager_the_order_waits(api: Api, client: Client, scene: Path) -> None:
    api.chain.emit("Qualified", node=1, qualified=False)
    with pytest.raises(Unavailable, match="no bonded manager"):
        order(client, scene)
    api.chain.emit("Qualified", node=1, qualified=True)
    assert client.resume(list_jobs(client.home)[0]).job


def test_regression_an_order_goes_to_the_manager_whose_api_it_is_placed_at(
    api: Api, client: Client, manager: Manager, scene: Path
) -> None:
    """Another manager's keepers have another database: they would never answer the quote."""
    fields = {"owner": address(100), "operator": address(50), "role": int(Role.MANAGER), "licence": 50, "price": 0}
    api.chain.emit("NodeRegistered", node=50, sealing_key=sealing.sealing_keypair()[1], **fields)
    with api.database.session() as session:
        session.add(ManagerHere(operator=address(50), node=50))
    with pytest.raises(Unavailable, match="manager 50, whose API this is, is not bonded"):
        order(client, scene)
    api.chain.emit("Staked", node=50, payer=address(100), amount=10**20)
    api.chain.emit("Qualified", node=50, qualified=True)
    manager.refuses = [{"code": "engine", "message": "no"}]
    with pytest.raises(SceneRefused):
        client.resume(list_jobs(client.home)[0])
    with api.database.reading() as session:
        assert QuoteRequest.decode(session.exec(select(QuoteJob)).one().request).manager == 50


def test_a_job_is_cancelled_once_it_is_on_chain(api: Api, client: Client, manager: Manager, scene: Path) -> None:
    job_file = order(client, scene)
    with pytest.raises(Conflict, match="once it is on chain"):
        client.cancel(job_file.job)
    manager.post_orders()
    client.cancel(job_file.job)


def without_key(text: str) -> str:
    return json.dumps({**json.loads(text), "key": ""}, indent=1)


def with_a_number_for_a_name(text: str) -> str:
    return json.dumps({**json.loads(text), "name": 1})


@pytest.mark.parametrize(
    "damage",
    [lambda _: "", lambda text: text[: len(text) // 2], lambda _: "[]", without_key, with_a_number_for_a_name],
)
def test_regression_a_damaged_job_file_stands_in_no_others_way(
    client: Client, manager: Manager, scene: Path, home: Path, damage: Callable[[str], str]
) -> None:
    scene.write_bytes(b"SCENE small")
    whole, other = order(client, scene), order(client, scene)
    path = Path(other.path)
    path.write_text(damage(path.read_text()))
    assert load_job(home, whole.job) == load_job(home, whole.label) == whole
    assert list_jobs(home) == [whole]
    with pytest.raises(Corrupt, match=f"{path.name} is damaged: .* restore a backup"):
        load_job(home, other.label)
    with pytest.raises(NotFound, match=f"0 jobs of yours begin with 'ffff'.*; .*{path.name} is damaged"):
        load_job(home, "ffff")


def test_a_damaged_job_file_that_still_says_its_job_is_named_where_that_is_asked_for(
    client: Client, scene: Path, home: Path
) -> None:
    job_file = order(client, scene)
    path = Path(job_file.path)
    path.write_text(without_key(path.read_text()))
    with pytest.raises(Corrupt, match=f"{path.name} is damaged"):
        load_job(home, "0x" + job_file.job[:8])
    with pytest.raises(NotFound):
        load_job(home, "")


def test_a_job_file_that_cannot_be_opened_is_named(client: Client, scene: Path, home: Path) -> None:
    whole = order(client, scene)
    (home / "jobs" / "folder.json").mkdir()
    assert list_jobs(home) == [whole]
    with pytest.raises(Corrupt, match=r"folder.json cannot be read \(Is a directory\)"):
        load_job(home, "folder")


def test_regression_a_scene_whose_name_is_no_text_is_ordered_and_its_job_found(
    client: Client, scene: Path, home: Path
) -> None:
    named = scene.rename(scene.parent / os.fsdecode(b"caf\xe9.blend"))  # as a Latin-1 machine wrote it
    whole = order(client, named)
    assert whole.name == "caf\N{REPLACEMENT CHARACTER}.blend"
    assert load_job(home, whole.job) == whole
    whole.name = named.name
    whole.save()
    assert list_jobs(home) == [whole], "older files have the name as it was"


def test_a_job_file_from_before_there_were_marks_is_read(client: Client, scene: Path, home: Path) -> None:
    whole = order(client, scene)
    path = Path(whole.path)
    body = json.loads(path.read_text())
    del body["marks"]
    path.write_text(json.dumps(body))
    assert load_job(home, whole.job) == whole


def test_a_job_that_is_not_ours_is_not_found(client: Client, home: Path, scene: Path) -> None:
    order(client, scene)
    for name in ("", "0x", "ffffffffff"):
        with pytest.raises(NotFound):
            load_job(home, name)


def test_the_quote_is_asked_for_under_the_job_key(api: Api, client: Client, scene: Path) -> None:
    job_file = order(client, scene)
    with api.database.reading() as session:
        row = session.exec(select(QuoteJob)).one()
    assert QuoteRequest.decode(row.request).input == job_file.input


def test_attack_an_api_that_denies_an_order_has_none_signed_beside_it(
    api: Api, client: Client, wire: Cut, manager: Manager, scene: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[dict[str, object]] = []

    def taken(request: httpx.Request) -> bool:  # and never answered
        if request.url.path == "/orders":
            kept.append(json.loads(request.read()))
            return True
        return False

    wire.broken = taken
    with pytest.raises(Unavailable):
        order(client, scene)
    for _ in range(2):
        with pytest.raises(Unavailable):
            client.resume(list_jobs(home)[0])
    assert {item["signature"] for item in kept} == {kept[0]["signature"]}
    now = time.time()
    monkeypatch.setattr("inferix.client.client.time.time", lambda: now + 4_000)
    with pytest.raises(Unavailable):
        client.resume(list_jobs(home)[0])
    assert len({str(item["signature"]) for item in kept}) == 1  # by the block's time it may be posted yet
    api.chain.network.tick(api.chain.network.time + 3_700)
    with pytest.raises(Unavailable):
        client.resume(list_jobs(home)[0])
    assert len({str(item["signature"]) for item in kept}) == 2


@pytest.mark.parametrize("change", [{"work": 10**9}, {"high_price": 2 * 10**7}, {"signature": bytes(65)}])
def test_attack_a_quote_that_the_manager_did_not_sign_is_not_ordered(
    api: Api, client: Client, wire: Cut, manager: Manager, scene: Path, change: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def answer() -> None:
        manager.answer_quotes()
        with api.database.session() as session:
            for row in session.exec(select(QuoteJob)):
                for name, value in change.items():
                    setattr(row, name, value)
                session.add(row)

    monkeypatch.setattr(client, "_sleep", lambda _: answer())
    with pytest.raises(Refused, match="nothing is ordered"):
        order(client, scene)
    assert "POST /orders" not in wire.seen


def test_what_an_order_may_cost_is_said_before_it_is_sent(client: Client, wire: Cut, scene: Path) -> None:
    told: list[str] = []
    client.progress = lambda stage, done, total, text: told.append(text)
    wire.broken = lambda request: request.url.path == "/orders"
    with pytest.raises(Unavailable):
        order(client, scene)
    assert told[-1] == "ordering at 16,000,000 nano-USD per IBM or less, 0.03 USD in all or less, from account 1"
