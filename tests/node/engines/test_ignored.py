# SPDX-License-Identifier: Apache-2.0
"""What a scene sets and the network does not apply is said; libraries come along; scripts in shaders do not."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from node.engines import Problem, SceneReport, exr
from node.engines.blender.host import BlenderEngine
from tests.node.engines.conftest import DEMO, SMALL

pytestmark = pytest.mark.integration

START = """
import sys
import bpy
source, target = sys.argv[1:]
bpy.ops.wm.open_mainfile(filepath=source)
scene = bpy.context.scene
cycles, render, layer = scene.cycles, scene.render, scene.view_layers[0]
"""
SAVE = """
bpy.ops.wm.save_as_mainfile(filepath=target, relative_remap=False)
"""
SCRIPT = """
tree = next(material.node_tree for material in bpy.data.materials if material.node_tree)
tree.nodes.new("ShaderNodeScript").name = "Rust"
"""
LENS = """
scene.camera.data.type = "CUSTOM"
"""
MIST = """
tree = scene.world.node_tree
output = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeOutputWorld")
tree.links.new(tree.nodes.new("ShaderNodeVolumeScatter").outputs[0], output.inputs["Volume"])
"""
STRIPS = """
scene.sequence_editor_create().strips.new_effect("Black", "COLOR", channel=1, frame_start=1, length=4)
"""


def made(target: Path, change: str, source: Path = DEMO) -> Path:
    """The demo scene, changed."""
    arguments = [sys.executable, "-c", START + change + SAVE, str(source), str(target)]
    subprocess.run(arguments, check=True, capture_output=True)
    return target


def only(report: SceneReport) -> Problem:
    (problem,) = report.problems
    return problem


@pytest.mark.parametrize(
    ("code", "change", "says"),
    [
        ("sequencer", STRIPS, "the scene's camera is rendered"),
        ("scenes", "bpy.data.scenes.new('Other')", "only the scene"),
        ("freestyle", "render.use_freestyle = True", "lines are not drawn"),
        ("stamp", "render.use_stamp = True", "nothing is burned into the pictures"),
        ("border", "render.use_border, render.border_max_x = True, 0.5", "the whole frame is rendered"),
        ("denoising", "cycles.use_denoising = False", "fetch --raw"),
        ("adaptive_sampling", "cycles.use_adaptive_sampling = True", "every pixel gets all the samples"),
        ("path_guiding", "cycles.use_guiding = True", "more noise"),
        ("volumes", MIST, "rendered biased"),
        ("sampling_pattern", "cycles.sampling_pattern = 'BLUE_NOISE'", "Tabulated Sobol"),
        ("scrambling", "cycles.auto_scrambling_distance = True", "it is 1"),
        ("layer_samples", "layer.samples = 7", "the 7 samples of the view layer"),
        ("sample_subset", "cycles.use_sample_subset = True", "all the samples that are ordered"),
        ("time_limit", "cycles.time_limit = 30", "the time limit of 30 s"),
    ],
)
def test_what_is_not_applied_is_said_in_one_sentence(
    blender: BlenderEngine, tmp_path: Path, code: str, change: str, says: str
) -> None:
    report = blender.inspect(made(tmp_path / "scene.blend", change))
    problem = only(report)
    assert (problem.code, problem.severity) == (code, "warning") and report.ok
    assert says in problem.message


@pytest.mark.parametrize(
    "change",
    [
        MIST + "cycles.volume_biased = True",
        "cycles.sampling_pattern = 'AUTOMATIC'",
        "layer.samples, cycles.use_layer_samples = 7, 'IGNORE'",
        "scene.sequence_editor_create()",
    ],
)
def test_what_changes_nothing_is_not_said(blender: BlenderEngine, tmp_path: Path, change: str) -> None:
    assert blender.inspect(made(tmp_path / "scene.blend", change)).problems == ()


def test_what_is_not_applied_is_not_applied_and_still_said_after_a_frame(
    blender: BlenderEngine, tmp_path: Path
) -> None:
    change = (
        "render.use_border, render.border_max_x = True, 0.5\ncycles.use_adaptive_sampling = True\nlayer.samples = 1"
    )
    frames = []
    for scene in (DEMO, made(tmp_path / "scene.blend", change)):
        with blender.open(scene, tmp_path / "work") as session:
            before = session.inspect().problems
            frames.append(session.render(3, 42, SMALL).pixels_sha256)
            assert session.inspect().problems == before
    assert frames[0] == frames[1]
    assert [problem.code for problem in before] == ["border", "adaptive_sampling", "layer_samples"]


@pytest.mark.parametrize("relative", [True, False])
def test_a_linked_library_is_packed_and_renders_without_the_shelf_that_it_came_from(
    blender: BlenderEngine, tmp_path: Path, relative: bool
) -> None:
    shelf = made(tmp_path / "shelf.blend", "bpy.ops.mesh.primitive_cube_add(size=3)\nbpy.context.object.name = 'Crate'")
    link = f"""
bpy.ops.wm.save_as_mainfile(filepath=target)
with bpy.data.libraries.load({str(shelf)!r}, link=True, relative={relative}) as (there, here):
    here.objects = ["Crate"]
crate = bpy.data.objects["Crate"]
assert crate.library is not None
scene.collection.objects.link(crate)
"""
    scene, packed = made(tmp_path / "scene.blend", link), tmp_path / "packed.blend"
    assert blender.pack(scene, packed).problems == ()
    shelf.unlink()
    missing = blender.inspect(scene)
    assert only(missing).code == "library" and "shelf.blend" in only(missing).message
    scene.unlink()
    pictures = []
    for package in (DEMO, packed):
        with blender.open(package, tmp_path / "work") as session:
            pictures.append(exr.read_frame(session.render(3, 42, SMALL).path).combined)
    assert np.abs(pictures[0] - pictures[1]).mean() > 0.01, "the crate is in the picture"


@pytest.mark.parametrize(("change", "name"), [(SCRIPT, "Rust"), (LENS, "Camera")])
def test_a_script_in_a_shader_or_a_lens_is_refused(
    blender: BlenderEngine, tmp_path: Path, change: str, name: str
) -> None:
    report = blender.inspect(made(tmp_path / "scene.blend", change))
    problem = only(report)
    assert (problem.code, problem.severity, problem.name) == ("scripts", "error", name) and not report.ok
    assert "(OSL)" in problem.message
