# SPDX-License-Identifier: Apache-2.0
"""The operations that the host can ask for. Results are JSON; pictures are files in the current folder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from node.engines import exr
from node.engines.blender.inside import choice, composite, finish, ignored, machine, packing, raw, scene
from node.engines.blender.inside.marks.package import mark
from node.engines.serve import Report

Json = dict[str, Any]

_PREVIEW_SECONDS: Final = 0.2
_PREVIEW_REPEATS: Final = 3
_PREVIEW_MAX_SAMPLES: Final = 512


class Operations:
    """One per process. ``report(stage, done)`` tells the host how far the running operation is."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._scene: Any = None
        self._package, self._choice = "", Json()
        self._threads = 0
        self._found: list[choice.Found] = []
        self._composites = False

    def build(self) -> Json:
        """Which Blender this is."""
        return {"build": scene.build()}

    def load(self, package: str, threads: int, choice: Json) -> Json:
        """Open the package, for one of its cameras, view layers and eyes; everything else works on that."""
        self._report("loading", 0.0)
        self._package, self._threads, self._choice = package, threads, choice
        self._open()
        return {"build": scene.build()}

    def inspect(self, request: dict[str, int] | None) -> Json:
        return scene.report(self._scene, request, self._found)

    def pack(self, output: str) -> Json:
        """The files that came in; nothing is written where one of them may not."""
        files = packing.bring_in()
        if not any(file["problem"] for file in files):
            scene.save(_here(output))
        return {"files": files}

    def mark(self, keys: Mapping[str, str], width: int, height: int, output: str) -> Json:
        """The package with marks in these frames. ``keys``: hex, by frame; what was placed, by frame."""
        given = {int(frame): bytes.fromhex(key) for frame, key in keys.items()}
        placed = mark(self._scene, given, width, height, self._threads, self._report)
        self._report("saving", 1.0)
        scene.save(_here(output))
        return {"placed": {str(frame): found for frame, found in placed.items()}}

    def render(self, frame: int, seed: int, settings: Json, output: str) -> Json:
        device_class = raw.configure(self._scene, settings, self._threads)
        timed = raw.render(self._scene, frame, seed, None, self._report)
        self._report("saving", 1.0)
        exr.write_frame(Path(output), timed.passes)
        return {
            "pixels_sha256": exr.pixels_sha256(timed.passes.combined).hex(),
            "seconds": timed.seconds,
            "core_seconds": timed.core_seconds,
            "device_class": device_class,
            "kernel": machine.kernel(device_class),
            "build": scene.build(),
        }

    def machine(self, device: str) -> Json:
        """What renders here."""
        device_class = raw.choose_device(self._scene, device)
        return {"device_class": device_class, "kernel": machine.kernel(device_class)}

    def tiles(self, frame: int, seed: int, settings: Json, tiles: Sequence[raw.Box], output: str) -> Json:
        """Each tile's pixels, ten channels as a file holds them, one after the other, as little-endian float32."""
        raw.configure(self._scene, settings, self._threads)
        with Path(output).open("wb") as file:
            for index, (x, y, width, height) in enumerate(tiles):
                self._report(f"tile {index + 1} of {len(tiles)}", index / len(tiles))
                timed = raw.render(self._scene, frame, seed, (x, y, width, height), lambda *_: None)
                file.write(exr.stored(timed.passes).astype("<f4").tobytes())
        return {}

    def preview(self, frame: int, unit: str, device: str) -> Json:
        """Costs of this scene and of the unit scene, in one process; the package is loaded again afterwards."""
        own = self._cost(frame, _own_settings(self._scene, device))
        self._report("unit scene", 0.5)
        try:
            self._scene = scene.load(unit)
            settings = _own_settings(self._scene, device)
            return {"scene": own, "unit": self._cost(self._scene.frame_start, settings), "unit_settings": settings}
        finally:
            self._open()

    def quick_look(self, source: str, width: int, output: str) -> Json:
        """Small first, then denoised: a picture for progress pages, not for keeping."""
        passes = exr.read_frame(Path(source))
        small = exr.Passes(*(finish.shrink(layer, width) for layer in (passes.combined, passes.albedo, passes.normal)))
        finish.picture(self._scene, finish.denoise(self._scene, small, prefilter="Fast"), _here(output))
        return {}

    def denoise(self, source: str, output: str) -> Json:
        """A raw frame again, with the denoised pixels as its combined pass."""
        passes = exr.read_frame(Path(source))
        clean = replace(passes, combined=finish.denoise(self._scene, passes))
        exr.write_frame(Path(output), clean)
        return {"pixels_sha256": exr.pixels_sha256(clean.combined).hex()}

    def assemble_frame(self, frame: int, source: str, output: str) -> Json:
        self._report("denoising", 0.0)
        pixels = finish.denoise(self._scene, exr.read_frame(Path(source)))
        if self._composites:
            self._scene.frame_set(frame)
            pixels = finish.composite(self._scene, pixels)
        finish.picture(self._scene, pixels, _here(output))
        return {}

    def picture(self, source: str, size: Sequence[int], output: str) -> Json:
        """Pixels of an 8-bit PNG as RGBA bytes, row 0 on top."""
        pixels = finish.read_png(source, (size[0], size[1]))
        Path(output).write_bytes(np.rint(pixels * 255).astype(np.uint8).tobytes())
        return {}

    def movie_frame(self, source: str, at: int, frames: int, size: Sequence[int], output: str) -> Json:
        """Pixels of one frame of a movie as RGBA bytes, row 0 on top."""
        pixels = finish.movie_frame(source, at, frames, (size[0], size[1]))
        Path(output).write_bytes(np.rint(pixels * 255).astype(np.uint8).tobytes())
        return {}

    def encode(self, stills: Sequence[str], fps: float, movie: str, contact_sheet: str) -> Json:
        self._report("encoding", 0.0)
        finish.movie(stills, fps, _here(movie))
        self._report("contact sheet", 0.9)
        finish.contact_sheet(stills, _here(contact_sheet))
        return {}

    def benchmark(self, seed: int, device: str) -> Json:
        settings = _own_settings(self._scene, device)
        device_class = raw.configure(self._scene, settings, self._threads)
        timed = raw.render(self._scene, self._scene.frame_start, seed, None, self._report)
        return {
            "pixels_sha256": exr.pixels_sha256(timed.passes.combined).hex(),
            "seconds": timed.seconds,
            "core_seconds": timed.core_seconds,
            "device_class": device_class,
            "build": scene.build(),
        }

    def _open(self) -> None:
        self._scene = scene.load(self._package)
        self._found = choice.choose(self._scene, **self._choice)
        refused = [item for item in self._found if item[-1] == "error"]
        if refused:
            raise scene.PackageError(refused[0][1], refused[0][0])
        missing = composite.missing(self._scene)
        self._composites = missing == []
        if missing:
            self._found.append(("compositor", composite.says(missing), "", "warning"))
        self._found += ignored.ignored(self._scene)

    def _cost(self, frame: int, settings: Json) -> Json:
        """Fixed seconds and seconds per sample and pixel.

        One cold frame with a single sample, then warm ones, with more samples until they take long enough to be told
        from the noise of the clock.
        """
        cold = self._seconds(frame, settings, 1)
        warm = self._least(frame, settings, 1)
        more, samples = 0.0, 1
        while more < warm + _PREVIEW_SECONDS and samples < _PREVIEW_MAX_SAMPLES:
            samples *= 4
            more = self._seconds(frame, settings, samples)
        more = min(more, self._least(frame, settings, samples))
        small = _scaled(settings, samples)
        pixels = small["width"] * small["height"]
        slope = max(more - warm, 0.0) / ((samples - 1) * pixels)
        return {"fixed_seconds": max(cold - slope * pixels, 0.0), "sample_pixel_seconds": slope}

    def _least(self, frame: int, settings: Json, samples: int) -> float:
        """The least of a few: what else runs on the machine only ever makes it longer."""
        return min(self._seconds(frame, settings, samples) for _ in range(_PREVIEW_REPEATS))

    def _seconds(self, frame: int, settings: Json, samples: int) -> float:
        """Processor seconds on a CPU, elapsed ones on a GPU, of a small frame."""
        device_class = raw.configure(self._scene, _scaled(settings, samples), self._threads)
        timed = raw.render(self._scene, frame, samples, None, lambda *_: None)
        return timed.core_seconds if machine.is_cpu(device_class) else timed.seconds


def _own_settings(own: Any, device: str) -> Json:
    render = own.render
    share = render.resolution_percentage
    width, height = render.resolution_x * share // 100, render.resolution_y * share // 100
    return {"width": width, "height": height, "samples": own.cycles.samples, "device": device}


def _scaled(settings: Json, samples: int) -> Json:
    return {**settings, **raw.preview_size(settings["width"], settings["height"]), "samples": samples}


def _here(name: str) -> str:
    """Blender takes relative names for relative to something else."""
    return str(Path.cwd() / name)
