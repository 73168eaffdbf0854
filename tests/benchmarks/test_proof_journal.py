# SPDX-License-Identifier: Apache-2.0
"""Rows are there after a stop, and what was cut off in the middle is done again."""

from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from benchmarks.proof.__main__ import shard
from benchmarks.proof.journal import Journal


def test_a_new_journal_has_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "frames.jsonl")
    assert journal.rows() == []
    assert journal.done() == set()


def test_rows_are_appended_and_found_by_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    Journal(path).add({"case": 0, "votes": {"honest": [[0, 1, 3, 0]]}})
    again = Journal(path)
    again.add({"case": 7})
    assert [row["case"] for row in Journal(path).rows()] == [0, 7]
    assert again.done() == {0, 7}


def test_a_row_that_was_cut_off_is_not_done_and_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    Journal(path).add({"case": 0})
    with path.open("a") as file:
        file.write('{"case":1,"vot')
    journal = Journal(path)
    assert journal.done() == {0}
    journal.add({"case": 1})
    assert [row["case"] for row in journal.rows()] == [0, 1]


def test_a_run_is_shared_by_processes() -> None:
    assert shard("1/2") == (1, 2)
    for text in ("2/2", "1", "a/b", "-1/2", "0/0"):
        with pytest.raises(ArgumentTypeError, match="0/2 and 1/2"):
            shard(text)


def test_published_rows_count_and_are_not_done_again(tmp_path: Path) -> None:
    path, published = tmp_path / "frames.jsonl", tmp_path / "rows"
    journal = Journal(path, published)
    for case in (9, 4):
        journal.add({"case": case})
    assert journal.publish() == 2
    assert journal.publish() == 0
    elsewhere = Journal(tmp_path / "other" / "frames.jsonl", published)
    assert [row["case"] for row in elsewhere.rows()] == [4, 9]
    elsewhere.add({"case": 7})
    assert elsewhere.done() == {4, 7, 9}
    assert elsewhere.publish() == 1
    assert [file.name for file in sorted(published.iterdir())] == ["00.jsonl.xz", "01.jsonl.xz"]
    assert [row["case"] for row in Journal(path, published).rows()] == [4, 9, 7]


def test_a_run_of_which_nothing_is_published_begins_with_nothing(tmp_path: Path) -> None:
    assert Journal(tmp_path / "frames.jsonl", tmp_path / "none").rows() == []
    assert Journal(tmp_path / "frames.jsonl", tmp_path / "none").publish() == 0
    assert not (tmp_path / "none").exists()
