# SPDX-License-Identifier: Apache-2.0
"""Folders go, whatever a stranger's program has put there."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inferix.storage.files import remove_folder


def dig(folder: Path, depth: int) -> None:
    """A chain of folders, deeper than any path can be written."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("folder", dir_fd=here)
        below = os.open("folder", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


@contextmanager
def ordinary_stack() -> Iterator[None]:
    """As many calls within calls as a program may make; a library of the tests allows more."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def test_a_folder_goes_with_all_that_is_in_it_and_nothing_else(tmp_path: Path) -> None:
    kept, folder = tmp_path / "kept", tmp_path / "folder"
    kept.mkdir()
    (kept / "file").write_text("kept")
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_text("x")
    (folder / "a" / "link").symlink_to(kept)
    (folder / "link").symlink_to(kept / "file")
    remove_folder(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "file").read_text() == "kept"
    remove_folder(folder)  # again is no error


def test_a_link_is_no_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    remove_folder(tmp_path / "link")
    assert (tmp_path / "kept").is_dir()
    assert "cannot be deleted" in caplog.text


def test_attack_a_folder_a_thousand_deep_is_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    dig(folder, 3_000)
    with ordinary_stack():
        remove_folder(folder)
    assert not folder.exists()


def test_attack_a_folder_that_nobody_may_open_is_deleted(tmp_path: Path) -> None:
    for name in ("folder", "folder/a", "folder/a/b", "folder/a/b/c"):
        (tmp_path / name).mkdir()
    (tmp_path / "folder/a/b/c/file").write_text("x")
    for name in ("folder/a/b/c", "folder/a/b", "folder/a", "folder"):
        (tmp_path / name).chmod(0)
    remove_folder(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
