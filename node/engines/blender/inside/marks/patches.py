# SPDX-License-Identifier: Apache-2.0
"""Cuts a window of a frame out of a mesh: the faces that are seen in it become faces of their own, of a material of
their own, with coordinates in the window. The mesh keeps its shape and its normals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import bmesh  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np
from mathutils import Matrix, Vector  # type: ignore[import-not-found, import-untyped, unused-ignore]
from numpy.typing import NDArray

from inferix.proofs.rendering.angv import Box, Camera
from node.engines.blender.inside.marks.surfaces import Surface

_LINES: Final = 6  # parts of a window, each way: in one of a few pixels coordinates need no perspective
_NEAR: Final = 1e-7  # what is nearer to a plane than this is on it
_SLACK: Final = 0.02  # of a distance; what is further behind is hidden
_NORMAL: Final = "normal"


@dataclass(frozen=True, slots=True)
class Cut:
    """A window, what is seen in it, and the slot of the material that its faces shall have."""

    window: Box
    surface: Surface
    slot: int


@dataclass(frozen=True, slots=True)
class _View:
    """The camera in an object's space. ``matrix``: from the object's space to the camera's."""

    camera: Camera
    matrix: Any

    def position(self, point: Any, window: Box) -> tuple[float, float, float]:
        """Where a point is in a window, (0, 0) bottom left and (1, 1) top right, and how far along the view."""
        x, y, z = self.matrix @ point
        across = (x / -z / self.camera.tan_x + 1) / 2 * self.camera.width
        down = (1 - y / -z / self.camera.tan_y) / 2 * self.camera.height
        return (across - window.x) / window.width, 1 - (down - window.y) / window.height, -z

    def planes(self, window: Box) -> Iterator[tuple[Any, int]]:
        """Normals of planes through the camera that divide a window, and which side of them its inside is on: 1, -1,
        or 0 for those within. The window's own edges first."""
        lines = []
        for axis, start, length, whole, tan in (
            (0, window.x, window.width, self.camera.width, self.camera.tan_x),
            (1, self.camera.height - window.y - window.height, window.height, self.camera.height, self.camera.tan_y),
        ):
            for step in range(_LINES + 1):
                at = ((start + length * step / _LINES) / whole * 2 - 1) * tan
                normal = Vector((1, 0, at)) if axis == 0 else Vector((0, 1, at))
                lines.append((self.matrix.to_3x3().transposed() @ normal, {0: 1, _LINES: -1}.get(step, 0)))
        return iter(sorted(lines, key=lambda line: line[1] == 0))


def cut(mesh: Any, world: NDArray[np.float64], camera: Camera, cuts: Sequence[Cut], layer: str) -> None:
    """Cut windows that do not overlap. ``world``: (4, 4), the object's; ``layer``: of coordinates, which is there."""
    view = _View(camera, Matrix(np.linalg.inv(camera.world)) @ Matrix(world))
    is_smooth = any(face.use_smooth for face in mesh.polygons)
    normals = [tuple(corner.vector) for corner in mesh.corner_normals]
    made = bmesh.new()
    try:
        made.from_mesh(mesh)
        kept = made.loops.layers.float_vector.new(_NORMAL)
        for loop, normal in zip(_loops(made), normals, strict=True):
            loop[kept] = normal
        for item in cuts:
            _lay_out(_divided(made, view, item), view, item, made.loops.layers.uv[layer])
        normals = [tuple(loop[kept].normalized()) for loop in _loops(made)]
        made.loops.layers.float_vector.remove(kept)
        made.to_mesh(mesh)
    finally:
        made.free()
    if is_smooth:  # else a cut face would be shaded by itself, not as the part of a curve that it is
        mesh.normals_split_custom_set(normals)


def _divided(made: Any, view: _View, item: Cut) -> list[Any]:
    """Faces of the surface in the window, once they are cut along its lines."""
    origin = view.matrix.inverted().translation
    planes = list(view.planes(item.window))
    outer = [(normal, side) for normal, side in planes if side]

    def is_out(face: Any) -> bool:
        return any(all((vert.co - origin).dot(normal) * side <= 0 for vert in face.verts) for normal, side in outer)

    faces = [face for face in made.faces if face.material_index == item.surface.slot and not is_out(face)]
    for normal, side in planes:
        whole = {part for face in faces for part in (face, *face.edges, *face.verts)}
        found = bmesh.ops.bisect_plane(
            made, geom=list(whole), dist=_NEAR, plane_co=origin, plane_no=normal.normalized()
        )
        faces = [part for part in found["geom"] if isinstance(part, bmesh.types.BMFace)]
        if side:
            faces = [face for face in faces if (face.calc_center_median() - origin).dot(normal) * side > 0]
    return faces


def _lay_out(faces: Sequence[Any], view: _View, item: Cut, layer: Any) -> None:
    nearest, farthest = item.surface.near * (1 - _SLACK), item.surface.far * (1 + _SLACK)
    for face in faces:
        if nearest <= view.position(face.calc_center_median(), item.window)[2] <= farthest:
            face.material_index = item.slot
            for loop in face.loops:
                loop[layer].uv = view.position(loop.vert.co, item.window)[:2]


def _loops(made: Any) -> Iterator[Any]:
    return (loop for face in made.faces for loop in face.loops)
