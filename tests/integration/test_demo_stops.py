# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends the demo at once and whole: no program, sandbox or server of it is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def left(mark: str) -> list[str]:
    """Command lines of live processes that name ``mark`` in their arguments or environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            if mark.encode() in told and int(entry.name) != os.getpid():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.mark.parametrize("programs", [2, 8])  # while it deploys; while machines are measured
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_demo_leaves_nothing(tmp_path: Path, programs: int, number: signal.Signals) -> None:
    out = tmp_path / "demo"
    demo = subprocess.Popen(
        [sys.executable, "-m", "demo"], cwd=ROOT, env={**os.environ, "INFERIX_DEMO_OUT": str(out)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    until = time.monotonic() + 180
    while len(left(str(out))) < programs:
        assert demo.poll() is None and time.monotonic() < until, "the demo does not start its programs"
        time.sleep(0.2)
    demo.send_signal(number)
    said, _ = demo.communicate(timeout=120)
    assert demo.returncode == (130 if number == signal.SIGINT else 143), said
    until = time.monotonic() + 5  # a program caught between its fork and its place on the list dies by its parent's end
    while left(str(out)) and time.monotonic() < until:
        time.sleep(0.1)
    assert left(str(out)) == []
