# SPDX-License-Identifier: Apache-2.0
"""The locked sets hold versions and hashes, name no place, and agree with each other."""

import re
from pathlib import Path

import pytest

from devnet.processes import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
CHOSEN_BY_TEST = ["demo", "keeper", "node", "api"]
NOT_FOR_A = {
    "node": {"fastapi", "uvicorn", "sqlmodel", "psycopg", "torch", "eth-ape", "pytest"},
    "keeper": {"torch", "bpy", "fastapi", "eth-ape", "pytest"},
    "api": {"torch", "bpy", "apscheduler", "eth-ape", "pytest"},
    "demo": {"torch", "titanoboa", "hypothesis", "playwright"},
}


def versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_a_lock_holds_versions_and_hashes_only(lock: Path) -> None:
    allowed = re.compile(r"#.*|[a-z0-9-]+==[^\s:/]+( ; [^:/]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    strange = [line for line in lock.read_text().splitlines() if not allowed.fullmatch(line)]
    assert strange == []
    assert "://" not in lock.read_text()
    assert versions(lock)


@pytest.mark.parametrize("name", CHOSEN_BY_TEST)
def test_a_set_takes_the_versions_that_were_tested(name: str) -> None:
    tested = versions(ROOT / "requirements/test.txt")
    assert versions(ROOT / f"requirements/{name}.txt").items() <= tested.items()


@pytest.mark.parametrize("name", sorted(NOT_FOR_A))
def test_a_program_brings_no_other_program_along(name: str) -> None:
    assert not NOT_FOR_A[name] & versions(ROOT / f"requirements/{name}.txt").keys()


def test_the_npm_lock_names_no_registry() -> None:
    text = (ROOT / "tools/npm/package-lock.json").read_text()
    assert "resolved" not in text
    assert "sha512-" in text
