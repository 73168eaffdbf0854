# SPDX-License-Identifier: Apache-2.0
"""Renders the raw (noisy) pass of a frame or of a part of it, the same bits every time.

Whatever could change pixels between two runs, or between a tile and the whole frame, is switched off: adaptive
sampling, denoising, path guiding, unbiased volumes, time limits, scrambling. The rest is the scene's. What is set
otherwise than the scene has it, `ignored` names to its client.
"""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np

from node.engines.blender.inside.choice import EYES, chosen_eye, chosen_layer
from node.engines.blender.inside.machine import cpu_class, cycles_preferences
from node.engines.blender.inside.scene import PackageError
from node.engines.exr import FloatArray, Passes, read_channels
from node.engines.serve import Report

_SAMPLE: Final = re.compile(r"Sample (\d+)/(\d+)")
_GPU_KERNELS: Final = ("OPTIX", "CUDA", "HIP", "ONEAPI", "METAL")
_SCENE_OFF: Final = (
    "use_compositing",
    "use_sequencer",
    "use_freestyle",
    "use_stamp",
)
_CYCLES_OFF: Final = (
    "use_adaptive_sampling",
    "use_denoising",
    "use_guiding",
    "use_animated_seed",
    "use_sample_subset",
    "auto_scrambling_distance",
)
# Blender rounds a border to pixels; a hundredth of one keeps it clear of the rounding.
_BORDER_SHIFT: Final = 0.01
_PREVIEW_SCALE: Final = 4

Box = tuple[int, int, int, int]  # x, y, width, height; (0, 0) top left


@dataclass(frozen=True, slots=True)
class Timed:
    """Passes, and what they took: elapsed and processor seconds."""

    passes: Passes
    seconds: float
    core_seconds: float


def choose_device(scene: Any, device: str) -> str:
    """Set the device and name its class: the processor's, or the GPU kernel in lower case.

    ``device``: "cpu", "gpu" for the first kernel that finds a GPU, or the kernel.

    :raises PackageError: a GPU is asked for and Cycles finds none, or not by this kernel.
    """
    if device == "cpu":
        assign(scene.cycles, device="CPU")
        return cpu_class()
    preferences = cycles_preferences()
    for kernel in _GPU_KERNELS if device == "gpu" else (device.upper(),):
        found = _gpus(preferences, kernel)
        if found:
            for item in preferences.devices:
                assign(item, use=item in found)
            assign(scene.cycles, device="GPU")
            return kernel.lower()
    others = [kernel.lower() for kernel in _GPU_KERNELS if _gpus(preferences, kernel)]
    if others:
        raise PackageError(f"Cycles finds no GPU by {device} here, but by {', '.join(others)}", "no_gpu")
    raise PackageError("Cycles finds no GPU here: install the driver, or run this node as device class cpu", "no_gpu")


def _gpus(preferences: Any, kernel: str) -> list[Any]:
    """The GPUs that a kernel finds; none where this build has no such kernel."""
    try:
        preferences.compute_device_type = kernel
    except TypeError:
        return []
    preferences.refresh_devices()
    return [item for item in preferences.devices if item.type == kernel]


def assign(owner: Any, **values: object) -> None:
    """Set what is not so already: to Blender assignments are changes, and some of them cost more than a tile does.

    Which is why a render says itself that the scene has changed.
    """
    for name, value in values.items():
        if getattr(owner, name) != value:
            setattr(owner, name, value)


def configure(scene: Any, settings: dict[str, Any], threads: int) -> str:
    """Prepare the scene for raw passes; returns the device class."""
    assign(
        scene.render,
        engine="CYCLES",
        resolution_x=settings["width"],
        resolution_y=settings["height"],
        resolution_percentage=100,
        threads_mode="FIXED" if threads else "AUTO",
        **({"threads": threads} if threads else {}),
        # With one thread a persistent Cycles session spins when it has nothing to do, half a processor all the time.
        use_persistent_data=threads != 1,
        use_file_extension=False,
        use_multiview=bool(chosen_eye(scene)),
        **dict.fromkeys(_SCENE_OFF, False),
    )
    assign(
        scene.cycles,
        samples=settings["samples"],
        scrambling_distance=1.0,
        sampling_pattern="TABULATED_SOBOL",
        use_layer_samples="IGNORE",
        time_limit=0.0,
        volume_biased=True,  # by the other method a tile of mist has other bits than the whole frame
        **dict.fromkeys(_CYCLES_OFF, False),
    )
    assign(chosen_layer(scene).cycles, denoising_store_passes=True)
    picture = scene.render.image_settings
    assign(picture, media_type="MULTI_LAYER_IMAGE")
    assign(picture, file_format="OPEN_EXR_MULTILAYER", color_depth="32", exr_codec="ZIP")
    return choose_device(scene, settings["device"])


def preview_size(width: int, height: int) -> dict[str, int]:
    """Settings of a small frame: a quarter of each side, at least 16 pixels."""
    return {"width": max(width // _PREVIEW_SCALE, 16), "height": max(height // _PREVIEW_SCALE, 16)}


def render(scene: Any, frame: int, seed: int, box: Box | None, report: Report) -> Timed:
    """Render ``frame`` with ``seed``, all of it or the rectangle ``box``. Call :func:`configure` first."""
    settings = scene.render
    assign(settings, use_border=box is not None, use_crop_to_border=box is not None)
    if box is not None:
        _set_border(settings, box)
    assign(scene.cycles, seed=seed)
    assign(settings, filepath=os.path.join(os.getcwd(), "raw.tmp.exr"))
    handler = _progress_handler(report)
    bpy.app.handlers.render_stats.append(handler)
    started, processor = time.perf_counter(), time.process_time()
    try:
        scene.update_tag()  # Blender does not see a change of Cycles' own settings: seed and samples would stay the old
        scene.frame_set(frame)
        bpy.ops.render.render(write_still=True, scene=scene.name)
    finally:
        bpy.app.handlers.render_stats.remove(handler)
    timing = time.perf_counter() - started, time.process_time() - processor
    return Timed(_passes(written(scene)), *timing)


def written(scene: Any) -> dict[str, FloatArray]:
    """What was rendered, by pass and letter ("Combined.R"); its file is removed."""
    path = Path(scene.render.filepath)
    path = path.with_stem(path.stem + EYES.get(chosen_eye(scene), ""))
    channels = read_channels(path)
    path.unlink()
    return channels


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


def _passes(channels: dict[str, FloatArray]) -> Passes:
    def join(name: str, letters: str) -> FloatArray:
        return np.stack([channels[f"{name}.{letter}"] for letter in letters], axis=-1)

    return Passes(join("Combined", "RGBA"), join("Denoising Albedo", "RGB"), join("Denoising Normal", "XYZ"))
