# SPDX-License-Identifier: Apache-2.0
"""What is published makes the tables of the page, without anything that was counted on this machine."""

from pathlib import Path

import pytest

from benchmarks.proof import outcome, scenes
from benchmarks.proof.costs import SceneCost
from benchmarks.table import seconds


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
    before = page.read_text()
    outcome.report(tmp_path / name, "No GPU: the NVIDIA driver is not installed", page=True)
    assert page.read_text() == before
