# SPDX-License-Identifier: Apache-2.0
"""The process that holds Blender answers in JSON lines, whatever Blender prints while it is loaded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devnet.processes import ROOT

pytestmark = pytest.mark.integration

LOUD = "print('00:00.052  system.path      | WARNING Could not get a list of mounted file-systems', flush=True)"


def test_regression_what_blender_prints_as_it_is_loaded_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "bpy.py").write_text(f"{LOUD}\nraise ImportError('no Blender here')\n")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.proof.inside"], input="", capture_output=True, text=True, timeout=60,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}, check=False,
    )  # fmt: skip
    assert [json.loads(line)["error"]["code"] for line in done.stdout.splitlines()] == ["missing"]
    assert "WARNING" in done.stderr
