# SPDX-License-Identifier: Apache-2.0
"""A stopped benchmark leaves nothing running. The moments of its network are those of the demo, tested with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devnet.processes import ROOT
from tests.integration.test_demo_stops import left

pytestmark = pytest.mark.integration

PLAIN = """
import json, sys
from pathlib import Path
from benchmarks.baseline import render
from devnet.processes import exit_on_sigterm
exit_on_sigterm()
folder = Path(sys.argv[1])
size = {"width": 1920, "height": 1080, "samples": 4096, "threads": 1, "fps": 24}
render({**size, "scene": "assets/scenes/demo.blend", "seeds": [(1, 1)]}, folder / "plain")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_benchmark_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "network"
    environment = {**os.environ, "INFERIX_DEMO_OUT": str(out)}
    run = subprocess.Popen([sys.executable, "-m", "benchmarks"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    _wait_for(out / "state" / "logs" / "anvil.log")
    run.send_signal(number)
    assert run.wait(120) == (130 if number == signal.SIGINT else 143)
    assert left(str(out)) == []


def test_plain_blender_ends_with_whoever_measures_it(tmp_path: Path) -> None:
    run = subprocess.Popen([sys.executable, "-c", PLAIN, str(tmp_path)], cwd=ROOT, stdout=subprocess.DEVNULL)
    _wait_for(tmp_path / "plain" / "steps.jsonl")
    assert len(left(str(tmp_path))) == 2
    run.kill()
    run.wait()
    until = time.monotonic() + 60
    while left(str(tmp_path)) and time.monotonic() < until:
        time.sleep(0.1)
    assert left(str(tmp_path)) == []


def _wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} did not appear"
        time.sleep(0.1)
