# SPDX-License-Identifier: Apache-2.0
"""Marks of `inferix.proofs.rendering.angv` as colours of a scene's own surfaces, instead of rectangles before them.

Where a mark is, the faces that are seen there are cut out of their mesh (patches) and get a copy of
their material whose colour is a picture: the surface's own colour, baked, times one plus the wave. No object is added,
and taking a mark out means to paint the surface anew. As many patches more carry a wave which nobody counts: a patch
without one would be told by a look at its pixels, and which patches count is the key's secret. The patches themselves
are no secret: whoever has the scene finds all of them, and can paint over all of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np

from inferix.proofs.rendering import FloatArray
from inferix.proofs.rendering.angv import Box, Camera, Mark, contrast_levels, draw_marks, place, wave
from node.engines.blender.inside.choice import chosen_layer
from node.engines.blender.inside.marks import patches, view
from node.engines.blender.inside.marks.surfaces import LAYER, Light, Surface, Surfaces, colour_of

PER_PIXEL: Final = 8
"""Pixels of a patch's picture for each of the frame, each way."""

_PASSES: Final = ("diffuse_direct", "diffuse_indirect", "diffuse_color", "emit")
_DEPTH: Final = 0.25  # of the wave: a frame shows a mark's mean alone, and colours have little room
_SAMPLES: Final = 4


@dataclass(frozen=True, slots=True)
class Patch:
    """A mark on a surface. ``share``: of its colour that is added on average, more than -1."""

    mark: Mark
    box: Box
    surface: Surface
    share: float

    @property
    def window(self) -> Box:
        """What is cut out and painted."""
        return self.box.grown()


@dataclass
class Baked:
    """Marks that are in a scene. Nothing in the scene says what it was before: this does, until `remove`."""

    placed: view.Placed = ()
    _meshes: list[tuple[Any, Any]] = field(default_factory=list, repr=False)
    _modifiers: list[Any] = field(default_factory=list, repr=False)
    _materials: list[Any] = field(default_factory=list, repr=False)
    _images: list[Any] = field(default_factory=list, repr=False)

    def remove(self) -> int:
        """Make the scene what it was; how many patches there were, marks and others."""
        for owner, mesh in self._meshes:
            cut, owner.data = owner.data, mesh
            bpy.data.meshes.remove(cut)
        for modifier in self._modifiers:
            modifier.show_render = modifier.show_viewport = True
        for material in self._materials:
            bpy.data.materials.remove(material)
        for image in self._images:
            bpy.data.images.remove(image)
        count = len(self._images)
        self.placed, self._meshes, self._modifiers, self._materials, self._images = (), [], [], [], []
        return count

    def paint(self, scene: Any, camera: Camera, group: Sequence[Patch], only: int | None) -> None:
        """Cut all patches of one object out of a mesh of its own, and paint them; ``only``: for this frame."""
        colours = [_coloured(scene, camera, patch) for patch in group]
        owner = group[0].surface.owner
        mesh = self._as_seen(owner)
        self._meshes.append((owner, owner.data))
        layer = (mesh.uv_layers.get(LAYER) or mesh.uv_layers.new(name=LAYER, do_init=False)).name
        cuts = []
        for patch, colour in zip(group, colours, strict=True):
            picture = _picture(owner.name, colour)
            material = _painted(patch.surface.material, picture, layer, only)
            self._images.append(picture)
            self._materials.append(material)
            cuts.append(patches.Cut(patch.window, patch.surface, len(mesh.materials)))
            mesh.materials.append(material)
        patches.cut(mesh, np.array(owner.matrix_world), camera, cuts, layer)
        owner.data = mesh

    def _as_seen(self, owner: Any) -> Any:
        """A copy of an object's mesh, as its modifiers make it, which are switched off."""
        shown = [item for item in owner.modifiers if item.show_render]
        if not shown:
            return owner.data.copy()
        depsgraph = bpy.context.evaluated_depsgraph_get()
        mesh = bpy.data.meshes.new_from_object(
            owner.evaluated_get(depsgraph), preserve_all_data_layers=True, depsgraph=depsgraph
        )
        mesh.use_auto_texspace = False  # generated textures lie by the box of the mesh that the client made
        mesh.texspace_location, mesh.texspace_size = owner.data.texspace_location, owner.data.texspace_size
        for modifier in shown:
            modifier.show_render = modifier.show_viewport = False
        self._modifiers += shown
        return mesh


def embed(
    scene: Any,
    frame: int,
    key: bytes,
    width: int,
    height: int,
    *,
    count: int,
    target: float,
    threads: int = 0,
    only: bool = False,
    least: int = 0,
) -> Baked:
    """Bake the marks of a key into what is seen in a frame. Marks that no surface can carry are left out.

    ``target``: error of each mark before the pixel filter, in levels of 255 (`contrast_levels`); ``only``: other frames
    show the surfaces as they were; ``least``: with fewer marks none is baked.

    :raises ValueError: as `view.camera_of`.
    """
    surfaces = _surfaces(scene, frame, width, height, threads)
    camera, found = surfaces.camera, dict[Box, Patch]()

    def usable(mark: Mark, box: Box) -> bool:
        patch = _patch(surfaces, mark, box, target)
        if patch is not None:
            found[box] = patch
        return patch is not None

    marks = draw_marks(key, 2 * count)
    everything = place(key, marks, camera, surfaces.preview, usable)
    baked = Baked([item for item in everything if item[0] in marks[:count]])
    if len(baked.placed) < least:
        return Baked()
    groups: dict[str, list[Patch]] = {}
    for patch in sorted(found.values(), key=lambda patch: (patch.box.y, patch.box.x)):  # or their order told marks
        groups.setdefault(patch.surface.owner.name, []).append(patch)
    for group in groups.values():
        baked.paint(scene, camera, group, frame if only else None)
    return baked


def places(
    scene: Any,
    frame: int,
    keys: Sequence[bytes],
    width: int,
    height: int,
    *,
    count: int,
    target: float,
    threads: int = 0,
) -> list[view.Placed]:
    """Where `embed` would put the marks of each of these keys that count; the scene stays as it is.

    :raises ValueError: as `view.camera_of`.
    """
    surfaces = _surfaces(scene, frame, width, height, threads)

    def usable(mark: Mark, box: Box) -> bool:
        return _patch(surfaces, mark, box, target) is not None

    return [place(key, draw_marks(key, count), surfaces.camera, surfaces.preview, usable) for key in keys]


def _surfaces(scene: Any, frame: int, width: int, height: int, threads: int) -> Surfaces:
    """What is to be seen in a frame."""
    channels = view.small_render(scene, frame, width, height, threads, _PASSES)
    camera, preview = view.camera_of(scene, width, height), view.preview_from(channels)
    return Surfaces(scene, camera, preview, _light(channels))


def _light(channels: dict[str, FloatArray]) -> Light:
    direct, indirect, colour, shines = (
        view.colours(channels, name) for name in ("Diffuse Direct", "Diffuse Indirect", "Diffuse Color", "Emission")
    )
    own = view.luminance(colour * (direct + indirect))
    return Light(own, view.luminance(shines), colour.max(axis=-1))


def _patch(surfaces: Surfaces, mark: Mark, box: Box, target: float) -> Patch | None:
    """A mark there; None where nothing can carry it, or not by as many levels as are wanted."""
    window = box.grown()
    surface = surfaces.at(window)
    own = surfaces.follows(surface, window) if surface else 0.0
    if surface is None or own <= 0:
        return None
    light = surfaces.brightness(window)
    wanted = view.encoded(light) + mark.sign * contrast_levels(mark, target) / 255
    share = (view.linear(wanted) - light) / own
    most = share * (1 + _DEPTH)
    fits = 0 <= wanted <= 1 and -1 <= most <= surfaces.headroom(surface, window)
    return Patch(mark, box, surface, share) if fits and share * mark.sign > 0 else None


def _coloured(scene: Any, camera: Camera, patch: Patch) -> FloatArray:
    """The surface's own colour in a patch times one plus the wave, (rows, columns, 3)."""
    box, window = patch.box, patch.window
    socket = colour_of(patch.surface.material)
    rows, columns = window.height * PER_PIXEL, window.width * PER_PIXEL
    if socket.links:
        colour = _rendered_colour(scene, camera, patch.surface, window)
    else:
        colour = np.full((rows, columns, 3), socket.default_value[:3], np.float32)
    down, across = box.height * PER_PIXEL, box.width * PER_PIXEL
    pattern = wave(patch.mark)
    steps = (np.arange(size) * pattern.shape[0] // size for size in (down, across))
    change = 1 + patch.share * (1 + _DEPTH * pattern[np.ix_(*steps)])
    colour[down : 2 * down, across : 2 * across] *= change[..., None]
    return colour.clip(min=0)


def _rendered_colour(scene: Any, camera: Camera, surface: Surface, window: Box) -> FloatArray:
    """What a surface's colour is, as the camera sees it: the object alone, shining in its own colour."""
    plain = surface.material.copy()
    tree, socket = plain.node_tree, colour_of(plain)
    shine = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(socket.links[0].from_socket, shine.inputs["Color"])
    tree.links.new(shine.outputs[0], tree.get_output_node("CYCLES").inputs["Surface"])
    slot, render, cycles = surface.owner.material_slots[surface.slot], scene.render, scene.cycles
    sides = {
        "border_min_x": window.x / camera.width,
        "border_max_x": (window.x + window.width) / camera.width,
        "border_min_y": 1 - (window.y + window.height) / camera.height,
        "border_max_y": 1 - window.y / camera.height,
    }
    size = {"resolution_x": camera.width * PER_PIXEL, "resolution_y": camera.height * PER_PIXEL}
    steps: list[tuple[Any, dict[str, Any]]] = [
        (render, {**size, **sides, "use_border": True, "use_crop_to_border": True, "use_motion_blur": False}),
        (cycles, {"samples": _SAMPLES, "film_exposure": 1.0, "sample_clamp_direct": 0.0}),
        (scene, {"world": None}),
        (chosen_layer(scene), {"world_override": None}),
        (scene.camera.data.dof, {"use_dof": False}),
        (slot, {"material": plain}),
        *((item, {"hide_render": True}) for item in scene.objects if item != surface.owner),
    ]
    try:
        with _changed(steps):
            return view.colours(view.rendered_channels(scene), "Combined")
    finally:
        bpy.data.materials.remove(plain)


@contextmanager
def _changed(steps: Sequence[tuple[Any, dict[str, Any]]]) -> Iterator[None]:
    """These values, until the block ends."""
    before = [(owner, {name: getattr(owner, name) for name in values}) for owner, values in steps]
    try:
        for owner, values in steps:
            for name, value in values.items():
                setattr(owner, name, value)
        yield
    finally:
        for owner, values in before:
            for name, value in values.items():
                setattr(owner, name, value)


def _picture(name: str, colour: FloatArray) -> Any:
    """An image of these linear colours, row 0 on top, which the scene's file holds."""
    rows, columns, _ = colour.shape
    image = bpy.data.images.new(name, columns, rows, float_buffer=True, is_data=True)
    pixels = np.ones((rows, columns, 4), np.float32)
    pixels[..., :3] = colour[::-1]
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image


def _painted(material: Any, picture: Any, layer: str, only: int | None) -> Any:
    """A copy of a material whose colour is a picture, laid out by a layer of coordinates; ``only``: in this frame."""
    made = material.copy()
    tree, socket = made.node_tree, colour_of(made)
    texture, where = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeUVMap")
    texture.image, texture.extension = picture, "EXTEND"
    where.uv_map = layer
    tree.links.new(where.outputs[0], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], socket if only is None else _in_frame(tree, socket, only))
    return made


def _in_frame(tree: Any, socket: Any, frame: int) -> Any:
    """Where the colour goes that a socket shall have in one frame; in all others it has its own."""
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type = "RGBA"
    inputs = {item.identifier: item for item in node.inputs}
    if socket.links:
        tree.links.new(socket.links[0].from_socket, inputs["A_Color"])
    else:
        inputs["A_Color"].default_value = socket.default_value
    for at in (frame - 1, frame, frame + 1):
        inputs["Factor_Float"].default_value = float(at == frame)
        inputs["Factor_Float"].keyframe_insert("default_value", frame=at)
    tree.links.new(next(item for item in node.outputs if item.identifier == "Result_Color"), socket)
    return inputs["B_Color"]
