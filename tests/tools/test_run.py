# SPDX-License-Identifier: Apache-2.0
"""Steps of the set-up: silent when quick, loud when they fail, done once per state of their inputs."""

import sys
from pathlib import Path

import pytest

from tools import run as steps


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    monkeypatch.setattr(steps, "TOOLS", tmp_path / ".tools")
    return tmp_path / ".tools"


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_a_quick_step_says_nothing_and_leaves_its_log(tools: Path, capfd: pytest.CaptureFixture[str]) -> None:
    steps.run("Saying hello", python("print('hello')"), cwd=tools.parent)
    assert capfd.readouterr() == ("", "")
    assert (tools / "log/saying-hello.log").read_text() == "hello\n"


def test_a_failing_step_ends_the_program_with_its_last_lines(tools: Path) -> None:
    with pytest.raises(SystemExit) as end:
        steps.run("Trying", python("import sys; print('disk is full'); sys.exit(3)"), cwd=tools.parent)
    message = str(end.value)
    assert "disk is full" in message
    assert "Trying: failed (exit 3). The whole output is in .tools/log/trying.log" in message


def test_a_long_step_shows_what_it_does_now(
    tools: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "QUIET_SECONDS", 0.1)
    steps.run("Waiting", python("import time; print('step 4 of 9', flush=True); time.sleep(0.6)"), cwd=tools.parent)
    shown = capfd.readouterr().err
    assert "step 4 of 9" in shown
    assert shown.splitlines()[-1].startswith("Waiting: done in ")


def test_a_step_is_up_to_date_until_an_input_changes(tmp_path: Path) -> None:
    lock, stamp = tmp_path / "lock.txt", tmp_path / "stamps/lock"
    lock.write_text("one==1")
    wanted = steps.digest(lock, "3.11")
    assert not steps.up_to_date(stamp, wanted)
    steps.mark_done(stamp, wanted)
    assert steps.up_to_date(stamp, steps.digest(lock, "3.11"))
    assert not steps.up_to_date(stamp, steps.digest(lock, "3.12"))
    lock.write_text("one==2")
    assert not steps.up_to_date(stamp, steps.digest(lock, "3.11"))


def test_a_digest_tells_where_one_input_ends(tmp_path: Path) -> None:
    assert steps.digest("ab", "c") != steps.digest("a", "bc")
