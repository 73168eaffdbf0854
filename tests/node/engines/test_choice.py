# SPDX-License-Identifier: Apache-2.0
"""Several cameras, view layers, eyes and a compositor: each is rendered as ordered, or refused by its name."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inferix.proofs.rendering import Tile
from node.engines import BadPackage, Choice, exr
from node.engines.base import FloatArray
from node.engines.blender.host import BlenderEngine
from node.engines.blender.session import BlenderSession
from node.engines.crops import read_picture
from tests.node.engines.conftest import DEMO, SMALL

pytestmark = pytest.mark.integration

MADE = """
import sys
import bpy
source, target, wanted = sys.argv[1:]
bpy.ops.wm.open_mainfile(filepath=source)
scene = bpy.context.scene
other = bpy.data.objects.new("Other.001", bpy.data.cameras.new("Other"))
other.location, other.rotation_euler = (0, 0, 9), (0, 0, 0)
scene.collection.objects.link(other)
scene.timeline_markers.new("cut", frame=2).camera = scene.camera
scene.camera.data.stereo.pivot = "CENTER"
empty = scene.view_layers.new("No.Things")
for child in empty.layer_collection.children:
    child.exclude = True
hidden = bpy.data.collections.new("all")
for item in list(scene.collection.objects):
    if item.type == "MESH":
        scene.collection.objects.unlink(item)
        hidden.objects.link(item)
scene.collection.children.link(hidden)
next(child for child in empty.layer_collection.children if child.name == "all").exclude = True
if wanted:
    tree = bpy.data.node_groups.new("finish", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    scene.compositing_node_group, scene.render.use_compositing = tree, True
    scene.view_layers[0].use_pass_z = True
    render, invert, output = (tree.nodes.new(name) for name in ("CompositorNodeRLayers", "CompositorNodeInvert", "NodeGroupOutput"))
    tree.links.new(render.outputs[wanted], invert.inputs["Color"])
    tree.links.new(invert.outputs["Color"], output.inputs["Image"])
    tree.nodes.new("CompositorNodeOutputFile")
bpy.ops.wm.save_as_mainfile(filepath=target)
"""
BOX = Tile(24, 40, 8, 8)


def made(folder: Path, compositor: str = "") -> Path:
    """The demo scene with a second camera, a second view layer without things, and a compositor over one pass."""
    path = folder / f"made{compositor}.blend"
    subprocess.run([sys.executable, "-c", MADE, str(DEMO), str(path), compositor], check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("several"))


def rendered(session: BlenderSession) -> FloatArray:
    """A frame, of which a tile by itself has the same bits."""
    passes = exr.read_frame(session.render(3, 42, SMALL).path)
    (tile,) = session.tiles(3, 42, SMALL, [BOX])
    assert tile.tobytes() == exr.crop(exr.stored(passes), BOX).tobytes()
    return passes.combined


def test_a_camera_a_layer_and_an_eye_are_rendered_as_ordered(
    blender: BlenderEngine, several: Path, tmp_path: Path
) -> None:
    frames = {}
    choices = (Choice(), Choice(camera="Other.001"), Choice(layer="No.Things"), Choice(eye="left"), Choice(eye="right"))
    for choice in choices:
        with blender.open(several, tmp_path / "work", None, choice) as session:
            frames[choice] = rendered(session)
    assert len({frame.tobytes() for frame in frames.values()}) == len(choices)
    assert frames[Choice(layer="No.Things")].std() < frames[Choice()].std()
    shift = np.abs(frames[Choice(eye="left")] - frames[Choice(eye="right")]).mean()
    assert shift < np.abs(frames[Choice()] - frames[Choice(camera="Other.001")]).mean()


def test_an_eye_is_assembled_and_rendered_again(blender: BlenderEngine, several: Path, tmp_path: Path) -> None:
    with blender.open(several, tmp_path / "work", None, Choice(eye="right")) as session:
        first = session.render(3, 42, SMALL)
        kept = tmp_path / "kept.exr"
        kept.write_bytes(first.path.read_bytes())
        still = session.assemble_frame(3, kept)
        assert read_picture(still.path, tmp_path / "reading").shape[:2] == (SMALL.height, SMALL.width)
        assert session.render(3, 42, SMALL).pixels_sha256 == first.pixels_sha256


def test_what_is_left_out_is_said_and_what_is_not_there_is_refused(blender: BlenderEngine, several: Path) -> None:
    assert [problem.code for problem in blender.inspect(several).problems] == ["view_layers"]
    assert blender.inspect(several, None, Choice(layer="No.Things")).problems == ()
    (camera,) = blender.inspect(several, None, Choice(camera="Nobody", layer="No.Things")).problems
    assert (camera.code, camera.severity) == ("no_camera", "error")
    assert "no camera Nobody: choose one of its own (Camera, Other.001)" in camera.message
    (layer,) = blender.inspect(several, None, Choice(layer="Nothing")).problems
    assert (layer.code, layer.severity) == ("view_layers", "error")


def test_nothing_is_rendered_of_a_camera_that_is_not_there(
    blender: BlenderEngine, several: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadPackage, match="no camera Nobody"):
        blender.open(several, tmp_path / "work", None, Choice(camera="Nobody"))


def test_the_scenes_compositor_is_applied_and_writes_no_file(blender: BlenderEngine, tmp_path: Path) -> None:
    assert not [item for item in blender.inspect(made(tmp_path, "Image")).problems if item.code == "compositor"]
    means = []
    for compositor in ("", "Image"):
        with blender.open(made(tmp_path, compositor), tmp_path / "work", None, Choice()) as session:
            raw = session.render(3, 42, SMALL)
            still = session.assemble_frame(3, raw.path)
            means.append(read_picture(still.path, tmp_path / "reading")[..., :3].mean())
            assert session.render(3, 42, SMALL).pixels_sha256 == raw.pixels_sha256
    plain, inverted = means
    assert abs(plain - inverted) > 20


def test_a_compositor_that_wants_another_pass_is_not_applied_and_that_is_said(
    blender: BlenderEngine, tmp_path: Path
) -> None:
    path = made(tmp_path, "Depth")
    (problem,) = [item for item in blender.inspect(path).problems if item.code == "compositor"]
    assert (problem.severity, "the pass Depth" in problem.message) == ("warning", True)
    with blender.open(path, tmp_path / "work", None, Choice()) as session:
        still = session.assemble_frame(3, session.render(3, 42, SMALL).path)
        assert read_picture(still.path, tmp_path / "reading").shape[:2] == (SMALL.height, SMALL.width)
