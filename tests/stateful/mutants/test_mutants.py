# SPDX-License-Identifier: Apache-2.0
"""The machine finds planted bugs: else its silence would say nothing about the contracts."""

from pathlib import Path
from shutil import copytree
from typing import Any

import boa
import pytest

from tests.contracts import system
from tests.contracts.disputes import court
from tests.contracts.work import network
from tests.stateful import world as worlds
from tests.stateful.mutants.planted import MUTANTS, Mutant
from tests.stateful.soak import search

ACTS = 2_000  # in which it must be found


def plant(mutant: Mutant, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on a world is deployed with the bug."""
    copytree(system.CONTRACTS, folder)
    file = folder / mutant.file
    text = file.read_text()
    assert text.count(mutant.old) == 1, f"{mutant.file} no longer says: {mutant.old}"
    file.write_text(text.replace(mutant.old, mutant.new))
    healthy = system.deployer

    def deployer(path: str, root: Path = system.CONTRACTS) -> Any:
        return boa.load_partial(str(folder / path)) if path == mutant.compiled else healthy(path, root)

    for module in (system, network, court, worlds):
        monkeypatch.setattr(module, "deployer", deployer)


def test_every_planted_bug_changes_what_is_there() -> None:
    for mutant in MUTANTS:
        assert (system.CONTRACTS / mutant.file).read_text().count(mutant.old) == 1, mutant.name


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(mutant, tmp_path / "contracts", monkeypatch)
    with boa.swap_env(boa.Env()):
        found = search(worlds.World(), acts=ACTS)
    assert found.failure, f"not found in {found.acts} acts"
    print(f"{mutant.name}: found after {found.acts} acts: {found.failure}")
