# SPDX-License-Identifier: Apache-2.0
"""Blender as this benchmark uses it: scenes are built here and rendered by the node's own code.

Pictures are .npy files of ten channels: Combined RGBA, Albedo RGB, Normal XYZ.
"""

import os
from collections.abc import Callable
from dataclasses import astuple
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np

from benchmarks import marking
from benchmarks.proof import scenes
from inferix.proofs.rendering.angv import MARKS
from node.engines.blender.inside import finish, raw
from node.engines.blender.inside.marks import bake
from node.engines.blender.inside.marks.view import Placed
from node.engines.exr import Passes
from node.engines.serve import Report

_CUTS: Final = ("", "bounces", "fast_gi")
_CUT_BOUNCES: Final = 3
_JPEG: Final = "picture.jpg"
_EMBED: Final[dict[str, Callable[..., marking.Marks]]] = {"planes": marking.embed, "baked": bake.embed}
_PLACES: Final[dict[str, Callable[..., list[Placed]]]] = {"planes": marking.places, "baked": bake.places}
_TAKE_OUT: Final = {"planes": marking.take_out, "baked": marking.flatten}


class Room:
    """One scene at a time."""

    def __init__(self, report: Report) -> None:
        self._scene: Any = None
        self._made: tuple[str, int] | None = None
        self._marks: marking.Marks | None = None

    def build(self, name: str, variant: int) -> dict[str, object]:
        """Make a variant, unless it is the one that is there."""
        if self._made != (name, variant):
            self._scene, self._made = scenes.build(name, variant), (name, variant)
        return {}

    def render(
        self,
        frame: int,
        seed: int,
        settings: dict[str, Any],
        subset: list[int] | None,
        box: list[int] | None,
        cut: str,
        threads: int,
        output: str,
    ) -> dict[str, object]:
        """The raw pass. ``subset``: first sample and how many; ``box``: x, y, width, height; ``cut``: one of _CUTS."""
        device_class = raw.configure(self._scene, settings, threads)
        self._scene.render.use_persistent_data = False  # it spins while the other kernel's process works
        cycles = self._scene.cycles
        if subset is not None:
            cycles.use_sample_subset, cycles.sample_offset, cycles.sample_subset_length = True, *subset
        before = self._cut(cut)
        try:
            timed = raw.render(self._scene, frame, seed, tuple(box) if box else None, lambda *_: None)  # type: ignore[arg-type]
        finally:
            for name, value in before.items():
                setattr(cycles, name, value)
        _save(output, timed.passes)
        return {"core_seconds": timed.core_seconds, "seconds": timed.seconds, "device_class": device_class}

    def denoise(self, source: str, output: str) -> dict[str, object]:
        """The same passes, the combined one without its noise."""
        passes = _load(source)
        _save(output, Passes(finish.denoise(self._scene, passes), passes.albedo, passes.normal))
        return {}

    def picture(self, source: str, output: str) -> dict[str, object]:
        """An 8-bit PNG with the scene's view transform."""
        finish.picture(self._scene, _load(source).combined, output)
        return {}

    def levels(self, source: str, output: str) -> dict[str, object]:
        """Pixels of an 8-bit picture, (height, width, 3)."""
        np.save(output, np.rint(finish.read_png(source)[..., :3] * 255).astype(np.uint8))
        return {}

    def save(self, output: str) -> dict[str, object]:
        """The scene as a package."""
        bpy.ops.wm.save_as_mainfile(filepath=output, compress=True, check_existing=False, copy=True)
        return {}

    def mark(
        self, kind: str, frame: int, key: str, target: float, settings: dict[str, Any], threads: int
    ) -> dict[str, object]:
        """Put a key's marks into the scene, as ``planes`` or ``baked``; what was placed: width, height, sign, periods,
        x and y of the imprint."""
        size = settings["width"], settings["height"]
        made = _EMBED[kind](self._scene, frame, bytes.fromhex(key), *size, count=MARKS, target=target, threads=threads)
        self._marks = made
        return {"placed": _plain(made.placed)}

    def places(
        self, kind: str, frame: int, keys: list[str], target: float, settings: dict[str, Any], threads: int
    ) -> dict[str, object]:
        """Where the marks of each of these keys would be, as `mark` says it; nothing is changed."""
        size = settings["width"], settings["height"]
        given = [bytes.fromhex(key) for key in keys]
        found = _PLACES[kind](self._scene, frame, given, *size, count=MARKS, target=target, threads=threads)
        return {"placed": [_plain(placed) for placed in found]}

    def take_out(self, kind: str) -> dict[str, object]:
        """What a cheat does who has the marked scene, and no key."""
        return {"found": _TAKE_OUT[kind](self._scene)}

    def unmark(self) -> dict[str, object]:
        """Make the scene what it was before `mark`."""
        marks, self._marks = self._marks, None
        return {"removed": marks.remove() if marks is not None else 0}

    def jpeg(self, source: str, output: str, quality: int) -> dict[str, object]:
        """An 8-bit picture, (height, width, 3), after compression."""
        pixels = np.load(source).astype(np.float32) / 255
        height, width, _ = pixels.shape
        image = bpy.data.images.new("picture", width, height, alpha=False, is_data=True)
        values = np.concatenate([pixels, np.ones((height, width, 1), np.float32)], axis=2)[::-1]
        image.pixels.foreach_set(values.ravel())
        image.file_format, image.filepath_raw = "JPEG", os.path.abspath(_JPEG)
        image.save(quality=quality)
        bpy.data.images.remove(image)
        found = finish.read_png(os.path.abspath(_JPEG), (width, height))
        np.save(output, np.rint(found[..., :3] * 255).astype(np.uint8))
        return {}

    def _cut(self, cut: str) -> dict[str, object]:
        """Do less than was ordered; returns what it was before."""
        if cut not in _CUTS:
            raise ValueError(f"{cut!r} is not one of {_CUTS}")
        changes: dict[str, object] = {}
        if cut == "bounces":
            kinds = ("max_bounces", "diffuse_bounces", "glossy_bounces", "transmission_bounces")
            changes = {kind: min(_CUT_BOUNCES, getattr(self._scene.cycles, kind)) for kind in kinds}
        elif cut == "fast_gi":
            changes = {"use_fast_gi": True, "ao_bounces": 1, "ao_bounces_render": 1}
        before = {name: getattr(self._scene.cycles, name) for name in changes}
        for name, value in changes.items():
            setattr(self._scene.cycles, name, value)
        return before


def _plain(placed: Placed) -> list[list[float]]:
    return [[*astuple(mark), box.x, box.y] for mark, box, _ in placed]


def _save(path: str, passes: Passes) -> None:
    np.save(path, np.concatenate([passes.combined, passes.albedo, passes.normal], axis=2, dtype=np.float32))


def _load(path: str) -> Passes:
    pixels = np.load(path)
    return Passes(*(np.ascontiguousarray(pixels[..., part]) for part in (slice(0, 4), slice(4, 7), slice(7, 10))))
