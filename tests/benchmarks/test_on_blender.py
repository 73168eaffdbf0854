# SPDX-License-Identifier: Apache-2.0
"""Plain Blender and the check of a frame, as the benchmarks measure them, small."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import baseline, verifying
from benchmarks.plain import ENCODED, LOADED
from devnet.processes import ROOT
from inferix.errors import Corrupt, Unavailable
from node.engines import EngineSettings, RenderSettings, load_engine

pytestmark = pytest.mark.integration

SCENE = ROOT / "assets" / "scenes" / "demo.blend"
SIZE = RenderSettings(96, 54, 2)


def order(**changes: Any) -> dict[str, Any]:
    size = {"width": SIZE.width, "height": SIZE.height, "samples": SIZE.samples}
    return {**size, "scene": str(SCENE), "threads": 2, "fps": 24.0, "seeds": [(3, 7), (4, 8)], **changes}


def test_plain_blender_renders_the_order_and_says_what_each_step_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = baseline.render(order(), tmp_path / "plain")
    assert [step["step"] for step in plain.steps] == [LOADED, "frame 3", "frame 4", ENCODED]
    assert sum(step["seconds"] for step in plain.steps) <= plain.seconds
    assert sum(step["core_seconds"] for step in plain.steps) <= plain.core_seconds
    assert plain.frame_seconds > 0 and plain.encode_seconds > 0
    assert plain.others >= 0
    assert "plain Blender: frame 4 in" in capsys.readouterr().out
    stills = sorted((tmp_path / "plain/frames").glob("*.png"))
    assert [still.name for still in stills] == ["0003.png", "0004.png"]
    assert (tmp_path / "plain/film.mp4").stat().st_size > 0
    assert baseline.difference(stills, stills, tmp_path / "compared") == 0
    assert baseline.difference(stills, stills[::-1], tmp_path / "compared") > 0
    with pytest.raises(Corrupt, match="1 stills are not the 2"):
        baseline.difference(stills[:1], stills, tmp_path / "compared")


def test_seeds_decide_the_noise(tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    for folder, seed in ((first, 7), (again, 7), (other, 8)):
        baseline.render(order(seeds=[(3, seed)]), folder)
    stills = [[folder / "frames/0003.png"] for folder in (first, again, other)]
    assert baseline.difference(stills[0], stills[1], tmp_path / "same") == 0
    assert baseline.difference(stills[0], stills[2], tmp_path / "other") > 0


def test_a_scene_that_is_not_there_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="plain Blender ended with 1"):
        baseline.render(order(scene=str(tmp_path / "none.blend")), tmp_path / "plain")


def test_a_check_is_measured_step_by_step(tmp_path: Path) -> None:
    engine = load_engine("blender", EngineSettings(threads=2))
    found = verifying.check(engine, SCENE, SIZE, tmp_path, renders=2, checks=1)
    assert [len(took.seconds) for took in (found.open, found.render, found.read, found.tiles)] == [1, 2, 1, 1]
    assert found.equal == found.rendered
    assert 0 < found.tiles.core < found.tiles.wall * 3
    assert found.core > 0


def test_a_frame_of_another_seed_is_no_figure(tmp_path: Path) -> None:
    engine = load_engine("blender", EngineSettings(threads=2))
    with engine.open(SCENE, tmp_path / "worker") as worker, engine.open(SCENE, tmp_path / "verifier") as verifier:
        raw = worker.render(verifying.FRAME, verifying.SEED + 1, SIZE)
        with pytest.raises(Corrupt, match="an honest frame is rejected"):
            verifying._check_once(verifying.Checked(SIZE), verifier, raw, 1)
