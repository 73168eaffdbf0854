# SPDX-License-Identifier: Apache-2.0
"""Puts the marks of `inferix.proofs.rendering.angv` into a Blender scene that is open in this process, and out again.

Each mark is a rectangle that faces the camera, a little nearer than what is there, seen by the camera alone: it adds
light, or takes some, by a wave. It is how ANGV was published, and what is wrong with it: whoever has the scene finds
every rectangle by its shape. Hence this lies with the benchmarks; the node bakes them
(node/engines/blender/inside/marks).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np

from inferix.proofs.rendering import FloatArray
from inferix.proofs.rendering.angv import Mark, Preview, contrast_levels, corners, draw_marks, place, wave
from node.engines.blender.inside.marks.surfaces import colour_of
from node.engines.blender.inside.marks.view import Placed, camera_of, encoded, linear, preview_from, small_render

_NAME: Final = "mark"
_RAYS: Final = ("diffuse", "glossy", "transmission", "volume_scatter", "shadow")


class Marks(Protocol):
    """A key's marks in a scene, of either kind."""

    placed: Placed

    def remove(self) -> int:
        """Make the scene what it was; how much was taken out."""
        ...


@dataclass
class Planes:
    """Marks as rectangles. Each says in the scene that it is one."""

    placed: Placed
    scene: Any

    def remove(self) -> int:
        """Take every rectangle out; how many there were."""
        found = [item for item in self.scene.objects if item.get(_NAME)]
        for item in found:
            mesh, material = item.data, item.data.materials[0]
            image = next(node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE")
            bpy.data.objects.remove(item)
            bpy.data.meshes.remove(mesh)
            bpy.data.materials.remove(material)
            bpy.data.images.remove(image)
        return len(found)


def preview_of(scene: Any, frame: int, width: int, height: int, threads: int) -> Preview:
    """Depth and light of a frame at a quarter of its size and four samples."""
    return preview_from(small_render(scene, frame, width, height, threads))


def embed(
    scene: Any,
    frame: int,
    key: bytes,
    width: int,
    height: int,
    *,
    count: int,
    target: float,
    threads: int = 0,
) -> Planes:
    """Preview, place and insert the marks of a key for one frame.

    ``target``: error of each mark before the pixel filter, in levels of 255 (`contrast_levels`).

    :raises ValueError: as `camera_of`.
    """
    preview = preview_of(scene, frame, width, height, threads)
    camera = camera_of(scene, width, height)
    placed = place(key, draw_marks(key, count), camera, preview)
    for mark, box, distance in placed:
        light = float(np.median(preview.light[preview.cells(box.grown(), width, height)]))
        _insert(scene, corners(camera, box, distance), mark, light, contrast_levels(mark, target))
    return Planes(placed, scene)


def places(
    scene: Any,
    frame: int,
    keys: Sequence[bytes],
    width: int,
    height: int,
    *,
    count: int,
    target: float,
    threads: int = 0,
) -> list[Placed]:
    """Where `embed` would put the marks of each of these keys, of whatever strength; the scene stays as it is.

    :raises ValueError: as `camera_of`.
    """
    preview = preview_of(scene, frame, width, height, threads)
    camera = camera_of(scene, width, height)
    return [place(key, draw_marks(key, count), camera, preview) for key in keys]


def take_out(scene: Any) -> int:
    """What a cheat does: take out whatever has a mark's shape, one face that only the camera sees. How many there were.

    It uses no name and no key; `Planes.remove` is for whoever put the marks in.
    """
    rays = [f"visible_{ray}" for ray in _RAYS]
    found = [
        item
        for item in scene.objects
        if item.type == "MESH" and len(item.data.polygons) == 1 and not any(getattr(item, ray) for ray in rays)
    ]
    for item in found:
        item.hide_render = True
    return len(found)


def flatten(scene: Any) -> int:
    """What a cheat does to baked marks: give each picture that colours a surface its mean. How many there were.

    It uses no key; it spares no picture, so it is for scenes that have none of their own. `Baked.remove` undoes it.
    """
    materials = {slot.material for item in scene.objects for slot in item.material_slots if slot.material}
    sockets = [socket for socket in map(colour_of, materials) if socket is not None and socket.links]
    nodes = [socket.links[0].from_node for socket in sockets]
    found = {node.image for node in nodes if node.type == "TEX_IMAGE" and node.image}
    for image in found:
        pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
        image.pixels.foreach_get(pixels)
        pixels.reshape(-1, 4)[:] = pixels.reshape(-1, 4).mean(axis=0)
        image.pixels.foreach_set(pixels)
        image.update()
    return len(found)


def _insert(scene: Any, points: Any, mark: Mark, light: float, levels: float) -> None:
    mesh = bpy.data.meshes.new(_NAME)
    mesh.from_pydata([tuple(point) for point in points], [], [(3, 2, 1, 0)])
    layer = mesh.uv_layers.new()
    for loop, place_in_wave in zip(layer.data, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        loop.uv = place_in_wave
    mesh.materials.append(_material(mark, light, levels))
    item = bpy.data.objects.new(_NAME, mesh)
    item[_NAME] = True
    for ray in _RAYS:
        setattr(item, f"visible_{ray}", False)
    scene.collection.objects.link(item)


def _material(mark: Mark, light: float, levels: float) -> Any:
    """Light added, or a share of it taken away, so that the pixel changes by this many levels on average."""
    level = encoded(light)
    change = abs(linear(level + mark.sign * levels / 255) - light)
    pattern = change * (1 + wave(mark))
    if mark.sign < 0:
        pattern = 1 - pattern / max(light, 1e-6)
    material = bpy.data.materials.new(_NAME)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    texture, clear, output = (
        tree.nodes.new(f"ShaderNode{kind}") for kind in ("TexImage", "BsdfTransparent", "OutputMaterial")
    )
    texture.image = _image(pattern)
    texture.extension = "EXTEND"
    if mark.sign < 0:
        tree.links.new(texture.outputs["Color"], clear.inputs["Color"])
        tree.links.new(clear.outputs[0], output.inputs["Surface"])
        return material
    emission, both = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeAddShader")
    tree.links.new(texture.outputs["Color"], emission.inputs["Color"])
    tree.links.new(clear.outputs[0], both.inputs[0])
    tree.links.new(emission.outputs[0], both.inputs[1])
    tree.links.new(both.outputs[0], output.inputs["Surface"])
    return material


def _image(pattern: FloatArray) -> Any:
    size = pattern.shape[0]
    image = bpy.data.images.new(_NAME, size, size, float_buffer=True, is_data=True)
    pixels = np.ones((size, size, 4), np.float32)
    pixels[..., :3] = pattern.clip(min=0)[..., None]
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    return image
