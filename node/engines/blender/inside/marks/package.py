# SPDX-License-Identifier: Apache-2.0
"""Marks for several frames of one package, each seen in its own frame alone. All else in the package stays as it is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]

from inferix.proofs.rendering.angv import LEAST_MARKS, MARKS, TARGET, draw_marks
from node.engines.base import Place
from node.engines.blender.inside.choice import chosen_eye, chosen_layer
from node.engines.blender.inside.marks import bake
from node.engines.blender.inside.marks.view import camera_of
from node.engines.blender.inside.scene import PackageError
from node.engines.serve import Report

_FIRST: Final = ("media_type", "file_format")  # what else a picture's settings can be depends on them
_PLAIN: Final = ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM")

MOST: Final = 8_192  # patches are rendered at eight times the size, of which Blender takes 65,536


def mark(
    scene: Any, keys: Mapping[int, bytes], width: int, height: int, threads: int, report: Report
) -> dict[int, list[Place]]:
    """Bake the marks of each frame's key. What was placed: which of `draw_marks`, x and y of its imprint in the frame.

    :raises PackageError: marks cannot be placed before this camera.
    """
    _check(scene, width, height)
    found: dict[int, list[Place]] = {}
    with _as_it_was(scene):
        for done, (frame, key) in enumerate(keys.items()):
            report(f"marks of frame {frame}", done / len(keys))
            made = bake.embed(
                scene, frame, key, width, height,
                count=MARKS, target=TARGET, threads=threads, only=True, least=LEAST_MARKS,
            )  # fmt: skip
            drawn = draw_marks(key, MARKS)
            found[frame] = [(drawn.index(item), box.x, box.y) for item, box, _ in made.placed]
    return found


def _check(scene: Any, width: int, height: int) -> None:
    """Refuse what would put marks elsewhere than they are looked for."""
    render, layer = scene.render, chosen_layer(scene)
    reasons = {
        "for one camera, not for an eye of two": chosen_eye(scene),
        "where pixels are square": render.pixel_aspect_x != render.pixel_aspect_y,
        "where time is not remapped": render.frame_map_old != render.frame_map_new,
        "in the first view layer": layer != bpy.context.view_layer,
        "where no layer overrides materials": layer.material_override,
        f"in frames of at most {MOST} pixels a side": max(width, height) > MOST,
    }
    found = next((words for words, is_so in reasons.items() if is_so), "")
    try:
        camera_of(scene, width, height)
    except ValueError as error:
        found = found or str(error).removeprefix("marks are placed ")
    if found:
        raise PackageError(f"marks are placed {found}: order without marks", "marks")


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
    values = {name: getattr(owner, name) for name in sorted(names, key=lambda name: name not in _FIRST)}
    return {name: value for name, value in values.items() if value != "" or name == "filepath"}  # no choice of today's
