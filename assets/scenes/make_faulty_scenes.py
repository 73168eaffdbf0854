# SPDX-License-Identifier: Apache-2.0
"""Builds scenes that pre-flight has to refuse, each for one reason that its file name says.

Run it with the project's Python: ``python assets/scenes/make_faulty_scenes.py``.
"""

from pathlib import Path
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
from make_demo_scene import diffuse, empty_scene, finish, save, sun
from make_unit_scene import camera

FOLDER: Final = Path(__file__).parent


def main() -> None:
    """Build the scenes and save them beside this script."""
    table("Missing texture")
    plank_texture()
    save(FOLDER / "missing_texture.blend")
    scripted(table("Scripts"))
    save(FOLDER / "scripts.blend")
    table("No camera").camera = None
    save(FOLDER / "no_camera.blend")


def table(name: str) -> Any:
    """A ball on a board in the sun, 4 frames."""
    scene = empty_scene(name)
    scene.frame_start, scene.frame_end = 1, 4
    scene.cycles.samples = 16
    bpy.ops.mesh.primitive_plane_add(size=8)
    finish("Board", diffuse("Oak", (0.42, 0.26, 0.13)))
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.8, location=(0, 0, 0.8))
    finish("Ball", diffuse("Ivory", (0.80, 0.74, 0.62), gloss=0.4))
    sun(rotation=(48, 0, 30), strength=3.0)
    camera(scene)
    return scene


def plank_texture() -> None:
    """The board's colour comes from a file that does not exist."""
    tree = bpy.data.materials["Oak"].node_tree
    image = bpy.data.images.new("oak_planks.png", 8, 8)
    image.source, image.filepath = "FILE", "//textures/oak_planks.png"
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    shader = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeBsdfDiffuse")
    tree.links.new(texture.outputs["Color"], shader.inputs["Color"])


def scripted(scene: Any) -> None:
    """A text that wants to run on load, a driver that needs Python, and one that does not."""
    text = bpy.data.texts.new("on_load.py")
    text.write("import pathlib\n\npathlib.Path('it-ran').write_text('a script of the scene ran')\n")
    text.use_module = True
    for axis, expression in ((0, "len([1, 2]) + frame"), (1, "frame * 0.1")):
        driver = bpy.data.objects["Ball"].driver_add("location", axis)
        driver.driver.expression = expression
    scene.frame_set(1)


if __name__ == "__main__":
    main()
