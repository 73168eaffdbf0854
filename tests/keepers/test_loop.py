# SPDX-License-Identifier: Apache-2.0
import errno
import json
import threading
import time
from pathlib import Path

import pytest

from inferix.errors import Misconfigured, Unavailable
from keepers.loop import Loop, run


def failing(error: Exception) -> Loop:
    def cycle() -> None:
        raise error

    return Loop("a", 0.01, cycle)


def test_run_once__a_known_error__counted_and_rested_from() -> None:
    loop = failing(Unavailable("the endpoint is down"))
    loop.run_once()
    loop.run_once()
    assert (loop.health.cycles, loop.health.errors_in_a_row) == (1, 1)
    assert loop.health.last_error == "Unavailable: the endpoint is down"


def test_run_once__a_full_disk__rested_from_and_said(caplog: pytest.LogCaptureFixture) -> None:
    loop = failing(OSError(errno.ENOSPC, "No space left on device", "/var/lib/inferix/work/package.blend"))
    loop.run_once()
    assert loop.health.errors_in_a_row == 1
    assert "No space left on device: /var/lib/inferix/work/package.blend" in caplog.text
    with pytest.raises(PermissionError):
        failing(PermissionError(errno.EACCES, "Permission denied")).run_once()


def test_run_once__success__ends_the_row_of_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[Exception] = [Unavailable("down", retry_after=0)]

    def cycle() -> None:
        if errors:
            raise errors.pop()

    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    loop = Loop("a", 0.01, cycle)
    loop.run_once()
    assert loop.health.errors_in_a_row == 1
    now[0] += 2
    loop.run_once()
    assert (loop.health.errors_in_a_row, loop.health.errors) == (0, 1)


@pytest.mark.parametrize("error", [Misconfigured("no account is set"), KeyError("a bug")])
def test_run__an_error_that_is_not_known__stops_the_program_with_it(error: Exception) -> None:
    stop = threading.Event()
    with pytest.raises(type(error)):
        run([failing(error), Loop("b", 0.01, lambda: None)], stop)
    assert stop.is_set()


def test_run__one_cycle_at_a_time_and_the_last_one_ends(tmp_path: Path) -> None:
    stop, running, most, done = threading.Event(), [0], [0], [0]

    def cycle() -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.05)
        running[0] -= 1
        done[0] += 1

    loop = Loop("a", 0.01, cycle)
    threading.Timer(0.4, stop.set).start()
    run([loop], stop, tmp_path / "health.json")
    assert most == [1]
    assert running == [0]
    assert loop.health.cycles == done[0] >= 2
    assert "a" in json.loads((tmp_path / "health.json").read_text())
