# SPDX-License-Identifier: Apache-2.0
"""Puts the marks of `inferix.proofs.rendering.angv` into a Blender scene that is open in this process, and out again.

Each mark is a rectangle that faces the camera, a little nearer than what is there, seen by the camera alone: it adds
light, or takes some, by a wave. It is how ANGV was published, and what is wrong with it: whoever has the scene finds
every rectangle by its shape. Hence this lies with the benchmarks and not with the node.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np
import OpenEXR  # type: ignore[import-not-found, unused-ignore]

from inferix.proofs.rendering import FloatArray
from inferix.proofs.rendering.angv import (
    Box,
    Camera,
    Mark,
    Preview,
    contrast_levels,
    corners,
    draw_marks,
    place,
    wave,
)
from node.engines.blender.inside import raw

Placed = Sequence[tuple[Mark, Box, float]]

PREVIEW_SCALE: Final = 4
PREVIEW_SAMPLES: Final = 4
_NOTHING: Final = 1e9  # Cycles' depth of a pixel in which there is nothing is ten times as much
_NAME: Final = "mark"
_RAYS: Final = ("diffuse", "glossy", "transmission", "volume_scatter", "shadow")
_BT709: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)


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


def camera_of(scene: Any, width: int, height: int) -> Camera:
    """The scene's camera at its current frame, for a picture of this size.

    :raises ValueError: it is not a perspective camera, or is shifted.
    """
    found = scene.camera.data
    if found.type != "PERSP" or found.shift_x or found.shift_y:
        raise ValueError("marks are placed before perspective cameras without shift only")
    wide = found.sensor_fit == "HORIZONTAL" or (found.sensor_fit == "AUTO" and width >= height)
    half = math.tan(found.angle / 2)  # of the longer side, or of the one that the sensor is fitted to
    tan_x, tan_y = (half, half * height / width) if wide else (half * width / height, half)
    world = np.array(scene.camera.matrix_world)
    world[:3, :3] /= np.linalg.norm(world[:3, :3], axis=0)
    return Camera(world, tan_x, tan_y, found.clip_start, found.clip_end, width, height)


def preview_of(scene: Any, frame: int, width: int, height: int, threads: int) -> Preview:
    """Depth and light of a frame at a quarter of its size and four samples."""
    return preview_from(small_render(scene, frame, width, height, threads))


def small_render(
    scene: Any, frame: int, width: int, height: int, threads: int, passes: Sequence[str] = ()
) -> dict[str, FloatArray]:
    """Channels by name ("Combined.R") at a quarter of the size and four samples; ``passes``: besides depth."""
    small = {"width": max(width // PREVIEW_SCALE, 16), "height": max(height // PREVIEW_SCALE, 16)}
    raw.configure(scene, {**small, "samples": PREVIEW_SAMPLES, "device": "cpu"}, threads)
    layer, wanted = scene.view_layers[0], [f"use_pass_{name}" for name in ("z", *passes)]
    had = {name: getattr(layer, name) for name in wanted}
    raw.assign(layer, **dict.fromkeys(wanted, True))
    scene.render.use_border = False
    scene.frame_set(frame)
    try:
        return rendered_channels(scene)
    finally:
        raw.assign(layer, **had)


def rendered_channels(scene: Any) -> dict[str, FloatArray]:
    """Render the scene as it is set up; channels by name."""
    scene.render.filepath = path = os.path.join(os.getcwd(), "preview.tmp.exr")
    bpy.ops.render.render(write_still=True, scene=scene.name)
    channels = {
        ".".join(name.rsplit(".", 2)[-2:]): channel.pixels
        for part in OpenEXR.File(path, separate_channels=True).parts
        for name, channel in part.channels.items()
    }
    os.unlink(path)
    return channels


def colours(channels: dict[str, FloatArray], name: str) -> FloatArray:
    """(height, width, 3) of a pass."""
    return np.stack([channels[f"{name}.{letter}"] for letter in "RGB"], axis=-1)


def luminance(colour: FloatArray) -> FloatArray:
    """(height, width) >= 0, by the weights of BT.709."""
    return np.asarray((colour @ _BT709).clip(min=0), np.float32)


def preview_from(channels: dict[str, FloatArray]) -> Preview:
    """Depth and light of a render."""
    depth = channels["Depth.Z" if "Depth.Z" in channels else "Depth.V"].astype(np.float32)
    return Preview(
        np.where(depth < _NOTHING, depth, np.inf).astype(np.float32), luminance(colours(channels, "Combined"))
    )


def embed(
    scene: Any,
    frame: int,
    key: bytes,
    width: int,
    height: int,
    *,
    count: int = 12,
    target: float = 7.0,
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
    count: int = 12,
    target: float = 7.0,
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


def encoded(light: float) -> float:
    """sRGB of linear light, both in [0, 1]."""
    limited = min(max(light, 0.0), 1.0)
    return 12.92 * limited if limited <= 0.0031308 else 1.055 * limited ** (1 / 2.4) - 0.055


def linear(level: float) -> float:
    limited = min(max(level, 0.0), 1.0)
    return limited / 12.92 if limited <= 0.04045 else ((limited + 0.055) / 1.055) ** 2.4
