# SPDX-License-Identifier: Apache-2.0
"""Each hole of the table is found by the test that docs/security.md names for its attack: `make soak TESTS=tests/contracts/holes`."""

import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.contracts.holes.planting import FOUND, SURVIVED, run, tried
from tests.contracts.holes.table import HOLES, WITHOUT_HOLE, Hole
from tests.contracts.system import CONTRACTS

ROOT = Path(__file__).parents[3]
SECURITY = ROOT / "docs" / "security.md"


@pytest.fixture(scope="module")
def processes() -> ProcessPoolExecutor:
    """One for each row, forked from one that has compiled what the rows leave as it is."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.contracts.holes.healthy"])
    return ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1)


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_every_hole_is_in_what_is_there_and_its_test_in_the_document(hole: Hole) -> None:
    assert (CONTRACTS / hole.file).read_text().count(hole.old) == 1, f"{hole.file} does not say once: {hole.old}"
    assert hole.old != hole.new
    file, _, name = hole.test.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text()
    assert any(f"`{said}`" in SECURITY.read_text() for said in (name, file))


def test_no_two_holes_have_one_name() -> None:
    assert len({hole.name for hole in HOLES}) == len(HOLES)


def test_every_attack_has_a_hole_or_a_reason_to_have_none() -> None:
    attacks = {
        f"{file.relative_to(ROOT)}::{name}"
        for file in (ROOT / "tests" / "contracts").rglob("test_*.py")
        for name in re.findall(r"^def (test_attack_\w+)\(", file.read_text(), re.MULTILINE)
    }
    without = attacks - {hole.test for hole in HOLES}
    assert not without - WITHOUT_HOLE.keys(), "plant a hole that it finds, or say in WITHOUT_HOLE why there is none"
    assert not WITHOUT_HOLE.keys() - without, "there is a hole, or no such test any more: take it out of WITHOUT_HOLE"
    assert all(WITHOUT_HOLE.values())


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_without_a_hole_every_test_passes(processes: ProcessPoolExecutor) -> None:
    assert processes.submit(run, sorted({hole.test for hole in HOLES})).result() == SURVIVED


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_a_hole_is_found_by_the_test_of_its_attack(hole: Hole, processes: ProcessPoolExecutor) -> None:
    said = processes.submit(tried, hole).result()
    assert said.startswith(FOUND), f"{hole.test}, where {hole.name}: {said}"
    print(f"{hole.name}: {said}")
