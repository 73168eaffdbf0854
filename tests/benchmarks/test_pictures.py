# SPDX-License-Identifier: Apache-2.0
"""Keys over unmarked frames and finished pictures redone: what is counted, and the thresholds that follow."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import finished, keys, pictures
from benchmarks.proof import outcome, scenes
from benchmarks.proof.blender import Blender
from benchmarks.proof.cases import Case
from benchmarks.proof.journal import Journal
from inferix.proofs.pictures import load_pictures, read_pictures

STUDIO = Case(scenes.NAMES.index("studio"), 96, 54, 8)


def scored(number: int, above: dict[int, int], tried: int = 50_000) -> dict[str, Any]:
    """A row; ``above``: keys that score at most this much, in thousandths, and how many."""
    counts = [sum(count for score, count in above.items() if score > at) for at in keys.GRID]
    row = {"case": number, "scene": scenes.NAMES[number % 9], "keys": tried, "above": counts}
    return {**row, "published": 1, "deviation": 1.0 + number / 100}


def redone(number: int, **shares: int) -> dict[str, Any]:
    names = dict.fromkeys((*finished.CLAIMED, *finished.OTHERS), 500000)
    return {"case": number, "scene": "studio", "levels": 2, "shares": {finished.HONEST: 0, **names, **shares}}


def test_the_threshold_follows_from_all_keys_together() -> None:
    rows = [scored(0, {2_100: 900, 4_100: 2}), scored(1, {2_100: 800, 4_600: 2})]
    assert keys.calibrate(rows).threshold == 4.25  # two of 100,000 above it are at most 73 ppm, four 103
    assert keys.calibrate([scored(0, {2_100: 900, 4_100: 2})]).keys == 50_000
    with pytest.raises(ValueError, match="too few"):
        keys.calibrate([scored(0, {}, 20_000)])


def test_the_table_of_keys_has_a_line_for_each_scene_and_the_ends_of_intervals() -> None:
    threshold = round(load_pictures().keys.threshold * 1_000)
    rows = [scored(0, {threshold + 1: 3}), scored(9, {}), scored(1, {})]
    table = keys.sheet(rows)
    assert [row[:4] for row in table.rows if row] == [
        ("interior", "2", "100,000", "30"),
        ("outdoor", "1", "50,000", "0"),
        ("all", "3", "150,000", "20"),
    ]
    assert table.rows[0][4:] == ("[6, 88]", "20", "[2, 73]", "1.09")


def test_a_class_that_differs_too_seldom_makes_no_threshold() -> None:
    rows = [redone(number) for number in range(18)]
    found = finished.calibrate(rows)
    assert (found.honest.failed, found.forged[0].failed, found.tolerance) == (0, 18, finished.TOLERANCE)
    weak = [redone(number, **{finished.CLAIMED[0]: 10_000}) for number in range(18)]
    with pytest.raises(ValueError, match="that is no test"):
        finished.calibrate(weak)
    assert any(row[:3] == (finished.CLAIMED[0], "18", "0") for row in finished.sheet(weak).rows)


def test_thresholds_are_written_once_all_frames_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("OUT", tmp_path), ("THRESHOLDS", tmp_path / "pictures.json"), ("ROOT", tmp_path)):
        monkeypatch.setattr(pictures, name, value)
    of_keys, of_pictures = (Journal(tmp_path / name) for name in pictures.chosen())
    for number in range(pictures.CHOSEN):
        of_keys.add(scored(number, {2_100: 900, 4_100: 2}))
        if number:
            of_pictures.add(redone(number))
    assert pictures.main(["--calibrate", "--shard", "1/99"]) == 0
    assert "the last one to end writes" in capsys.readouterr().out
    assert not pictures.THRESHOLDS.exists()
    of_pictures.add(redone(0))
    assert pictures.main(["--calibrate"]) == 0
    written = read_pictures(pictures.THRESHOLDS)
    assert (written.keys.keys, written.redone.honest.tiles) == (18 * 50_000, 18)
    assert written.source.startswith("make calibration: 18 frames of 9 scenes at 256x144, 8 samples")


def test_tables_go_between_their_own_marks_of_the_page() -> None:
    page = outcome.PAGE.read_text()
    changed = outcome.between(page, "new\n", pictures.BEGIN)
    assert f"{pictures.BEGIN}\nnew\n<!-- end of tables -->" in changed
    assert changed.count("<!-- end of tables -->") == page.count("<!-- end of tables -->") == 4
    before = page.partition(pictures.BEGIN)[0]
    assert changed.startswith(before) and outcome.between(page, "new\n").endswith(
        page.rpartition("<!-- end of tables")[2]
    )


@pytest.mark.integration
def test_a_frame_becomes_a_row_of_keys_and_one_of_finished_pictures(tmp_path: Path) -> None:
    with Blender(tmp_path / "one") as one, Blender(tmp_path / "other", threads=2) as other:
        row = keys.run(STUDIO, one, 40)
        assert row == keys.run(STUDIO, one, 40)
        shares = finished.run(STUDIO, one, other)
    assert row["keys"] == 40 and row["above"] == sorted(row["above"], reverse=True) and 0.3 < row["deviation"] < 3
    assert (shares["levels"], shares["shares"][finished.HONEST]) == (0, 0)
    assert min(shares["shares"][name] for name in finished.CLAIMED) > finished.TOLERANCE.max_share_ppm
