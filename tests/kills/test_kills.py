# SPDX-License-Identifier: Apache-2.0
"""Killing any keeper or node at any time, and the API: same charge, same frames, money to the wei, nobody honest slashed.

One seed in the suite, on PostgreSQL and Kubo where they are installed (the demo runs on SQLite and a folder); ``make
soak`` goes through many (KILL_SEEDS=10).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devnet.kubo import find_kubo
from devnet.postgres import find_postgres
from devnet.processes import NotInstalled

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1_000)]

ROOT = Path(__file__).parents[2]


def parts() -> dict[str, str]:
    """Database and storage that this machine has. Where CI is set, both must be there."""
    found = {}
    for name, value, find in (("DB", "postgres", find_postgres), ("STORE", "kubo", find_kubo)):
        try:
            find()
            found[name] = value
        except NotInstalled:
            if os.environ.get("CI"):
                raise
    return found


def run_killed(seed: int, folder: Path) -> dict[str, int]:
    """A whole order under kills; how often each program was killed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills", str(seed)], cwd=ROOT, capture_output=True, text=True, timeout=900,
        env={**os.environ, **parts(), "INFERIX_DEMO_OUT": str(folder), "PYTHONWARNINGS": "ignore"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"seed {seed}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    kills: dict[str, int] = json.loads(done.stdout.splitlines()[-1])["kills"]
    return kills


def test_killed_programs_lose_nothing(tmp_path: Path) -> None:
    kills = run_killed(1, tmp_path / "demo")
    assert sum(kills.values()) >= 10
    assert kills["keepers"] >= 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 2 + int(os.environ.get("KILL_SEEDS", "5"))))
def test_killed_programs_lose_nothing_at_many_moments(seed: int, tmp_path: Path) -> None:
    run_killed(seed, tmp_path / "demo")
