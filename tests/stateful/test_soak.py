# SPDX-License-Identifier: Apache-2.0
"""A search goes on where it was stopped, however it was, and takes no mistake of its own for a bug of the contracts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stateful import soak
from tests.stateful.soak import Place, search
from tests.stateful.stage import Stage

NO_WORLD: Any = None
ACTS = 7  # of a seed


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Machines of which all pass but the last, which ends as told."""

    def runs(passing: int, end: BaseException | None = None) -> None:
        left = [None] * passing + [end]

        def run(*_: object, **__: object) -> None:
            Stage.total += ACTS
            raised = left.pop(0)
            if raised is not None:
                raise raised

        monkeypatch.setattr(soak, "run_state_machine_as_test", run)

    return runs


def test_the_place_is_kept_after_every_seed_and_adds_up(machine: Callable[..., None], tmp_path: Path) -> None:
    file = tmp_path / "kept" / "place.json"
    assert Place.read(file) == Place(file, 0, 0)
    machine(1)
    assert search(NO_WORLD, acts=2 * ACTS, place=Place.read(file)).next_seed == 2
    machine(1)
    found = search(NO_WORLD, acts=2 * ACTS, place=Place.read(file))
    assert (found.acts, found.next_seed, found.failure) == (2 * ACTS, 4, "")
    assert Place.read(file) == Place(file, 4, 4 * ACTS)


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(143), KeyError("harness"), ValueError("harness")])
def test_what_is_no_disagreement_is_raised_and_loses_no_seed(
    machine: Callable[..., None], tmp_path: Path, end: BaseException
) -> None:
    file = tmp_path / "place.json"
    machine(2, end)
    with pytest.raises(type(end)):
        search(NO_WORLD, place=Place.read(file))
    assert Place.read(file) == Place(file, 2, 2 * ACTS)


def test_a_disagreement_is_found_and_its_seed_comes_again(machine: Callable[..., None], tmp_path: Path) -> None:
    file = tmp_path / "place.json"
    machine(2, AssertionError("contract 1, model 2"))
    found = search(NO_WORLD, place=Place.read(file))
    assert (found.failure, found.next_seed) == ("contract 1, model 2", 2)
    assert Place.read(file).next_seed == 2
