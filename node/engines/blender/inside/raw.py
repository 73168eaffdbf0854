# SPDX-License-Identifier: Apache-2.0
"""Renders the raw (noisy) pass of a frame or of a part of it, the same bits every time.

Whatever could change pixels between two runs, or between a tile and the whole frame, is switched off: adaptive
sampling, denoising, path guiding, time limits, scrambling, several views. The rest is the scene's own.
"""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np
import OpenEXR  # type: ignore[import-not-found, unused-ignore]

from node.engines.blender.inside.scene import PackageError
from node.engines.exr import FloatArray, Passes
from node.engines.serve import Report

_SAMPLE: Final = re.compile(r"Sample (\d+)/(\d+)")
_GPU_KERNELS: Final = ("OPTIX", "CUDA", "HIP", "ONEAPI", "METAL")
# Blender rounds a border to pixels; a hundredth of one keeps it clear of the rounding.
_BORDER_SHIFT: Final = 0.01

Box = tuple[int, int, int, int]  # x, y, width, height; (0, 0) top left


@dataclass(frozen=True, slots=True)
class Timed:
    """Passes, and what they took: elapsed and processor seconds."""

    passes: Passes
    seconds: float
    core_seconds: float


def choose_device(scene: Any, device: str) -> str:
    """Set the device and name its class: "cpu", or the GPU kernel in lower case.

    :raises PackageError: a GPU is asked for and Cycles finds none.
    """
    if device == "cpu":
        scene.cycles.device = "CPU"
        return "cpu"
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for kernel in _GPU_KERNELS:
        try:
            preferences.compute_device_type = kernel
        except TypeError:
            continue  # not in this build
        preferences.refresh_devices()
        found = [item for item in preferences.devices if item.type == kernel]
        if found:
            for item in preferences.devices:
                item.use = item in found
            scene.cycles.device = "GPU"
            return kernel.lower()
    raise PackageError("Cycles finds no GPU here: install the driver, or run this node as device class cpu", "no_gpu")


def configure(scene: Any, settings: dict[str, Any], threads: int) -> str:
    """Prepare the scene for raw passes; returns the device class."""
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = settings["width"], settings["height"], 100
    render.threads_mode, render.threads = ("FIXED", threads) if threads else ("AUTO", 1)
    render.use_compositing = render.use_sequencer = render.use_multiview = render.use_freestyle = render.use_stamp = (
        False
    )
    # With one thread a persistent Cycles session spins when it has nothing to do, half a processor all the time.
    render.use_persistent_data = threads != 1
    render.use_file_extension = False
    cycles.samples = settings["samples"]
    cycles.use_adaptive_sampling = cycles.use_denoising = cycles.use_guiding = cycles.use_animated_seed = False
    cycles.use_sample_subset = cycles.auto_scrambling_distance = False
    cycles.scrambling_distance = 1.0
    cycles.sampling_pattern = "TABULATED_SOBOL"
    cycles.use_layer_samples = "IGNORE"
    cycles.time_limit = 0.0
    for index, layer in enumerate(scene.view_layers):
        layer.use = index == 0
    scene.view_layers[0].cycles.denoising_store_passes = True
    picture = render.image_settings
    picture.media_type = "MULTI_LAYER_IMAGE"
    picture.file_format, picture.color_depth, picture.exr_codec = "OPEN_EXR_MULTILAYER", "32", "ZIP"
    return choose_device(scene, settings["device"])


def render(scene: Any, frame: int, seed: int, box: Box | None, report: Report) -> Timed:
    """Render ``frame`` with ``seed``, all of it or the rectangle ``box``. Call :func:`configure` first."""
    settings = scene.render
    settings.use_border = settings.use_crop_to_border = box is not None
    if box is not None:
        _set_border(settings, box)
    scene.cycles.seed = seed
    settings.filepath = os.path.join(os.getcwd(), "raw.tmp.exr")
    handler = _progress_handler(report)
    bpy.app.handlers.render_stats.append(handler)
    started, processor = time.perf_counter(), time.process_time()
    try:
        scene.frame_set(frame)
        bpy.ops.render.render(write_still=True, scene=scene.name)
    finally:
        bpy.app.handlers.render_stats.remove(handler)
    timing = time.perf_counter() - started, time.process_time() - processor
    passes = _read(settings.filepath)
    os.unlink(settings.filepath)
    return Timed(passes, *timing)


def _set_border(settings: Any, box: Box) -> None:
    """Blender's border is relative to the frame and counts from its bottom."""
    x, y, width, height = box
    columns, rows = settings.resolution_x, settings.resolution_y
    settings.border_min_x = (x + _BORDER_SHIFT) / columns
    settings.border_max_x = (x + width + _BORDER_SHIFT) / columns
    settings.border_min_y = (rows - y - height + _BORDER_SHIFT) / rows
    settings.border_max_y = (rows - y + _BORDER_SHIFT) / rows


def _progress_handler(report: Report) -> Callable[..., None]:
    def handler(text: object, *_: object) -> None:
        match = _SAMPLE.search(str(text))
        if match:
            report("sampling", int(match[1]) / max(int(match[2]), 1))

    return handler


def _read(path: str) -> Passes:
    """Blender writes one part a pass; their names end in the name of the pass."""
    channels = {
        name.split(".", 1)[1]: channel.pixels
        for part in OpenEXR.File(path, separate_channels=True).parts
        for name, channel in part.channels.items()
    }

    def join(name: str, letters: str) -> FloatArray:
        return np.stack([channels[f"{name}.{letter}"] for letter in letters], axis=-1)

    return Passes(join("Combined", "RGBA"), join("Denoising Albedo", "RGB"), join("Denoising Normal", "XYZ"))
