# SPDX-License-Identifier: Apache-2.0
"""The tables of a job: what is beside what, and that parts add up."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import report
from benchmarks.baseline import Plain
from benchmarks.cores import Part
from benchmarks.job import Job, accepted_seeds, lag, progress
from benchmarks.machine import parse_busy, processor
from benchmarks.stages import Stage
from benchmarks.steps import UPKEEP, Sent
from benchmarks.table import Row, percent, seconds, show, times
from benchmarks.verifying import Checked, Took, timed
from node.engines import RenderSettings

PLAIN = Plain(
    20.0,
    32.0,
    1.5,
    [
        {"step": "load", "seconds": 1.0, "core_seconds": 1.0},
        {"step": "frame 1", "seconds": 9.0, "core_seconds": 15.0},
        {"step": "frame 2", "seconds": 8.0, "core_seconds": 15.0},
        {"step": "encode", "seconds": 0.5, "core_seconds": 0.6},
    ],
)


def job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "stages": [
            Stage("quote", "client", [6.0]),
            Stage("it is rendered, its receipt anchored", "block", [4.0, 12.0, 5.0]),
            Stage("all", "client", [60.0]),
        ],
        "seconds": 60.0,
        "parts": {
            Part("worker-one", True): 30.0,
            Part("worker-two", True): 34.0,
            Part("worker-one", False): 2.0,
            Part("verifier-1", True): 16.0,
            Part("keepers", False): 9.0,
            Part("keepers", True): 3.0,
            Part("chain", False): 1.0,
            Part("api", False): 0.5,
            Part("client", False): 0.5,
        },
        "idle": {Part("api", False): 0.2, Part("worker-one", False): 0.4, Part("worker-one", True): 0.0},
        "others": 4.0,
        "lags": (0.5, 0.7),
        "roles": {"worker-one": "workers", "worker-two": "workers", "verifier-1": "verifiers"},
        "tasks": 3,
        "votes": [2, 2, 1],
        "charged": 5,
        "sent": [
            Sent("Orders.post", 1, 42_000, True),
            Sent("Batches.anchor", 2, 60_000, True),
            Sent("Rosters.post", 3, 9, True),
        ],
        "seeds": [(1, 11), (2, 22)],
        "settings": {"width": 64, "height": 36, "samples": 4, "fps_milli": 24_000},
    }
    return Job(**{**values, **changes})


def checked() -> Checked:
    found = Checked(RenderSettings(64, 36, 4))
    found.open, found.render = Took([2.0], [3.0]), Took([9.0, 5.0, 6.0], [12.0, 10.0, 10.0])
    found.read, found.tiles = Took([0.1], [0.1]), Took([0.5, 0.5], [0.5, 1.3])
    return found


def cells(rows: list[Row], name: str) -> Row:
    return next(row for row in rows if row and row[0].strip() == name)


def test_processor_seconds_are_split_by_role_and_add_up() -> None:
    done = job()
    assert done.core_seconds() == sum(done.core_seconds(role) for role in report.PROGRAMS) == 96.0
    assert done.core_seconds("workers") == 66.0
    assert done.core_seconds("workers", sandboxed=True) == 64.0
    assert done.core_seconds("workers", sandboxed=False) == 2.0
    assert done.core_seconds("nobody") == 0


def test_the_network_stands_beside_plain_blender() -> None:
    rows = report.overhead_rows(job(), PLAIN)
    assert cells(rows, "elapsed seconds")[1:] == ("60.0", "20.0", "3.00x", "-")
    assert cells(rows, "processor seconds")[1:] == ("96.0", "32.0", "3.00x", "1.80")
    assert cells(rows, "verifiers")[1:] == ("16.0", "-", "0.50x", "0.00")
    assert cells(rows, "workers")[4] == "1.20"  # 0.4 in 20 s, so three times that in 60 s
    inside = [row[1] for row in rows if row and row[0].strip() == "of which sandboxed Blender"]
    assert inside == ["64.0", "16.0", "3.00"]  # workers, verifiers, the keepers' previews


def test_stages_have_a_spread_where_there_is_one_and_plain_blender_beside() -> None:
    rows = report.stage_rows(job().stages, PLAIN)
    assert cells(rows, "quote") == ("quote", "", "6.00", "", "-", "client")
    assert cells(rows, "it is rendered, its receipt anchored")[1:] == ("4.00", "5.00", "12.0", "8.50", "block")
    assert cells(rows, "all")[2:5] == ("60.0", "", "20.0")


def test_gas_is_shared_by_the_tasks_and_upkeep_stands_apart() -> None:
    rows = report.gas_rows(job(), {"order": 1000.0, "anchor": 500.0, "batch": 480.0, "accounts": 0.4, "claim": 400.0})
    assert cells(rows, "order")[1:] == ("1", "42,000", "14,000", "1,000.0")
    assert cells(rows, "anchors")[1:] == ("1", "60,000", "20,000", "500.0")
    assert cells(rows, "seals")[1:] == ("0", "0", "0", "-")
    assert cells(rows, "all of the job")[1:] == ("2", "102,000", "34,000", "2,380")
    assert cells(rows, UPKEEP)[1:3] == ("1", "9")


def test_a_verifier_is_reading_and_tiles_opening_stands_apart() -> None:
    assert checked().core == pytest.approx(1.0)
    rows = report.check_rows([checked(), checked()])
    assert cells(rows, "one verifier")[1:] == ("1.00", "10.0 %", "1.00", "10.0 %")
    assert cells(rows, "a committee of 5")[1:3] == ("5.00", "50.0 %")
    assert cells(rows, "apart, once a job: open the package")[1:3] == ("3.00", "30.0 %")


def test_everything_is_shown_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    steady = {"order": 1000.0, "anchor": 500.0, "batch": 480.0, "accounts": 0.4, "claim": 400.0}
    for sheet in report.sheets(job(), PLAIN, 0.0003, steady, [checked()]):
        show(sheet)
    shown = capsys.readouterr().out
    for words in (
        "Seconds per stage",
        "beside plain Blender",
        "Gas of that job",
        "verification beside rendering",
        "0.03 %",
    ):
        assert words in shown
    facts = json.loads(json.dumps(report.facts(job(), PLAIN, 0.0003, steady, [checked()])))
    assert facts["overhead"]["network"]["core_seconds"] == 96.0
    assert facts["gas"]["steps"]["order"] == {"transactions": 1, "gas": 42_000, "failed": 0}
    assert facts["stages"][1]["spread"] == [4.0, 5.0, 12.0]


def test_seeds_are_those_of_the_accepted_attempts() -> None:
    def attempt(number: int, outcome: str) -> dict[str, Any]:
        return {"number": number, "outcome": outcome}

    tasks = [
        {"kind": "render", "first_frame": 1, "last_frame": 2, "attempts": [attempt(0, "accepted")]},
        {"kind": "render", "first_frame": 3, "last_frame": 3, "attempts": [attempt(0, "late"), attempt(1, "accepted")]},
        {"kind": "assemble", "first_frame": 1, "last_frame": 3, "attempts": [attempt(0, "accepted")]},
    ]
    seeds = [(1, 0, 10), (2, 0, 20), (3, 1, 31), (3, 0, 30)]
    rows = [{"frame": frame, "attempt": number, "node": 2, "seed": seed} for frame, number, seed in seeds]
    assert accepted_seeds({"tasks": tasks}, rows) == [(1, 10), (2, 20), (3, 31)]


def test_progress_tells_what_is_done_and_what_is_not() -> None:
    tasks = [
        {"done": True, "attempts": [{"status": "ended"}]},
        {"done": False, "attempts": [{"status": "ended"}, {"status": "running"}]},
        {"done": False, "attempts": []},
    ]
    assert progress({"status": "running", "tasks": tasks}) == "running: 1 of 3 tasks done, 1 running"
    assert progress({"status": "signed", "tasks": []}) == "signed: 0 of 0 tasks done"


def test_the_lag_is_that_of_a_block_that_has_just_come(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter([7, 7, 8])
    monkeypatch.setattr("time.time", lambda: 1000.25)
    chain = SimpleNamespace(
        block_number=lambda: 7, header=lambda _tag: SimpleNamespace(number=next(numbers), timestamp=1000)
    )
    assert lag(chain) == 0.25  # type: ignore[arg-type]
    assert next(numbers, None) is None


def test_a_step_is_timed_without_its_other_times() -> None:
    took = Took()
    assert timed(took, lambda: sum(range(1_000_000))) == 499_999_500_000
    assert 0 < took.core <= took.wall + 0.05


def test_busy_seconds_leave_waiting_out() -> None:
    assert parse_busy("cpu  100 20 30 9999 50 4 6 777 0 0\ncpu0 1 2") == pytest.approx(1.6)


def test_the_processor_has_a_name_or_is_unknown() -> None:
    assert processor("processor: 0\nmodel name\t: Some Chip 3000\n") == "Some Chip 3000"
    assert processor("cpu implementer: 0x41") == "unknown"


def test_numbers_keep_what_they_tell() -> None:
    assert [seconds(value) for value in (0.014, 9.994, 12.34, 1234.5)] == ["0.01", "9.99", "12.3", "1,234.5"]
    assert [times(value) for value in (0.5, 2.345, 45.12, 1144.6)] == ["0.50x", "2.35x", "45.1x", "1,145x"]
    assert [percent(value) for value in (0.0004, 0.0999, 0.1, 1.5)] == ["0.04 %", "9.99 %", "10.0 %", "150.0 %"]
