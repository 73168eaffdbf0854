# SPDX-License-Identifier: Apache-2.0
"""Marks for several frames of one package, each seen in its own frame alone. All else in the package stays as it is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]

from inferix.proofs.rendering.angv import MARKS, TARGET, draw_marks
from node.engines.blender.inside.choice import chosen_eye, chosen_layer
from node.engines.blender.inside.marks import bake
from node.engines.blender.inside.scene import PackageError
from node.engines.serve import Report

_FIRST: Final = ("media_type", "file_format")  # what else a picture's settings can be depends on them
_PLAIN: Final = ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM")

Placed = list[tuple[int, int, int]]


def mark(
    scene: Any, keys: Mapping[int, bytes], width: int, height: int, threads: int, report: Report
) -> dict[int, Placed]:
    """Bake the marks of each frame's key. What was placed: which of `draw_marks`, x and y of its imprint in the frame.

    :raises PackageError: marks cannot be placed before this camera.
    """
    if chosen_eye(scene):
        raise PackageError("marks are placed for one camera, not for an eye of two: order without marks", "marks")
    found: dict[int, Placed] = {}
    taken: set[str] = set()
    _show_as_rendered()
    with _as_it_was(scene):
        for done, (frame, key) in enumerate(keys.items()):
            report(f"marks of frame {frame}", done / len(keys))
            try:
                made = bake.embed(
                    scene, frame, key, width, height,
                    count=MARKS, target=TARGET, threads=threads, only=True, taken=taken,
                )  # fmt: skip
            except ValueError as error:
                raise PackageError(f"{error}: order without marks", "marks") from error
            taken |= made.materials
            drawn = draw_marks(key, MARKS)
            found[frame] = [(drawn.index(item), box.x, box.y) for item, box, _ in made.placed]
    return found


def _show_as_rendered() -> None:
    """Subdivide for rays as often as for renders: a package is rendered and nothing else."""
    for owner in bpy.data.objects:
        for modifier in owner.modifiers:
            if modifier.type == "SUBSURF":
                modifier.levels = modifier.render_levels


@contextmanager
def _as_it_was(scene: Any) -> Iterator[None]:
    """Settings and the current frame, put back when the block ends: marks are looked for by small renders."""
    layer, frame = chosen_layer(scene), scene.frame_current
    owners = [scene.render, scene.render.image_settings, scene.cycles, layer, layer.cycles]
    before = [(owner, _settings(owner)) for owner in owners]
    try:
        yield
    finally:
        for owner, values in before:
            for name, value in values.items():
                if getattr(owner, name) != value:
                    setattr(owner, name, value)
        scene.frame_set(frame)


def _settings(owner: Any) -> dict[str, Any]:
    names = [
        item.identifier
        for item in owner.bl_rna.properties
        if not item.is_readonly and item.type in _PLAIN and not getattr(item, "is_array", False)
    ]
    return {name: getattr(owner, name) for name in sorted(names, key=lambda name: name not in _FIRST)}
