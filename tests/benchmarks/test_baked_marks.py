# SPDX-License-Identifier: Apache-2.0
"""Marks baked into surfaces: seen by whoever has the key, gone without a trace, and only where a surface carries them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.proof import marks, scenes
from benchmarks.proof.blender import Blender, Shot
from devnet.processes import ROOT
from inferix.proofs.pictures import load_pictures
from inferix.proofs.rendering.angv import angv_key, luma, matched
from node.engines import RenderSettings

pytestmark = pytest.mark.integration

THRESHOLD = load_pictures().keys.threshold
KEY, OTHER = (angv_key(bytes([number]) * 32, bytes(32), scenes.MIDDLE) for number in (1, 2))

# A wall of coloured squares, of which no two are alike; what else is done to it is up to the test.
SCENE = """
import json, sys
import bpy, numpy as np
from benchmarks.proof.scenes.kit import Kit
from node.engines.blender.inside import raw
from node.engines.blender.inside.marks import bake

SIZE = {"width": 192, "height": 108, "samples": 8, "device": "cpu"}

def render():
    raw.configure(kit.scene, SIZE, 1)
    return raw.render(kit.scene, 2, 7, None, lambda *_: None).passes.combined[..., :3]

def images():
    return [image for image in bpy.data.images if image.type != "RENDER_RESULT"]

kit = Kit("wall", 1, 3)
kit.world((1, 1, 1), (1, 1, 1), 0.6)
paint = kit.material((0.4, 0.4, 0.4), 0.9)
tree = paint.node_tree
squares = tree.nodes.new("ShaderNodeTexVoronoi")
squares.inputs["Scale"].default_value = 6
dull = tree.nodes.new("ShaderNodeVectorMath")
dull.operation = "MULTIPLY"
dull.inputs[1].default_value = (0.5, 0.5, 0.5)
tree.links.new(squares.outputs["Color"], dull.inputs[0])
tree.links.new(dull.outputs[0], tree.nodes["Principled BSDF"].inputs["Base Color"])
wall = kit.put("plane", (0, 0, 0), (6, 4, 1), paint, (90, 0, 0))
kit.put("plane", (0, 9, 0), 1, paint, (90, 0, 0))
kit.camera((0, -5, 0.5), (0.4, -5, 0.5), (0, 0, 0), 50)
CHANGE
before, objects, mesh = render(), len(kit.scene.objects), wall.data
baked = bake.embed(kit.scene, 2, bytes([3]) * 32, 192, 108, count=4, target=10.0, threads=1)
boxes = [[box.x, box.y, box.width, box.height, mark.sign] for mark, box, _ in baked.placed]
marked, added, own = render(), len(kit.scene.objects) - objects, wall.data != mesh
painted = len(images())
patches = baked.remove()
left = [len(owner) for owner in (images(), bpy.data.materials, bpy.data.meshes)]
np.savez("pictures.npz", before=before, marked=marked, after=render())
print("found " + json.dumps({
    "boxes": boxes, "added": added, "own": own, "patches": patches, "painted": painted,
    "left": left, "back": wall.data == mesh, "shared": mesh.users}))
"""

# What a surface's own colour is taken for, by what else its scene has.
COLOUR = """
import json
import bpy
from benchmarks.proof.scenes.kit import Kit
from inferix.proofs.rendering.angv import Box
from node.engines.blender.inside import raw
from node.engines.blender.inside.marks import bake, view
from node.engines.blender.inside.marks.surfaces import Surface

kit = Kit("wall", 1, 3)
paint = kit.material((0.4, 0.4, 0.4), 0.9)
tree = paint.node_tree
colour = tree.nodes.new("ShaderNodeRGB")
colour.outputs[0].default_value = (0.2, 0.3, 0.9, 1)
tree.links.new(colour.outputs[0], tree.nodes["Principled BSDF"].inputs["Base Color"])
wall = kit.put("plane", (0, 0, 0), (6, 4, 1), paint, (90, 0, 0))
kit.camera((0, -5, 0.5), (0.4, -5, 0.5), (0, 0, 0), 50)
scene, layer = kit.scene, kit.scene.view_layers[0]
scene.world = None
mist = bpy.data.worlds.new("mist")
mist.use_nodes = True
volume = mist.node_tree.nodes.new("ShaderNodeVolumeAbsorption")
mist.node_tree.links.new(volume.outputs[0], mist.node_tree.get_output_node("CYCLES").inputs["Volume"])
raw.configure(scene, {"width": 192, "height": 108, "samples": 4, "device": "cpu"}, 1)
scene.frame_set(2)
camera, found = view.camera_of(scene, 192, 108), {}
for owner, name, value in (
    (scene.cycles, "film_exposure", 4.0), (scene.cycles, "sample_clamp_direct", 0.1), (layer, "world_override", mist)
):
    plain = getattr(owner, name)
    setattr(owner, name, value)
    given = getattr(owner, name)
    pixels = bake._rendered_colour(scene, camera, Surface(wall, 0, 4, 6), Box(90, 50, 4, 4))
    found[name] = (pixels.mean(axis=(0, 1)).tolist(), getattr(owner, name) == given)
    setattr(owner, name, plain)
print("found " + json.dumps(found))
"""


def on_wall(folder: Path, change: str = "") -> dict[str, Any]:
    return in_blender(SCENE.replace("CHANGE", change), folder)


def in_blender(script: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300,
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    found = [line for line in done.stdout.splitlines() if line.startswith("found ")]
    assert found, done.stderr
    return dict(json.loads(found[0].removeprefix("found ")))


def test_a_frame_of_a_scene_with_baked_marks_shows_them_to_their_key_alone(tmp_path: Path) -> None:
    shot = Shot("studio", 0, scenes.MIDDLE, 7, RenderSettings(384, 216, 8))

    def score(placed: marks.Placed) -> float:
        return matched(luma(marks.eight_bits(one.render(shot))), placed)

    with Blender(tmp_path / "one") as one:
        before = one.render(shot)
        others = one.mark("baked", shot, OTHER, 10.0)
        one.unmark()
        placed = one.mark("baked", shot, KEY, 10.0)
        assert len(placed) == len(others) == 12
        assert score(placed) > THRESHOLD > score(others)
        assert one.take_out("baked") == 24  # marks, and as many that nobody counts
        assert score(placed) < THRESHOLD
        one.unmark()
        assert (one.render(shot) == before).all()


def test_planes_are_taken_out_by_their_shape_and_nothing_else_is(tmp_path: Path) -> None:
    shot = Shot("studio", 0, scenes.MIDDLE, 7, RenderSettings(96, 54, 1))
    with Blender(tmp_path / "one") as one:
        before = one.render(shot)
        placed = one.mark("planes", shot, KEY, 10.0)
        assert (one.render(shot) != before).any()
        assert one.take_out("planes") == len(placed) > 0
        assert (one.render(shot) == before).all()


def test_marks_change_the_colour_of_a_surface_and_leave_no_trace_once_they_are_out(tmp_path: Path) -> None:
    found = on_wall(tmp_path)
    pictures = np.load(tmp_path / "pictures.npz")
    before, marked = (luma(marks.eight_bits(pictures[name])) for name in ("before", "marked"))
    assert (found["added"], found["own"], found["back"], found["shared"]) == (0, True, True, 2)
    assert found["patches"] == found["painted"] == 8
    assert found["left"] == [0, 1, 1]
    assert (pictures["after"] == pictures["before"]).all()
    assert len(found["boxes"]) == 4
    for x, y, width, height, sign in found["boxes"]:
        change = (marked - before)[y : y + height, x : x + width]
        assert 5 < sign * change.mean() < 30
        ring = np.abs(marked - before)[y - height : y + 2 * height, x - width : x + 2 * width]
        assert (
            np.median(np.concatenate([ring[: height - 2], ring[2 * height + 2 :]])) < 2
        )  # the squares are still there


def test_regression_a_surfaces_own_colour_is_no_matter_of_its_scenes_film_and_mist(tmp_path: Path) -> None:
    """Patches were four times as bright as their surface where the film's exposure is 4."""
    found = in_blender(COLOUR, tmp_path)
    assert found.keys() == {"film_exposure", "sample_clamp_direct", "world_override"}
    for name, (colour, is_put_back) in found.items():
        assert (name, colour, is_put_back) == (name, pytest.approx([0.2, 0.3, 0.9], abs=0.002), True)


@pytest.mark.parametrize(
    "change",
    [
        "kit.move(wall, (0.1, 0, 0))",
        "wall.modifiers.new('waves', 'WAVE')",
        "tree.links.new(tree.nodes.new('ShaderNodeMixShader').outputs[0], tree.nodes['Material Output'].inputs[0])",
        "tree.nodes['Principled BSDF'].inputs['Metallic'].default_value = 1",
    ],
    ids=["it moves", "it is deformed", "its shader is unknown", "its colour gives no diffuse light"],
)
def test_a_surface_that_cannot_carry_a_mark_gets_none(tmp_path: Path, change: str) -> None:
    found = on_wall(tmp_path, change)
    assert (found["boxes"], found["patches"], found["own"], found["added"]) == ([], 0, False, 0)
