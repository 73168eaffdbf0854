# SPDX-License-Identifier: Apache-2.0
"""What the operating system lacks is named, and nobody is asked for a password."""

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from devnet.processes import ROOT


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/system.py as the set-up program sees it, with its own folder on the path."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("system")


def there() -> bool:
    return True


def absent() -> bool:
    return False


def test_only_packages_whose_check_fails_are_missing(system: ModuleType) -> None:
    wanted: dict[str, Callable[[], bool]] = {"libgl1": absent, "libx11-6": there, "bubblewrap": absent}
    assert system.missing(wanted) == ["libgl1", "bubblewrap"]


def test_a_program_is_looked_for_on_the_path_and_where_else_it_may_be(
    system: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    places = str(tmp_path.relative_to("/")) + "/*/bin"
    assert system._program("sh")()
    assert not system._program("initdb-of-nobody")()
    assert not system._program("initdb-of-nobody", places)()
    (tmp_path / "15/bin").mkdir(parents=True)
    (tmp_path / "15/bin/initdb-of-nobody").touch(0o755)
    assert system._program("initdb-of-nobody", places)()


def test_nothing_missing_asks_for_nothing(system: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    system.require({"libgl1": there})


def test_without_rights_the_one_line_to_type_ends_the_program(
    system: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no apt-get, no sudo
    with pytest.raises(SystemExit, match="sudo apt-get install -y --no-install-recommends libgl1 bubblewrap\n"):
        system.require({"libgl1": absent, "libx11-6": there, "bubblewrap": absent})


def test_a_service_that_is_missing_is_a_word_and_no_error(
    system: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    system.offer({"postgresql": absent})
    assert "Tests that need postgresql will be skipped" in capsys.readouterr().err


def test_sudo_that_wants_a_password_is_not_used(
    system: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, script in {"apt-get": "exit 0", "sudo": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="Some system packages are missing"):
        system.require({"libgl1": absent})
