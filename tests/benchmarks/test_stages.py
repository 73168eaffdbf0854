# SPDX-License-Identifier: Apache-2.0
"""Stages follow each other from the client's start to its film; logs are stamped line by line."""

import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.stages import Stage, accepted, stages
from benchmarks.stamps import Stamp, Stamps, first
from inferix.errors import Corrupt, NotFound

LINES = [
    Stamp(100.5, "A job's input and results can be read by the client"),
    Stamp(104.0, "   check  nothing wrong with it"),
    Stamp(105.0, "  upload  sealed with a key that only this job has"),
    Stamp(111.0, "   quote  signed by the manager"),
    Stamp(111.2, "job 0xabc"),
    Stamp(160.5, "    work  complete; 3 of 3 tasks; "),
    Stamp(161.5, "   fetch  contact_sheet.png"),
    Stamp(161.6, "12 files in out"),
]


def attempt(accepted_at: int, received_at: int, ended_at: int, outcome: str = "accepted") -> dict[str, Any]:
    return {"accepted_at": accepted_at, "received_at": received_at, "ended_at": ended_at, "outcome": outcome}


def task(index: int, kind: str, *attempts: dict[str, Any]) -> dict[str, Any]:
    return {"index": index, "kind": kind, "attempts": list(attempts)}


VIEW = {
    "posted_at": 114,
    "tasks": [
        task(0, "render", attempt(116, 120, 124)),
        task(1, "render", attempt(116, 119, 121, "rejected"), attempt(124, 130, 150)),
        task(9, "assemble", attempt(152, 155, 160)),
    ],
}
RESULTS = [
    {"document": {"frames": [{"milliseconds": 2500}]}},
    {"document": {"frames": [{"milliseconds": 3500}]}},
    {"document": {"frames": []}},
]


def test_every_stage_has_its_seconds() -> None:
    found = {stage.name.strip(): stage.seconds for stage in stages(100.0, LINES, VIEW, RESULTS, 0.5)}
    assert found == {
        "check the scene": [4.0],
        "seal and upload it": [1.0],
        "quote": [6.0],
        "order on chain": [3.5],
        "a frame is drawn and accepted": [2.0, 10.0],
        "it is rendered, its receipt anchored": [4.0, 6.0],
        "of which Blender renders": [2.5, 3.5],
        "its committee and votes": [4.0, 20.0],
        "the film is drawn and accepted": [2.0],
        "it is assembled, its receipt anchored": [3.0],
        "its committee and vote": [5.0],
        "it is fetched": [1.0],
        "all": [61.5],
    }


def test_a_stage_is_told_by_its_least_median_and_most() -> None:
    assert Stage("x", "block", [5.0, 1.0, 2.0, 4.0]).spread == (1.0, 3.0, 5.0)
    assert Stage("x", "client", [7.0]).spread == (7.0, 7.0, 7.0)


def test_only_the_accepted_attempt_counts() -> None:
    assert accepted(VIEW["tasks"][1])["accepted_at"] == 124  # type: ignore[index]
    with pytest.raises(Corrupt, match="task 3"):
        accepted(task(3, "render", attempt(1, 2, 3, "late")))


def test_a_log_without_a_stage_is_refused() -> None:
    assert first(LINES, "quote") == 111.0
    with pytest.raises(NotFound, match="'fetch'"):
        stages(100.0, LINES[:5], VIEW, RESULTS, 0.5)


def test_lines_are_stamped_when_they_are_whole(tmp_path: Path) -> None:
    log = tmp_path / "client.log"
    log.write_text("of an earlier run\n")
    with Stamps(log) as stamps, log.open("a") as file:
        file.write("one\ntwo, not fin")
        file.flush()
        until = time.monotonic() + 60
        while not stamps.lines and time.monotonic() < until:
            time.sleep(0.01)
        assert [line.text for line in stamps.lines] == ["one"]
        file.write("ished\n")
    assert [line.text for line in stamps.lines] == ["one", "two, not finished"]
    assert stamps.lines[0].time <= stamps.lines[1].time <= time.time()


def test_a_log_that_never_appears_has_no_lines(tmp_path: Path) -> None:
    with Stamps(tmp_path / "none.log") as stamps:
        pass
    assert stamps.lines == []
