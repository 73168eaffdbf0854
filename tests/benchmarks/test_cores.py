# SPDX-License-Identifier: Apache-2.0
"""Processor seconds are counted from the first reading on, by program, and not lost with a process."""

import subprocess
import sys
import time

import pytest

from benchmarks.cores import TICKS, Meter, Part, Tally, Usage, below, parse_stat
from devnet.processes import Identity

ROOT = 10


def usage(pid: int, parent: int, ticks: int = 0) -> Usage:
    return Usage(Identity(pid, 1000 + pid), parent, ticks)


def stat(name: str) -> str:
    return f"77 ({name}) S 10 77 77 0 -1 4194560 1 2 3 4 130 20 7 8 20 0 3 0 4711 1 2 3"


@pytest.mark.parametrize("name", ["python", "a b", "x) S 1 (", ""])
def test_a_line_of_proc_is_read_whatever_the_program_is_called(name: str) -> None:
    assert parse_stat(stat(name)) == Usage(Identity(77, 4711), 10, 150)


@pytest.mark.parametrize("text", ["", "77 (python) S 10 77", "no line at all"])
def test_what_is_no_line_of_proc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no line of"):
        parse_stat(text)


def test_descendants_belong_to_the_child_that_they_come_from() -> None:
    everyone = [
        usage(1, 0),
        usage(ROOT, 1),
        usage(11, ROOT),
        usage(12, 11),
        usage(13, 12),
        usage(14, ROOT),
        usage(20, 1),
    ]
    found = {identity.pid: top for identity, top in below(everyone, ROOT).items()}
    assert found == {11: (11, False), 12: (11, True), 13: (11, True), 14: (14, False)}


def test_processes_in_a_circle_end_the_search() -> None:
    assert below([usage(2, 3), usage(3, 2)], ROOT) == {}


def test_only_what_is_used_after_the_first_reading_counts() -> None:
    tally = Tally()
    tally.add([usage(11, ROOT, 500)], ROOT)
    tally.add([usage(11, ROOT, 530), usage(12, 11, 40)], ROOT)
    assert tally.seconds({11: "worker"}, "other") == {
        Part("worker", False): 30 / TICKS,
        Part("worker", True): 40 / TICKS,
    }


def test_a_process_that_has_ended_keeps_its_last_count() -> None:
    tally = Tally()
    tally.add([], ROOT)
    tally.add([usage(11, ROOT, 5), usage(12, 11, 40)], ROOT)
    tally.add([usage(11, ROOT, 6)], ROOT)
    assert tally.seconds({}, "chain") == {Part("chain", False): 6 / TICKS, Part("chain", True): 40 / TICKS}


def test_a_later_process_of_the_same_number_is_another() -> None:
    tally = Tally()
    tally.add([], ROOT)
    tally.add([usage(11, ROOT, 40)], ROOT)
    tally.add([Usage(Identity(11, 9999), ROOT, 3)], ROOT)
    assert tally.seconds({11: "worker"}, "other") == {Part("worker", False): 43 / TICKS}


def test_an_orphan_stays_with_the_program_that_it_came_from() -> None:
    tally = Tally()
    tally.add([usage(11, ROOT), usage(12, 11)], ROOT)
    tally.add([usage(12, 1, 70)], ROOT)
    assert tally.seconds({11: "worker"}, "other")[Part("worker", True)] == 0  # no longer below us: not ours to count


def test_a_meter_sees_a_child_that_works_and_not_this_process() -> None:
    spin = "import time\nwhile time.process_time() < 0.6: pass"
    with Meter(every=0.05) as meter:
        child = subprocess.Popen([sys.executable, "-c", spin])
        until = time.thread_time() + 0.2
        while time.thread_time() < until:
            pass
        child.wait(60)
    found = meter.seconds({child.pid: "spinner"})
    assert found.keys() == {Part("spinner", False)}
    assert 0.4 <= found[Part("spinner", False)] == meter.total() <= 0.9
