# SPDX-License-Identifier: Apache-2.0
"""What a frame of the scene shows, before marks are put into it: its camera, its depth and light in a small render."""

import math
import os
from collections.abc import Sequence
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np

from inferix.proofs.rendering import FloatArray
from inferix.proofs.rendering.angv import Box, Camera, Mark, Preview
from node.engines.blender.inside import raw
from node.engines.blender.inside.choice import chosen_layer

Placed = Sequence[tuple[Mark, Box, float]]

PREVIEW_SAMPLES: Final = 4
_NOTHING: Final = 1e9  # Cycles' depth of a pixel in which there is nothing is ten times as much
_BT709: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)


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


def small_render(
    scene: Any, frame: int, width: int, height: int, threads: int, passes: Sequence[str] = ()
) -> dict[str, FloatArray]:
    """Channels by name ("Combined.R") at a quarter of the size and four samples; ``passes``: besides depth."""
    settings = {**raw.preview_size(width, height), "samples": PREVIEW_SAMPLES, "device": "cpu"}
    raw.configure(scene, settings, threads)
    layer, wanted = chosen_layer(scene), [f"use_pass_{name}" for name in ("z", *passes)]
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
    scene.render.filepath = os.path.join(os.getcwd(), "preview.tmp.exr")
    bpy.ops.render.render(write_still=True, scene=scene.name)
    return raw.written(scene)


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


def encoded(light: float) -> float:
    """sRGB of linear light, both in [0, 1]."""
    limited = min(max(light, 0.0), 1.0)
    return 12.92 * limited if limited <= 0.0031308 else 1.055 * limited ** (1 / 2.4) - 0.055


def linear(level: float) -> float:
    limited = min(max(level, 0.0), 1.0)
    return limited / 12.92 if limited <= 0.04045 else ((limited + 0.055) / 1.055) ** 2.4
