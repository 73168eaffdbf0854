# SPDX-License-Identifier: Apache-2.0
"""Surfaces of a Blender scene that can carry a mark in their own colour: what the camera sees in a window of a frame.

A window is usable where every ray hits one mesh object and one of its materials, whose colour can be changed by as much
as the mark wants. Unusable are objects that are animated, parented, linked, instanced, read by others, have shape keys,
or modifiers that depend on more than their mesh: what is cut into it would not be what is rendered, or would be seen
elsewhere, too. So are materials that are animated, or displace.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np
from mathutils import Vector  # type: ignore[import-not-found, import-untyped, unused-ignore]

from inferix.proofs.rendering import FloatArray
from inferix.proofs.rendering.angv import Box, Camera, Preview, corners

LAYER: Final = "inferix patches"
"""Name of the coordinates in which patches are painted: one for all that a mesh has."""

_MOST_LAYERS: Final = 8  # of coordinates, that a mesh of Blender's can have
_COLOURS: Final = {
    "BSDF_PRINCIPLED": "Base Color",
    "BSDF_DIFFUSE": "Color",
    "EMISSION": "Color",
}
_GLOSS: Final = {
    "BSDF_GLOSSY",
    "BSDF_SHEEN",
}  # they leave the diffuse light of what they lie over in proportion to its colour
_STILL: Final = {"BEVEL", "EDGE_SPLIT", "SOLIDIFY", "SUBSURF", "TRIANGULATE", "WEIGHTED_NORMAL"}
"""Modifiers that depend on nothing but their own mesh: the surface they make can be cut in their place."""
_RAYS: Final = 7  # each way
_EDGE: Final = 0.02  # of a window's side, where its outermost rays are
_LOOKED_THROUGH: Final = 8  # things that the camera does not see, one behind the other
_SLACK: Final = 0.03  # of a distance, by which the preview's depth may differ from what rays find


@dataclass(frozen=True, slots=True)
class Surface:
    """What is seen in a window. ``slot``: of the object's materials; ``near``, ``far``: distances along the view."""

    owner: Any
    slot: int
    near: float
    far: float

    @property
    def material(self) -> Any:
        """The one that is seen."""
        return self.owner.material_slots[self.slot].material


@dataclass(frozen=True, slots=True)
class Light:
    """Small pictures of a frame, (rows, columns): ``own`` is the luminance that follows the colour of what is seen in
    proportion, ``shines`` that of what shines itself; ``colour`` the largest channel of a colour, in [0, 1]."""

    own: FloatArray
    shines: FloatArray
    colour: FloatArray


@dataclass
class Surfaces:
    """Looks at a scene at its current frame; find what is wanted before anything is cut."""

    scene: Any
    camera: Camera
    preview: Preview
    light: Light
    _instanced: set[Any] = field(init=False)
    _depsgraph: Any = field(init=False)
    _read: dict[Any, bool] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._depsgraph = bpy.context.evaluated_depsgraph_get()
        self._instanced = {
            item.instance_object.original for item in self._depsgraph.object_instances if item.is_instance
        }

    def at(self, window: Box) -> Surface | None:
        """What is seen there, if it is usable."""
        origin, forward = Vector(self.camera.world[:3, 3]), Vector(-self.camera.world[:3, 2])
        seen: tuple[Any, int] | None = None
        distances = []
        for ray in self._rays(window):
            hit = self._cast(origin, ray)
            if hit is None or hit[:2] != (seen or hit[:2]):
                return None
            if seen is None and not self._is_usable(*hit[:2]):
                return None
            seen = hit[:2]
            distances.append((hit[2] - origin).dot(forward))
        if seen is None or not self._is_all_there_is(window, min(distances), max(distances)):
            return None
        return Surface(*seen, min(distances), max(distances))

    def follows(self, surface: Surface, window: Box) -> float:
        """Luminance there that is in proportion to the surface's colour."""
        shines = colour_of(surface.material).node.type == "EMISSION"
        return self._median(self.light.shines if shines else self.light.own, window)

    def headroom(self, surface: Surface, window: Box) -> float:
        """By how much of itself the surface's colour can rise; what shines can without end."""
        if colour_of(surface.material).node.type == "EMISSION":
            return float("inf")
        most = float(self.light.colour[self._cells(window)].max())
        return 1 / most - 1 if most > 0 else 0.0

    def brightness(self, window: Box) -> float:
        """Luminance there."""
        return self._median(self.preview.light, window)

    def _rays(self, window: Box) -> Iterator[Any]:
        """Directions through the window, its middle first."""
        points = corners(self.camera, window, 1.0)
        steps = sorted(np.linspace(_EDGE, 1 - _EDGE, _RAYS), key=lambda step: abs(step - 0.5))
        for down in steps:
            for across in steps:
                point = points[0] + across * (points[1] - points[0]) + down * (points[3] - points[0])
                yield Vector(point - self.camera.world[:3, 3]).normalized()

    def _cast(self, origin: Any, ray: Any) -> tuple[Any, int, Any] | None:
        """Object, slot and place of the first thing that the camera sees."""
        start = origin + ray * self.camera.near
        for _ in range(_LOOKED_THROUGH):
            is_hit, place, _, face, owner, matrix = self.scene.ray_cast(self._depsgraph, start, ray)
            if not is_hit or owner.type != "MESH" or matrix != owner.matrix_world:
                return None
            if _is_seen(owner):
                faces = owner.evaluated_get(self._depsgraph).data.polygons
                return (owner, faces[face].material_index, place) if face < len(faces) else None
            start = place + ray * max(1e-5, 1e-5 * (place - origin).length)
        return None

    def _is_usable(self, owner: Any, slot: int) -> bool:
        data = owner.data
        is_own = owner.library is None and data.library is None and owner not in self._instanced
        is_still = not (owner.animation_data or data.animation_data or owner.parent or owner.constraints)
        is_as_cut = self._stands_still(owner) and not (data.shape_keys or owner.particle_systems)
        has_room = LAYER in data.uv_layers or len(data.uv_layers) < _MOST_LAYERS
        known = owner.material_slots[slot].material if slot < len(owner.material_slots) else None
        fits = is_own and is_still and is_as_cut and has_room and known and _is_paintable(known, bool(data.uv_layers))
        return bool(fits) and not self._is_read(owner)

    def _stands_still(self, owner: Any) -> bool:
        """Whether what its modifiers make is the same in every frame, and what is seen here is what is rendered."""
        if any(item.show_viewport != item.show_render for item in owner.modifiers):
            return False
        shown = [item for item in owner.modifiers if item.show_render]
        is_coarser = self.scene.render.use_simplify or owner.data.keys()  # or has what a mesh made anew has not
        return not (shown and is_coarser) and all(
            item.type in _STILL
            and (item.type != "SUBSURF" or item.levels == item.render_levels)
            and not getattr(item, "use_adaptive_subdivision", False)
            for item in shown
        )

    def _is_read(self, owner: Any) -> bool:
        """Whether other objects depend on it, or its faces on slots that it has not."""
        if owner not in self._read:
            users = bpy.data.user_map(subset={owner})[owner]
            alone = all(isinstance(user, bpy.types.Scene | bpy.types.Collection) for user in users)
            slots = np.zeros(len(owner.data.polygons), np.int32)
            owner.data.polygons.foreach_get("material_index", slots)
            self._read[owner] = not alone or bool((slots >= len(owner.data.materials)).any())
        return self._read[owner]

    def _is_all_there_is(self, window: Box, near: float, far: float) -> bool:
        """Whether the preview sees what rays do: hair, say, is no mesh, and stands before one. In mist some of its
        pixels know no depth."""
        depth = self.preview.depth[self._cells(window)]
        known = depth[np.isfinite(depth)]
        return bool(len(known) and known.min() > near * (1 - _SLACK) and known.max() < far * (1 + _SLACK))

    def _median(self, picture: FloatArray, window: Box) -> float:
        return float(np.median(picture[self._cells(window)]))

    def _cells(self, window: Box) -> tuple[slice, slice]:
        return self.preview.cells(window, self.camera.width, self.camera.height)


def colour_of(material: Any) -> Any:
    """The socket of a surface's colour; None where the surface is not one plain shader, or one under a gloss."""
    link = _surface_link(material)
    if link is None:
        return None
    shader = link.from_node
    if shader.type == "MIX_SHADER":
        mixed = [item.links[0].from_node for item in shader.inputs if item.type == "SHADER" and item.links]
        plain = [node for node in mixed if node.type not in _GLOSS]
        if [node.type for node in plain] != ["BSDF_DIFFUSE"]:
            return None
        shader = plain[0]
    name = _COLOURS.get(shader.type)
    return shader.inputs[name] if name else None


def _is_paintable(material: Any, is_laid_out: bool) -> bool:
    """Whether its colour can be another in one frame, and nothing else; ``is_laid_out``: its mesh has coordinates."""
    tree = material.node_tree
    if material.library is not None or colour_of(material) is None or tree.animation_data:
        return False
    displaces = bool(tree.get_output_node("CYCLES").inputs["Displacement"].links)
    return not displaces and (is_laid_out or not any(node.type == "TEX_IMAGE" for node in tree.nodes))


def _is_seen(owner: Any) -> bool:
    if owner.hide_render or not owner.visible_camera:
        return False
    materials = [slot.material for slot in owner.material_slots if slot.material]
    return not materials or any(_surface_link(material) for material in materials)  # mist has no surface


def _surface_link(material: Any) -> Any:
    output = material.node_tree.get_output_node("CYCLES") if material.node_tree else None
    links = output.inputs["Surface"].links if output else ()
    return links[0] if links else None
