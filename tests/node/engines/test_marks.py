# SPDX-License-Identifier: Apache-2.0
"""Marks in a package: each frame shows its own and no other, tiles are the frame's, and what else is in it stays."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from inferix.cli.main import main
from inferix.client.jobfile import JobFile
from inferix.client.marks import put_in
from inferix.models.job import RenderSettings as Ordered
from inferix.proofs.rendering import Tile
from inferix.sealing import JobKey
from node.engines import BadPackage, Choice, RenderSettings, exr
from node.engines.blender.host import BlenderEngine
from node.engines.blender.session import BlenderSession
from tests.node.engines.conftest import DEMO

pytestmark = pytest.mark.integration

SETTINGS = RenderSettings(480, 270, 4)
ORDERED = Ordered(first_frame=2, last_frame=6, width=480, height=270, samples=4)
KEY = JobKey(bytes([5]) * 32)

KEPT = """
import json, sys
import bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1], use_scripts=False, load_ui=False)
scene = bpy.context.scene
plain = lambda owner: {
    item.identifier: getattr(owner, item.identifier) for item in owner.bl_rna.properties
    if item.type in ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM") and not getattr(item, "is_array", False)
}
owners = [scene.render, scene.render.image_settings, scene.cycles, scene.view_layers[0], scene.view_layers[0].cycles]
print("kept " + json.dumps([scene.frame_current, sorted(item.name for item in scene.objects), *map(plain, owners)]))
"""


@dataclass
class Marked:
    package: Path
    job_file: JobFile
    told: list[str]


@pytest.fixture(scope="module")
def marked(blender: BlenderEngine, tmp_path_factory: pytest.TempPathFactory) -> Marked:
    home, told = tmp_path_factory.mktemp("marked"), list[str]()
    marks = put_in(blender, DEMO, home / "marked.blend", KEY, ORDERED, 2, lambda progress: told.append(progress.stage))
    job_file = JobFile(
        "demo.blend",
        KEY.hex(),
        "",
        job="ab" * 32,
        path=str(home / "jobs" / "1.json"),
        settings=ORDERED.model_dump(),
        marks=marks.model_dump(mode="json"),
    )
    job_file.save()
    return Marked(home / "marked.blend", job_file, told)


@pytest.fixture(scope="module")
def session(
    blender: BlenderEngine, marked: Marked, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BlenderSession]:
    with blender.open(marked.package, tmp_path_factory.mktemp("session")) as opened:
        yield opened


def still(session: BlenderSession, frame: int, path: Path) -> Path:
    raw = session.render(frame, 9, SETTINGS)
    path.write_bytes(session.assemble_frame(frame, raw.path).path.read_bytes())
    return path


def test_a_frame_is_traced_by_its_marks_and_no_other_picture_is(
    session: BlenderSession, demo: BlenderSession, marked: Marked, tmp_path: Path
) -> None:
    assert sorted(marked.job_file.marks["frames"]) == ["2", "6"]
    assert [text for text in marked.told if text.startswith("marks of")] == ["marks of frame 2", "marks of frame 6"]
    own = [still(session, frame, tmp_path / f"{frame}.png") for frame in (2, 6)]
    others = [still(session, 4, tmp_path / "4.png"), still(demo, 6, tmp_path / "plain.png")]
    home = str(Path(marked.job_file.path).parents[1])
    done = CliRunner().invoke(main, ["trace", "abab", *map(str, own + others), "--home", home, "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.output)
    assert [(row["frame"], row["found"]) for row in rows[:2]] == [(2, True), (6, True)]
    assert [row["found"] for row in rows[2:]] == [False, False]
    alone = CliRunner().invoke(main, ["trace", "abab", *map(str, others), "--home", home])
    assert alone.exit_code == 1
    assert alone.output.count("no frame with marks") == 2
    text = tmp_path / "no picture.png"
    text.write_text("no picture")
    mixed = CliRunner().invoke(main, ["trace", "abab", str(text), str(own[0]), "--home", home, "--json"])
    assert mixed.exit_code == 0, mixed.output
    assert [(row["found"], "not a PNG" in row.get("error", "")) for row in json.loads(mixed.output)] == [
        (False, True),
        (True, False),
    ]
    useless = CliRunner().invoke(main, ["trace", "abab", str(others[0]), str(text), "--home", home])
    assert useless.exit_code == 6
    missing = CliRunner().invoke(main, ["trace", "abab", str(tmp_path / "none.png"), "--home", home])
    assert missing.exit_code == 2


def test_tiles_of_a_marked_frame_are_the_frame_bit_for_bit(session: BlenderSession, marked: Marked) -> None:
    whole = exr.stored(exr.read_frame(session.render(6, 9, SETTINGS).path))
    places = [(x, y) for _, x, y in marked.job_file.marks["frames"]["6"]]
    tiles = [Tile(x, y, 8, 8) for x, y in places]
    for tile, pixels in zip(tiles, session.tiles(6, 9, SETTINGS, tiles), strict=True):
        assert (whole[tile.y : tile.y + 8, tile.x : tile.x + 8] == pixels).all()


def test_a_frame_without_marks_is_the_frame_that_was_packed_but_for_noise(
    session: BlenderSession, demo: BlenderSession
) -> None:
    marked, plain = (
        exr.stored(exr.read_frame(one.render(4, 9, SETTINGS).path))[..., :3].clip(0, 1) for one in (session, demo)
    )
    off = np.abs(marked - plain).max(axis=2)
    assert (off > 0.02).mean() < 0.01
    assert off.mean() < 0.002


def test_all_else_in_the_package_stays(marked: Marked) -> None:
    def kept(package: Path) -> object:
        done = subprocess.run(
            [sys.executable, "-c", KEPT, str(package)], capture_output=True, text=True, timeout=120, check=True
        )
        return json.loads(
            next(line for line in done.stdout.splitlines() if line.startswith("kept ")).removeprefix("kept ")
        )

    assert kept(marked.package) == kept(DEMO)


def test_an_eye_of_two_takes_no_marks(blender: BlenderEngine, tmp_path: Path) -> None:
    with pytest.raises(BadPackage, match="order without marks"):
        blender.mark(DEMO, tmp_path / "out.blend", {2: bytes(32)}, (64, 36), Choice(eye="left"))
    assert not (tmp_path / "out.blend").exists()
