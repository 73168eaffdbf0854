# SPDX-License-Identifier: Apache-2.0
"""The program itself: what it says when it cannot start, and how it stops."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devnet.processes import free_port

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]


def keepers(folder: Path, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env |= {"INFERIX_DATABASE": f"sqlite:///{folder}/keeper.db", "INFERIX_STORE": f"file://{folder}/store"}
    argv = [sys.executable, "-m", "keepers", *arguments]
    return subprocess.Popen(argv, cwd=ROOT, env=env | settings, text=True, stderr=subprocess.PIPE)


@pytest.mark.parametrize(
    ("arguments", "settings", "says"),
    [
        ((), {}, "usage:"),
        (("mirrors",), {}, "usage:"),
        (("mirror",), {"INFERIX_CHAIN_ID": "x"}, "INFERIX_CHAIN_ID"),
        (("mirror",), {"INFERIX_LOG_FORMAT": "xml"}, "INFERIX_LOG_FORMAT"),
    ],
)
def test_cannot_start__exit_2_and_why(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], says: str
) -> None:
    process = keepers(tmp_path, *arguments, **settings)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert says in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_chain_yet__waits_saying_what_for_and_stops_when_told(tmp_path: Path, number: signal.Signals) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1/secret-key"
    process = keepers(tmp_path, "mirror", INFERIX_RPC_URLS=url, INFERIX_LOG_FORMAT="json")
    assert process.stderr is not None
    said = process.stderr.readline()
    while "rests for" not in said:
        said = process.stderr.readline()
        assert said, "it ended"
    told = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert time.monotonic() - told < 30
    assert "secret-key" not in said + errors
