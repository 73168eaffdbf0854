# SPDX-License-Identifier: Apache-2.0
"""Cheats of each class as real workers of a real network; two in the suite, all with ``make soak TESTS=tests/cheats``."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cheats.__main__ import CHEATS

ROOT = Path(__file__).parents[2]
IN_SUITE = ("all samples but one", "guides made up")


def run_cheats(names: list[str], folder: Path, seconds: int) -> dict[str, int]:
    """How many results of each cheat were rejected."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.cheats", *names], cwd=ROOT, capture_output=True, text=True, timeout=seconds,
        env={**os.environ, "INFERIX_DEMO_OUT": str(folder), "PYTHONWARNINGS": "ignore"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    rejected: dict[str, int] = json.loads(done.stdout.splitlines()[-1])["rejected"]
    return rejected


@pytest.mark.integration
@pytest.mark.timeout(1_000)
def test_cheats_are_rejected_redone_and_frozen(tmp_path: Path) -> None:
    rejected = run_cheats(list(IN_SUITE), tmp_path / "demo", 900)
    assert all(rejected[name] > 0 for name in IN_SUITE)


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_every_class_of_cheat_is_rejected_redone_and_frozen(tmp_path: Path) -> None:
    rejected = run_cheats(list(CHEATS), tmp_path / "demo", 7_100)
    assert all(rejected[name] > 0 for name, cheat in CHEATS.items() if cheat.once)
