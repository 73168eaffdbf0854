# SPDX-License-Identifier: Apache-2.0
"""What Blender finds in a client's scene before anything leaves the machine: each fault is named, with its cure."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inferix.client.preflight import SceneRefused, prepare
from inferix.models.job import RenderSettings
from node.engines import EngineSettings
from node.engines.blender.host import BlenderEngine

pytestmark = pytest.mark.integration
SCENES = Path(__file__).parents[2] / "assets" / "scenes"
LINKED = """
import sys
import bpy
shelf, scene = sys.argv[1:]
bpy.ops.wm.open_mainfile(filepath=scene)
bpy.ops.wm.save_as_mainfile(filepath=shelf)
bpy.ops.wm.open_mainfile(filepath=scene)
with bpy.data.libraries.load(shelf, link=True, relative=True) as (there, here):
    here.objects = ["Ball"]
bpy.context.scene.collection.objects.link(here.objects[0])
bpy.ops.wm.save_mainfile()
"""


@pytest.fixture(scope="module")
def blender() -> BlenderEngine:
    return BlenderEngine(EngineSettings(threads=2))


def check(blender: BlenderEngine, scene: Path, folder: Path, last: int = 4, width: int = 64) -> Path:
    packed = folder / "packed.blend"
    asked = {"first_frame": 1, "last_frame": last, "width": width, "height": 48, "camera": "", "layer": "", "eye": ""}
    prepare(blender, scene, packed, RenderSettings.model_construct(**asked))  # unchecked, as absurd ones are tried too
    return packed


def copied(name: str, size: int = -1) -> Callable[[Path], Path]:
    """A scene of the project, or its first ``size`` bytes, in a folder of its own."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes((SCENES / name).read_bytes()[: size if size >= 0 else None])
        return path

    return make


def picture(folder: Path) -> Path:
    path = folder / "scene.blend"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    return path


def linked(folder: Path) -> Path:
    """A scene whose ball is linked from a file that is not there any more."""
    scene = copied("no_camera.blend")(folder)
    shelf = folder / "shelf.blend"
    made = subprocess.run(
        [sys.executable, "-c", LINKED, str(shelf), str(scene)], capture_output=True, text=True, timeout=120
    )
    assert made.returncode == 0, made.stderr
    shelf.unlink()
    return scene


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (picture, "is not a .blend file (it begins with b'\\x89PNG"),
        (copied("demo.blend", 30_000), "it is cut off or damaged: save it again"),
        (copied("missing_texture.blend"), "textures/oak_planks.png is not in the package: pack it"),
        (copied("scripts.blend"), "text on_load.py is marked Register, to run on load: scripts never run here; bake"),
        (copied("scripts.blend"), "the driver of Ball: location needs Python ('len([1, 2]) + frame'): bake it"),
        (copied("no_camera.blend"), "has no active camera: choose one (Scene properties > Camera)"),
        (linked, "shelf.blend is not in the package: make its data local, or pack it"),
    ],
    ids=["no blend", "truncated", "texture", "script", "driver", "camera", "library"],
)
def test_a_scene_that_cannot_be_rendered_is_refused_with_what_to_do(
    blender: BlenderEngine, tmp_path: Path, make: Callable[[Path], Path], says: str
) -> None:
    scene = make(tmp_path)
    before = scene.read_bytes()
    with pytest.raises(SceneRefused) as caught:
        check(blender, scene, tmp_path)
    assert str(caught.value).startswith(f"{scene} cannot be rendered")
    assert says in str(caught.value)
    assert scene.read_bytes() == before


def test_frames_and_pixels_that_the_scene_does_not_have(blender: BlenderEngine, tmp_path: Path) -> None:
    scene = copied("demo.blend")(tmp_path)
    with pytest.raises(SceneRefused, match="frames 1-25 are not within the scene's 1-24: ask for some of these"):
        check(blender, scene, tmp_path, last=25)
    with pytest.raises(SceneRefused, match="0x48 pixels: each side has to be within 4 and 16384"):
        check(blender, scene, tmp_path, width=0)


def test_a_good_scene_is_packed_whole(blender: BlenderEngine, tmp_path: Path) -> None:
    packed = check(blender, copied("demo.blend")(tmp_path), tmp_path, last=24)
    assert blender.inspect(packed).ok


def test_no_file_is_no_scene(blender: BlenderEngine, tmp_path: Path) -> None:
    with pytest.raises(SceneRefused, match="absent.blend: no such file"):
        check(blender, tmp_path / "absent.blend", tmp_path)
