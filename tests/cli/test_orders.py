# SPDX-License-Identifier: Apache-2.0
"""``render``, ``resume``, ``jobs``, ``fetch``, ``cancel``: an order by command, and every way in which it is refused."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlmodel import select

from inferix import keystore
from inferix.cli.common import Bars
from inferix.client.jobfile import list_jobs
from inferix.keystore import Keys
from inferix.machines import to_bytes32
from inferix.models.roles import NodeStatus, Outcome
from inferix.replay.jobs import JobStatus
from inferix.storage.tables import SignedOrder
from tests.api.conftest import Api
from tests.cli.conftest import PASSWORD, Commands, refused
from tests.client.conftest import Cut, Manager
from tests.client.results import finish
from tests.replay.chain import MANAGER, WORKERS, key


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.blend"
    path.write_bytes(b"SCENE small")
    return path


@pytest.fixture
def placed(run: Commands, small: Path) -> str:
    """An order that waits for a keeper; its job id."""
    done = run("render", str(small), "--frames", "1-2", "--no-wait")
    assert done.exit_code == 0, done.stderr
    return done.stdout.split("job ")[-1].strip()


@pytest.fixture
def posted(placed: str, manager: Manager) -> str:
    """The same on chain."""
    assert [f"0x{job.hex()}" for job in manager.post_orders()] == [placed]
    return placed


def work(api: Api, home: Path, job: str) -> None:
    """The workers and verifiers of a job do it."""
    (job_file,) = (item for item in list_jobs(home) if item.job == job[2:])
    finish(api, bytes.fromhex(job[2:]), job_file.job_key)


def test_render__waits_until_the_film_is_home(
    run: Commands, api: Api, manager: Manager, small: Path, tmp_path: Path
) -> None:
    def network() -> None:
        for job in manager.post_orders():
            work(api, run.home, f"0x{job.hex()}")

    run.waits.append(network)
    out = tmp_path / "out"
    done = run("render", str(small), "--frames", "1-2", "--size", "64x48", "--samples", "4", "--out", str(out), "--raw")
    assert done.exit_code == 0, done.stderr
    assert "    note  this takes a while\n" in done.stdout
    assert "can be read by the client, its manager" in done.stdout.replace("\n", " ")  # before anything is sent
    assert f"6 files in {out}; charged 0.00" in done.stdout
    assert {path.name for path in out.rglob("*") if path.is_file()} == {
        "film.mp4", "contact_sheet.png", "0001.png", "0002.png", "0001.exr", "0002.exr",
    }  # fmt: skip


def test_render__says_with_the_quote_what_the_cheat_who_can_expect_most_can(
    run: Commands, api: Api, small: Path
) -> None:
    def says() -> list[str]:
        done = run("render", str(small), "--frames", "1", "--no-wait")
        assert done.exit_code == 0, done.stderr
        return [line for line in done.stdout.splitlines() if "forges" in line]

    (told,) = says()
    assert "    note  a worker of cpu that forges a frame can expect -" in told
    assert told.endswith(" USD: found in 100.00 % of cases")
    api.chain.emit("BenchmarkAttested", node=WORKERS[0], manager=MANAGER, ib=6_000, device_class=to_bytes32("optix"))
    (told,) = says()
    assert told.endswith("a worker of optix that forges a frame can expect 0.000000016 USD: found in 0.00 % of cases")
    for worker in WORKERS:
        api.chain.network.nodes[worker].status = NodeStatus.RETIRED
    assert says() == [], "no worker, no cheat"


def test_render__a_job_that_ends_without_a_film__exit_7_and_how_to_fetch_what_there_is(
    run: Commands, api: Api, manager: Manager, small: Path
) -> None:
    def network() -> None:
        for job in manager.post_orders():
            for _ in range(2):
                api.chain.run(api.chain.state(job, 0), Outcome.REJECTED)

    run.waits.append(network)
    says = refused(run("render", str(small), "--frames", "1-2"), 7, "the job is failed", "task 0 ended client_fault")
    assert "what was accepted: `inferix fetch " in says


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--frames", "x"), "'x' is no range of frames: write 1-8 or 5"),
        (("--frames", "3-1"), "--frames: the last frame comes before the first"),
        (("--frames", "1-20000"), "--frames: at most 1,440 frames in one order: order the others apart"),
        (("--frames", "1-99999999"), "last frame is 99999999: give at most 1048576"),
        (("--frames", "9" * 5_000), "is no range of frames: write 1-8 or 5"),
        (("--frames", "1", "--size", "9" * 5_000 + "x4"), "is no size: write 1920x1080"),
        (("--frames", "1", "--camera", "x" * 256), "camera is xxxx"),
        (("--frames", "1", "--camera", "x" * 256), "xxxx: give a name of at most 255"),
        (("--frames", "1", "--price", str(2**63)), "'--price': 9223372036854775808 is not in the range"),
        (("--frames", "1", "--cap", str(2**63)), "'--cap': 9223372036854775808 is not in the range"),
        (("--frames", "1", "--attempt-seconds", "2592001"), "'--attempt-seconds': 2592001 is not in the range"),
        (("--frames", "1", "--threads", "4097"), "'--threads': 4097 is not in the range"),
        (("--frames", "1", "--size", "big"), "'big' is no size: write 1920x1080"),
        (("--frames", "1", "--size", "0x0"), "width is 0: give at least 4"),
        (("--frames", "1", "--size", "64x99999"), "height is 99999: give at most 16384"),
        (("--frames", "1", "--samples", "0"), "'--samples': 0 is not in the range"),
        (("--frames", "1", "--attempts", "17"), "'--attempts': 17 is not in the range"),
        (("--frames", "1", "--price", "7999999"), "under the network's floor of 8000000: offer more"),
        ((), "Missing option '--frames'"),
    ],
)
def test_render__what_cannot_be_ordered__exit_2_before_any_upload(
    run: Commands, wire: Cut, small: Path, words: tuple[str, ...], says: str
) -> None:
    done = run("render", str(small), *words)
    assert done.exit_code == 2
    assert says in done.stderr
    assert not [line for line in wire.seen if "blocks" in line]
    assert list_jobs(run.home) == []


@pytest.mark.parametrize("command", ["render", "resume", "fetch"])
def test_regression_a_file_where_the_film_is_to_go_is_said_before_anything_is_ordered(
    run: Commands, wire: Cut, small: Path, command: str
) -> None:
    words = (str(small), "--frames", "1") if command == "render" else ("1",)
    done = run(command, *words, "--out", str(small))
    assert done.exit_code == 2
    assert "'--out': Directory" in done.stderr and "is a file" in done.stderr
    assert wire.seen == []
    assert small.read_bytes() == b"SCENE small"


def test_regression_a_scene_that_is_not_there_is_said_before_the_network_is_asked(
    run: Commands, wire: Cut, tmp_path: Path
) -> None:
    for path in (tmp_path / "absent.blend", tmp_path):
        refused(run("render", str(path), "--frames", "1"), 2, f"{path}: no such file")
    assert wire.seen == []


def test_render__a_cap_above_the_credit__says_what_is_free_before_any_upload(
    run: Commands, wire: Cut, small: Path
) -> None:
    done = run("render", str(small), "--frames", "1", "--cap", str(100 * 10**9 + 1))
    refused(done, 3, "may cost up to 100.000000001 USD, account 1 has 100.00 USD free", "`inferix top-up`")
    assert not [line for line in wire.seen if "blocks" in line]


def test_render__a_quote_above_the_credit__is_resumed_after_a_top_up(
    run: Commands, api: Api, manager: Manager, small: Path
) -> None:
    api.chain.emit("WithdrawalRequested", account=1, amount=100 * 10**9 - 1)
    refused(run("render", str(small), "--frames", "1", "--no-wait"), 3, "0.000000001 USD free", "then `inferix resume")
    (left,) = list_jobs(run.home)
    assert manager.post_orders() == []
    listed = run("jobs")
    assert f"small.blend is not ordered yet: `inferix resume {left.label}` goes on" in listed.stderr
    api.chain.emit("RequestCancelled", account=1, amount=100 * 10**9 - 1)
    done = run("resume", left.label, "--no-wait")
    assert done.exit_code == 0, done.stderr
    assert f"job 0x{manager.post_orders()[0].hex()}" in done.stdout


def test_render__a_cap_under_what_the_tasks_cost__says_the_least(run: Commands, manager: Manager, small: Path) -> None:
    refused(run("render", str(small), "--frames", "1", "--cap", "1", "--no-wait"), 2, "at least 20000000 nano-USD")
    assert manager.post_orders() == []


def test_render__a_scene_with_problems_or_none__exit_2(run: Commands, wire: Cut, tmp_path: Path) -> None:
    broken = tmp_path / "broken.blend"
    broken.write_bytes(b"SCENE broken")
    refused(run("render", str(broken), "--frames", "1"), 2, "cannot be rendered", "wood.png is not packed")
    refused(run("render", str(tmp_path / "absent.blend"), "--frames", "1"), 2, "absent.blend: no such file")
    assert not [line for line in wire.seen if "blocks" in line]


def test_render__no_wallet_or_a_wrong_password__says_what_to_do(run: Commands, wire: Cut, small: Path) -> None:
    words, wallet = ("render", str(small), "--frames", "1"), (run.home / "wallet.json").read_bytes()
    refused(run(*words, INFERIX_PASSWORD="wrong horse battery"), 2, "the password does not open", "wallet.json")
    assert (run.home / "wallet.json").read_bytes() == wallet
    (run.home / "wallet.json").unlink()
    refused(run(*words), 4, "there is no wallet at", "`inferix wallet` makes one")
    assert not (run.home / "wallet.json").exists()
    assert not [line for line in wire.seen if "blocks" in line] and list_jobs(run.home) == []


def test_render__a_wallet_without_credit__exit_3(run: Commands, wire: Cut, small: Path) -> None:
    keystore.create(run.home / "poor.json", PASSWORD, Keys(key(99), bytes(32)), work=2**4)
    poor = run("render", str(small), "--frames", "1", INFERIX_KEYSTORE=str(run.home / "poor.json"))
    refused(poor, 3, "this wallet has no credit: `inferix top-up` first")
    assert not [line for line in wire.seen if "blocks" in line]
    rich = run("render", str(small), "--frames", "1", "--no-wait")
    assert rich.exit_code == 0, rich.stderr


def test_render__a_network_that_does_not_answer__exit_5_and_nothing_is_lost(
    run: Commands, wire: Cut, manager: Manager, small: Path
) -> None:
    wire.broken = lambda request: request.url.path == "/quotes"
    refused(
        run("render", str(small), "--frames", "1"), 5, "does not answer", "`inferix resume", "goes on where it stopped"
    )
    (left,) = list_jobs(run.home)
    wire.broken = lambda request: request.url.path.endswith("/events")
    assert run("resume", left.label, "--no-wait").exit_code == 0
    assert len(manager.post_orders()) == 1


def test_render__stopped_by_hand__exit_130_and_where_to_look(
    run: Commands, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    run.waits[:] = [stop]
    refused(
        run("render", str(small), "--frames", "1"), 130, "stopped; nothing that was ordered is lost: `inferix jobs`"
    )
    assert len(list_jobs(run.home)) == 1


def test_render__a_full_disk__says_which_and_leaves_nothing_half_written(
    run: Commands, manager: Manager, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", str(run.home / "jobs"))

    with monkeypatch.context() as patched:
        patched.setattr("inferix.client.client.write_atomic", full)
        says = "No space left on device: free some room and call it again"
        refused(run("render", str(small), "--frames", "1"), 1, says)
    assert not list((run.home / "jobs").glob("*.sealed*"))
    assert manager.post_orders() == []
    assert run("render", str(small), "--frames", "1", "--no-wait").exit_code == 0
    assert len(manager.post_orders()) == 1


# -- following and fetching


def test_jobs__before_and_after_it_is_on_chain(run: Commands, api: Api, manager: Manager, placed: str) -> None:
    (row,) = run.json("jobs")
    assert (row["id"], row["status"], row["reason"]) == (
        placed, "signed", "waits for a keeper to post it and for the block to be final",
    )  # fmt: skip
    manager.post_orders()
    (row,) = run.json("jobs")
    assert (row["id"], row["status"], len(row["tasks"])) == (placed, "posted", 3)
    assert "small.blend" in run("jobs").stdout


@pytest.mark.parametrize("name", ["shot [final].blend", "[/x].blend", "[red]a :fire: [.blend"])
def test_regression_names_and_reasons_are_shown_as_they_are(
    run: Commands, api: Api, manager: Manager, small: Path, name: str
) -> None:
    scene = small.rename(small.parent / name.replace("/", "\N{FRACTION SLASH}"))
    done = run("render", str(scene), "--frames", "1", "--no-wait")
    assert done.exit_code == 0, done.stderr
    (job_file,) = list_jobs(run.home)
    job_file.name = name  # as a file may have it, too
    job_file.save()
    with api.database.session() as session:
        session.exec(select(SignedOrder)).one().refused = f"no: {name}"
    shown = run("jobs")
    assert shown.exit_code == 0, shown.exception
    for word in name.split():  # the table breaks lines between them
        assert shown.stdout.count(word) == 2, shown.stdout


def test_regression_a_bar_shows_a_files_name_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Console(file=StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr("inferix.cli.common.console", terminal)
    bars = Bars()
    with bars.progress:
        bars("check", 0, 1, "[/x] [final].blend")
    assert "[/x] [final].blend" in terminal.file.getvalue()  # type: ignore[attr-defined]


def test_jobs__none__and_another_wallets_are_not_listed(run: Commands, posted: str) -> None:
    keystore.create(run.home / "other.json", PASSWORD, Keys(key(99), bytes(32)), work=2**4)
    assert run.json("jobs")[0]["id"] == posted
    (run.home / "jobs").rename(run.home / "put away")
    other = run("jobs", "--json", INFERIX_KEYSTORE=str(run.home / "other.json"))
    assert (other.exit_code, other.stdout) == (0, "[]\n")


def test_regression_jobs__a_damaged_job_file_is_named_and_the_others_are_listed(
    run: Commands, posted: str, small: Path
) -> None:
    (path,) = (run.home / "jobs").glob("*.json")
    whole = path.read_text()
    assert "warning" not in run("jobs").stderr
    path.write_text("{")
    damaged = run("jobs")
    assert damaged.exit_code == 0
    assert f"warning: {path} is damaged" in damaged.stderr and "restore a backup" in damaged.stderr
    assert posted[2:10] in damaged.stdout
    assert path.read_text() == "{", "it may still be mended by hand"
    assert run("fetch", "0x00").exit_code == 4
    refused(run("fetch", path.stem), 6, f"{path} is damaged", "restore a backup")
    path.write_text(whole)
    assert "warning" not in run("jobs").stderr


def test_fetch__what_is_accepted__and_again(run: Commands, api: Api, posted: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert f"0 files in {out}" in run("fetch", posted, "--out", str(out)).stdout
    work(api, run.home, posted)
    assert f"4 files in {out}" in run("fetch", posted[:12], "--out", str(out)).stdout
    done = run("fetch", posted, "--out", str(out), "--wait", "--raw")
    assert (done.exit_code, "6 files" in done.stdout) == (0, True)


def test_fetch__another_wallets_or_unknown_job__exit_4(run: Commands, api: Api, posted: str, tmp_path: Path) -> None:
    foreign = api.chain.order()
    for job in (foreign.hex(), "ff" * 32, "zz"):
        refused(
            run("fetch", job, "--out", str(tmp_path / "out")),
            4,
            "jobs of yours begin with",
            "`inferix jobs` lists them",
        )
    assert not (tmp_path / "out").exists()


def test_fetch__a_result_that_does_not_decrypt__exit_6_and_nothing_is_written(
    run: Commands, api: Api, posted: str, tmp_path: Path
) -> None:
    work(api, run.home, posted)
    (path,) = (run.home / "jobs").glob("*.json")
    (job_file,) = list_jobs(run.home)
    job_file.key = "01" * 32
    job_file.save()
    refused(
        run("fetch", posted, "--out", str(tmp_path / "out")),
        6,
        "altered, or sealed with another key",
        "claim the result",
    )
    assert [item for item in (tmp_path / "out").rglob("*") if item.is_file()] == []
    assert path.exists()


@pytest.mark.parametrize(("larger_than", "named"), [(0, "the list of files"), (10_000, "film.mp4")])
def test_fetch__a_result_that_is_not_in_storage__exit_4_and_which(
    run: Commands, api: Api, posted: str, tmp_path: Path, larger_than: int, named: str
) -> None:
    work(api, run.home, posted)
    for block in (tmp_path / "store" / "blocks").rglob("bafk*"):
        if block.stat().st_size > larger_than:
            block.unlink()
    refused(
        run("fetch", posted, "--out", str(tmp_path / "out")),
        4,
        named,
        "is not in storage now: `inferix fetch` again later",
    )
    found = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not [path for path in found if path.name == "film.mp4"], "no half of a film"


def test_cancel__once_it_is_on_chain(run: Commands, manager: Manager, placed: str) -> None:
    done = run("cancel", placed)
    refused(done, 1, "the order is signed: it can be cancelled once it is on chain")
    manager.post_orders()
    assert "cancelling; `inferix jobs` shows when" in run("cancel", placed).stdout


def test_cancel__another_wallets_job__exit_3(run: Commands, api: Api, posted: str) -> None:
    keystore.create(run.home / "other.json", PASSWORD, Keys(key(99), bytes(32)), work=2**4)
    done = run("cancel", posted, INFERIX_KEYSTORE=str(run.home / "other.json"))
    refused(done, 3, "only the owner of the account can cancel its order: sign with that wallet")
    refused(run("cancel", "ff" * 32), 4, "no job 0xff")
    refused(run("cancel", "zz"), 2, "64 hex digits")
    assert api.chain.network.jobs[bytes.fromhex(posted[2:])].status is JobStatus.POSTED


def test_resume__of_a_placed_order_is_no_second_one__of_an_unknown_one_is_refused(
    run: Commands, manager: Manager, placed: str
) -> None:
    assert f"job {placed}" in run("resume", placed, "--no-wait").stdout
    assert len(manager.post_orders()) == 1
    refused(run("resume", "nonsense"), 4, "0 jobs of yours begin with 'nonsense'")
