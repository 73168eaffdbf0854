# SPDX-License-Identifier: Apache-2.0
"""Children are real programs of the system; what counts is what the kernel says is left of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devnet.processes import ROOT, Identity, NotInstalled, StartFailed, family, find_program, running, start


def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def identities(pid: int, count: int) -> set[Identity]:
    assert eventually(lambda: len(family(pid)) >= count)
    return family(pid)


def test_a_stopped_child_is_gone_and_its_output_is_in_the_log(tmp_path: Path) -> None:
    with running(start("sleeper", ["/bin/sh", "-c", "echo up; exec sleep 300"], log=tmp_path / "log")) as child:
        assert eventually(lambda: child.log_tail() == "up")
        assert child.running
        members = family(child.pid)
        assert len(members) == 1
    assert not child.running
    assert child.process.returncode == -signal.SIGTERM
    assert not any(member.alive for member in members)


def test_stopping_takes_along_a_grandchild_in_a_session_of_its_own(tmp_path: Path) -> None:
    child = start("family", ["/bin/sh", "-c", "setsid sleep 300 & sleep 300"], log=tmp_path / "log")
    members = identities(child.pid, 3)
    child.stop()
    assert not any(member.alive for member in members)


def test_a_child_that_ignores_the_signal_is_killed_after_its_time(tmp_path: Path) -> None:
    script = "trap '' TERM; echo deaf; while :; do sleep 0.05; done"
    child = start("deaf", ["/bin/sh", "-c", script], log=tmp_path / "log", grace_seconds=0.3)
    assert eventually(lambda: child.log_tail() == "deaf")
    child.stop()
    assert child.process.returncode == -signal.SIGKILL


def test_stopping_twice_does_nothing(tmp_path: Path) -> None:
    child = start("sleeper", ["sleep", "300"], log=tmp_path / "log")
    child.stop()
    child.stop()
    assert not child.running


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_child_outlives_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    program = (
        "import sys, time; from pathlib import Path; from devnet.processes import *\n"
        "exit_on_sigterm()\n"
        "with running(start('child', ['sleep', '300'], log=Path(sys.argv[1]))) as child:\n"
        "    print(child.pid, flush=True); time.sleep(300)\n"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "log")]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        (child,) = identities(int(parent.stdout.readline()), 1)
        assert child.alive
        parent.send_signal(how)
        parent.wait(10)
    assert eventually(lambda: not child.alive)
    assert parent.returncode == (143 if how is signal.SIGTERM else -how)


def test_ready_is_what_the_probe_returned(tmp_path: Path) -> None:
    answers = iter([None, None, 42])
    with running(start("sleeper", ["sleep", "300"], log=tmp_path / "log")) as child:
        assert child.wait_ready(lambda: next(answers)) == 42


def test_a_child_that_ends_while_starting_says_why(tmp_path: Path) -> None:
    child = start("broken", ["/bin/sh", "-c", "echo no such disk; exit 3"], log=tmp_path / "log")
    with running(child), pytest.raises(StartFailed, match=r"broken ended with 3 while starting:\nno such disk"):
        child.wait_ready(lambda: None)


def test_a_child_that_is_not_ready_in_time_is_an_error(tmp_path: Path) -> None:
    child = start("slow", ["sleep", "300"], log=tmp_path / "log")
    with running(child), pytest.raises(StartFailed, match="slow was not ready"):
        child.wait_ready(lambda: None, deadline_seconds=0.1)


def test_a_later_process_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    with running(start("sleeper", ["sleep", "300"], log=tmp_path / "log")) as child:
        (mine,) = family(child.pid)
        earlier = Identity(mine.pid, mine.started - 1)
        assert not earlier.alive
        earlier.kill()
        assert child.running


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run a program as somebody else")
def test_a_child_of_another_account_has_none_of_our_rights(tmp_path: Path) -> None:
    with running(
        start("id", ["/bin/sh", "-c", "id -un; id -G; exec sleep 300"], log=tmp_path / "log", user="nobody")
    ) as child:
        assert eventually(lambda: child.log_tail().split("\n")[0] == "nobody")
        assert eventually(lambda: child.log_tail().split("\n")[1:] == ["65534"])


def test_a_program_is_found_on_the_path() -> None:
    assert find_program("sh", "").name == "sh"


def test_a_missing_program_is_named_with_the_way_to_get_it() -> None:
    with pytest.raises(NotInstalled, match="no-such-program is not installed: type this"):
        find_program("no-such-program", "type this")


# Sleeps in a function of logging's that runs after a fork, where Python prints what is raised and goes on.
HOOKED = """
import logging, os, time
from devnet.processes import exit_on_sigterm
exit_on_sigterm()
body = "def hook():\\n    print('forked', flush=True)\\n    sleep(1)"
exec(body, vars(logging) | {"sleep": time.sleep}, names := {})
os.register_at_fork(after_in_parent=names["hook"])
if os.fork() == 0:
    os._exit(0)
os.wait()
time.sleep(60)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_regression_a_stop_in_a_hook_of_a_fork_is_not_lost(number: signal.Signals, code: int) -> None:
    """Ctrl-C while a program was being started was printed as ignored, and the demo went on."""
    program = f"try:\n    exec({HOOKED!r})\nexcept KeyboardInterrupt:\n    raise SystemExit(130)"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"forked\n"
        process.send_signal(number)
        assert process.wait(30) == code
