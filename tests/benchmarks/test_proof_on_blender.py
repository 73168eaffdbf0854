# SPDX-License-Identifier: Apache-2.0
"""One frame of 64x36 through the whole path: two kernels, forgeries, votes, a row; and every scene can be built."""

from pathlib import Path

import pytest

from benchmarks.proof import costs, counts, marks, scenes, slight, tables
from benchmarks.proof.blender import Blender, Shot
from benchmarks.proof.cases import CHEAP, HONEST, Case
from benchmarks.proof.journal import Journal
from benchmarks.proof.run import RULES, Run
from inferix.errors import Unavailable
from inferix.proofs.rendering import Tile
from node.engines import RenderSettings

pytestmark = pytest.mark.integration


def test_a_case_becomes_a_row_in_which_honest_is_accepted_and_forged_is_not(tmp_path: Path) -> None:
    with Run(tmp_path / "work") as run:
        row = run.do(Case(0, 64, 36, 8), check=True)
    journal = Journal(tmp_path / "frames.jsonl")
    journal.add(row)
    rows = journal.rows()
    assert rows[0]["facts"]["another process"] == 0
    for rule in RULES:
        assert counts.found(rows, HONEST, rule).committee.count == 0
        assert counts.found(rows, CHEAP, rule).committee.count == 1
        assert counts.found(rows, "another seed", rule).committee.count == 1
    assert counts.exact_tiles(rows, HONEST).trials > 6


def test_a_case_becomes_a_row_of_the_whole_rule(tmp_path: Path) -> None:
    with Run(tmp_path / "work") as run:
        row = slight.do(run, Case(0, 64, 36, 8))
    assert [vote[0] for vote in row["votes"][HONEST][RULES[1]]] == [0] * 5
    assert row["slight"][HONEST] == 0 < row["slight"]["a quarter of every tile left out"]
    assert (row["scene"], row["rule"]) == ("interior", slight.rule().name)


def test_a_scene_is_the_same_again_and_another_variant_is_another(tmp_path: Path) -> None:
    settings = RenderSettings(32, 18, 1)
    with Blender(tmp_path / "one") as one:
        first = [one.render(Shot(name, 0, scenes.MIDDLE, 5, settings)) for name in scenes.NAMES]
        other = one.render(Shot("studio", 1, scenes.MIDDLE, 5, settings))
        again = one.render(Shot("studio", 0, scenes.MIDDLE, 5, settings))
    assert (first[-1] == again).all()
    assert (other != again).any()
    assert all(0.001 < frame[..., :3].mean() < 10 for frame in first)


def test_regression_a_tile_of_mist_has_the_bits_of_the_whole_frame(tmp_path: Path) -> None:
    shot = Shot("volume", 0, scenes.MIDDLE, 7, RenderSettings(64, 36, 4))
    with Blender(tmp_path / "one") as one:
        whole = one.render(shot)
        tile = one.render(shot, tile=Tile(16, 8, 16, 16))
        halves = [one.render(shot, subset=bound) for bound in ((0, 2), (2, 2))]
    assert (tile == whole[8:24, 16:32]).all()
    assert (halves[0] + halves[1]) / 2 == pytest.approx(whole, rel=1e-4, abs=1e-4)


def test_a_case_with_marks_becomes_a_row_of_each_kind(tmp_path: Path) -> None:
    with Blender(tmp_path / "one") as one:
        planes, baked = marks.run(Case(scenes.NAMES.index("studio"), 128, 72, 8), one, (10,))
    assert (planes["kind"], baked["kind"]) == marks.KINDS
    assert planes["tests"]["10"].keys() == baked["tests"]["10"].keys() >= {*marks.HONEST, marks.PASTED, marks.TAKEN_OUT}
    assert planes["found"]["10"] == planes["marks"]["10"] > 0
    assert baked["found"]["10"] > baked["marks"]["10"] > 0  # there are patches that nobody counts
    for row in (planes, baked):
        assert abs(row["tests"]["10"][marks.TAKEN_OUT][1]) < row["tests"]["10"][marks.HONEST[1]][1]


def test_end_to_end_a_frame_is_rendered_by_one_node_and_checked_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "FULL", RenderSettings(96, 54, 4))
    with Blender(tmp_path / "one") as one:
        found = costs.end_to_end("outdoor", one, tmp_path, 2)
    assert found["scene"] == "outdoor"
    assert found["share"] > 0
    assert len(found["rendered"]) == 3 and found["equal"] == found["rendered"] and min(found["rendered"]) >= 3
    assert "rendered in" in next(tables._end_to_end(found))
    assert not list(tables._end_to_end({})), "where it was not run, nothing is said of it"


def test_blender_says_what_it_refuses(tmp_path: Path) -> None:
    with Blender(tmp_path / "one") as one, pytest.raises(Unavailable, match="there is no scene 'moon'"):
        one.render(Shot("moon", 0, 1, 5, RenderSettings(32, 18, 1)))
