# SPDX-License-Identifier: Apache-2.0
"""What is published makes the tables of the page, without anything that was counted on this machine."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import pictures
from benchmarks.proof import counts, marks, outcome, scenes, tables
from benchmarks.proof import pictures as charts
from benchmarks.proof.__main__ import CHOSEN_ON
from benchmarks.proof.costs import SceneCost
from benchmarks.proof.journal import Row
from benchmarks.proof.run import RULES
from benchmarks.table import seconds
from devnet.processes import ROOT
from inferix.proofs.rendering import load_calibration


def test_regression_costs_that_were_published_are_in_the_tables_of_who_measured_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "OUT", tmp_path / "out")
    (tmp_path / "out").mkdir()
    published = [SceneCost(**item) for item in outcome._once(outcome.COSTS)]
    assert all(f"| {item.scene} | {seconds(item.frame)} |" in outcome.PAGE.read_text() for item in published)
    assert [item.scene for item in published] == list(scenes.NAMES)
    (tmp_path / "out" / outcome.COSTS).write_text("[]")
    assert outcome._once(outcome.COSTS) == [], "one's own go first"


def test_the_table_of_the_frames_that_thresholds_come_from_is_made_of_published_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "OUT", tmp_path)
    judged = [(size[-1], outcome.chosen(size, published=True).rows()) for size in outcome.CHOSEN_AT]
    assert [len(rows) for _, rows in judged] == [CHOSEN_ON, CHOSEN_ON]
    text = f"{outcome._BEGIN_CHOSEN}\n{tables.markdown(tables.chosen(judged))}\n{outcome._END}"
    assert text in outcome.PAGE.read_text()


def test_the_tables_of_larger_frames_with_marks_are_made_of_published_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "OUT", tmp_path)
    (folder,) = outcome.PUBLISHED.glob("full-*")
    rows = outcome.marked_frames(tmp_path / folder.name).rows()
    text = "\n".join(map(tables.markdown, marks.sheets(rows, tables.percent, tables.interval)))
    assert len(rows) == 48
    assert f"{outcome._BEGIN_MARKS}\n{text}\n{outcome._END}" in outcome.PAGE.read_text()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Those of the full run."""
    (folder,) = outcome.PUBLISHED.glob("full-*")
    return outcome.frames(tmp_path_factory.mktemp("rows") / folder.name).rows()


def test_regression_the_whole_rule_is_counted_on_all_honest_frames_that_are_published(rows: list[Row]) -> None:
    (sheet,) = tables.whole_rule(rows)
    assert tables.markdown(sheet) in outcome.PAGE.read_text()
    assert sheet.rows[-1] == ("all", "3024", "2977", "41", "5", "1", "0.0", "[0.0, 0.12]")


def test_what_a_mixed_roster_rejects_is_counted_from_what_is_published(rows: list[Row]) -> None:
    (sheet,) = tables.rosters(rows)
    assert tables.markdown(sheet) in outcome.PAGE.read_text()
    assert sheet.rows[0] == ("3 bounces of 12", "1008", "11.1", "16.6", "60.8", "88.7", "92.5")
    for name in tables.MIXED:
        ends = [counts.found(rows, name, rule).committee.rate for rule in reversed(RULES)]
        assert [counts.by_roster(rows, name, share) for share in (0, 1)] == pytest.approx(ends)


def test_what_a_vote_costs_of_each_class_is_made_of_what_is_published(rows: list[Row]) -> None:
    took = [SceneCost(**item) for item in outcome._once(outcome.COSTS)]
    sheet = tables.by_class(rows, took)
    assert tables.markdown(sheet) in outcome.PAGE.read_text()
    assert [line[0] for line in sheet.rows if line] == counts.classes(rows)


def test_regression_a_calibration_goes_on_with_no_rows_but_its_own_of_the_rule_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "OUT", tmp_path)
    size = outcome.CHOSEN_AT[0]
    assert outcome.chosen(size, published=False).rows() == []
    outcome.chosen(size, published=False).add({"case": 3})
    assert outcome.chosen(size, published=False).done() == {3}
    other = replace(load_calibration(), minimum=4)
    monkeypatch.setattr(outcome, "load_calibration", lambda: other)
    assert outcome.chosen(size, published=False).done() == set(), "another rule judged that row"


def test_regression_published_rows_of_pictures_alone_make_their_tables_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    before = outcome.PAGE.read_text()
    page.write_text(outcome.between(before, "", pictures.BEGIN))
    monkeypatch.setattr(pictures, "OUT", tmp_path)
    monkeypatch.setattr(pictures, "PAGE", page)
    assert pictures.main(["--report", "--page"]) == 0
    assert page.read_text() == before
    assert not any(tmp_path.glob("*.jsonl"))
    capsys.readouterr()
    monkeypatch.setattr(pictures, "PUBLISHED", tmp_path / "none")
    assert pictures.main(["--report", "--page"]) == 1
    assert "nothing to report" in capsys.readouterr().out
    assert page.read_text() == before


def test_pictures_that_are_published_are_counted_once_and_a_calibration_counts_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "OUT", tmp_path / "out")
    monkeypatch.setattr(pictures, "PUBLISHED", tmp_path / "rows")
    name = next(iter(pictures.chosen()))
    pictures.journal(name).add({"case": 3})
    assert pictures.main(["--publish"]) == 0
    monkeypatch.setattr(pictures, "OUT", tmp_path / "another")
    assert pictures.journal(name).done() == {3}
    assert pictures.journal(name, published=False).done() == set()


def test_regression_the_curves_show_the_weakest_class_that_is_claimed_and_none_that_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "OUT", tmp_path)
    rows = outcome.chosen(outcome.CHOSEN_AT[0], published=True).rows()
    near = next(pair for pair in load_calibration().pairs if pair.kind == "tolerance")
    weakest = min(near.forged, key=lambda item: item.at_least_ppm)
    assert weakest.name in charts._SHOWN
    assert set(charts._SHOWN) <= set(counts.counted(rows))
    assert f"{weakest.name}</text>" in charts.roc(rows)


@pytest.mark.slow  # all thresholds that were tried, of three thousand frames
@pytest.mark.timeout(1_800)
def test_regression_published_rows_alone_make_the_tables_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(outcome.PAGE.read_text())
    monkeypatch.setattr(outcome, "OUT", tmp_path)
    monkeypatch.setattr(outcome, "ROOT", tmp_path.parent)
    monkeypatch.setattr(outcome, "PAGE", page)
    (name,) = (path.name for path in outcome.PUBLISHED.glob("full-*"))
    before, drawn = page.read_text(), ROOT / "docs" / "images" / "proof"
    outcome.report(tmp_path / name, "No GPU: the NVIDIA driver is not installed", page=True)
    assert page.read_text() == before
    for chart in ("roc.svg", "share.svg", "cost.svg"):
        assert (tmp_path / chart).read_text() == (drawn / chart).read_text(), chart
