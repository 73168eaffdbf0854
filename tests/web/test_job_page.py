# SPDX-License-Identifier: Apache-2.0
"""The page of a job shows its own pictures and film: its code, built as it is served, under Node.js."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NODE = Path(sys.prefix) / "bin/node"


def told(scenario: str) -> None:
    """Runs a scenario of job.mjs."""
    done = subprocess.run([NODE, HERE / "job.mjs", scenario], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2_000:]


def test_a_complete_job_shows_its_stills_and_its_film() -> None:
    told("shows")


def test_regression_a_film_that_opens_after_its_job_was_left_is_not_shown_under_another() -> None:
    told("left")


def test_regression_a_film_that_could_not_be_fetched_or_opened_is_asked_for_again() -> None:
    told("fails")


def test_attack_a_picture_that_goes_on_after_its_end_is_not_shown() -> None:
    told("tail")


def test_attack_a_preview_without_end_is_not_read_to_it() -> None:
    told("large")
