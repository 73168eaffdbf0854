# SPDX-License-Identifier: Apache-2.0
"""One test on contracts with a hole, in a process of its own: what a session of tests shares is deployed once."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.contracts import system
from tests.contracts.holes.table import Hole
from tests.stateful.mutants.planted import planted

FOUND, SURVIVED, BROKEN = "found", "survived", "broken"
QUIET = ["-q", "-x", "-n0", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]


class Outcome:
    """What pytest reports of the test, whatever of its parameters it is about."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.broken = ""
        self.reason = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.calls.append(report.outcome)
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            said = crash.message if crash else report.longreprtext
            self.reason = self.reason or " ".join(said.split())[:200]
            if report.when != "call":
                self.broken = self.reason

    def __str__(self) -> str:
        if self.broken or not self.calls:
            return f"{BROKEN}: {self.broken or 'no such test'}"
        return f"{FOUND}: {self.reason}" if "failed" in self.calls else SURVIVED


def tried(hole: Hole) -> str:
    """Plants the hole before any test is imported, runs its test and tells what became of it."""
    with TemporaryDirectory() as folder:
        system.deployer = planted(hole, Path(folder) / "contracts")  # type: ignore[assignment]
        return run([hole.test])


def run(tests: list[str]) -> str:
    """The outcome of these tests, which say nothing themselves."""
    outcome = Outcome()
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        pytest.main([*QUIET, *tests], plugins=[outcome])
    return str(outcome)
