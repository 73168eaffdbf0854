# SPDX-License-Identifier: Apache-2.0
"""What the scenes are made of: few shapes, one kind of material, lamps, a camera that moves. Metres and degrees."""

import math
from random import Random
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np

from benchmarks.proof.scenes import shapes

Vector = tuple[float, float, float]
Colour = tuple[float, float, float]

WHITE: Final[Colour] = (0.8, 0.8, 0.78)
_MAX_BOUNCES: Final = 12


class Kit:
    """A new file with one empty Cycles scene. ``rng``: everything random about a variant comes from it."""

    def __init__(self, name: str, variant: int, frames: int) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.rng = Random(f"{name}/{variant}")  # noqa: S311 - repeatable is what it has to be
        self.scene: Any = bpy.context.scene
        self.scene.name = name
        self.scene.frame_start, self.scene.frame_end = 1, frames
        self._frames = frames
        self._meshes: dict[str, Any] = {}
        self._settings()

    def _settings(self) -> None:
        render, cycles = self.scene.render, self.scene.cycles
        render.engine = "CYCLES"
        render.resolution_x, render.resolution_y = 480, 270
        cycles.samples, cycles.max_bounces = 64, _MAX_BOUNCES
        cycles.diffuse_bounces, cycles.glossy_bounces, cycles.transmission_bounces = 4, 4, _MAX_BOUNCES
        cycles.volume_bounces = 0
        cycles.caustics_reflective = cycles.caustics_refractive = False
        self.scene.view_settings.view_transform = "AgX"

    # -- chance

    def between(self, low: float, high: float) -> float:
        """A number of this variant."""
        return self.rng.uniform(low, high)

    def tint(self, saturation: float = 0.6, value: float = 0.6) -> Colour:
        """A colour of this variant, linear."""
        hue = self.rng.random() * 6
        low, part = value * (1 - saturation), hue % 1
        rise, fall = value * (1 - saturation * (1 - part)), value * (1 - saturation * part)
        options = ((value, rise, low), (fall, value, low), (low, value, rise), (low, fall, value))
        return (*options, (rise, low, value), (value, low, fall))[int(hue) % 6]

    # -- materials and light

    def material(self, colour: Colour, rough: float = 0.5, **inputs: float) -> Any:
        """A principled material; ``inputs`` by the names of its sockets, with underscores."""
        made = bpy.data.materials.new("material")
        shader = _shader(made.node_tree, "ShaderNodeBsdfPrincipled")
        shader.inputs["Base Color"].default_value = (*colour, 1)
        shader.inputs["Roughness"].default_value = rough
        for name, value in inputs.items():
            shader.inputs[name.replace("_", " ").title().replace("Ior", "IOR")].default_value = value
        return made

    def glow(self, colour: Colour, strength: float) -> Any:
        """A material that shines."""
        made = self.material((0, 0, 0), emission_strength=strength)
        _shader(made.node_tree, "ShaderNodeBsdfPrincipled").inputs["Emission Color"].default_value = (*colour, 1)
        return made

    def world(self, horizon: Colour, zenith: Colour, strength: float = 1.0) -> None:
        """A sky from the horizon's colour to that overhead, the same below."""
        world = bpy.data.worlds.new("sky")
        self.scene.world = world
        world.cycles.sampling_method = "NONE"  # a map of the sky for sampling takes longer than a small frame
        tree = world.node_tree
        background = _shader(tree, "ShaderNodeBackground")
        where, split, ramp = (
            tree.nodes.new(kind) for kind in ("ShaderNodeTexCoord", "ShaderNodeSeparateXYZ", "ShaderNodeValToRGB")
        )
        tree.links.new(where.outputs["Generated"], split.inputs[0])
        tree.links.new(split.outputs["Z"], ramp.inputs["Fac"])
        tree.links.new(ramp.outputs["Color"], background.inputs["Color"])
        for at, colour in zip(ramp.color_ramp.elements, (horizon, zenith), strict=True):
            at.color = (*colour, 1)
        ramp.color_ramp.elements[1].position = 0.6
        background.inputs["Strength"].default_value = strength

    def lamp(self, place: Vector, power: float, colour: Colour = WHITE, size: float = 1.0, kind: str = "AREA") -> Any:
        """A lamp, watts (a sun: strength). Area lamps and spots look at the origin; turn them with `aim`."""
        light = bpy.data.lights.new("lamp", kind)
        light.energy, light.color = power, colour
        if kind == "AREA":
            light.size = size
        elif kind == "SUN":
            light.angle = math.radians(size)
        else:
            light.shadow_soft_size = size
        owner = self._link("lamp", light)
        owner.location = place
        self.aim(owner, (0, 0, 0))
        return owner

    def fog(self, size: Vector, density: float, colour: Colour = WHITE) -> None:
        """A box full of mist, standing on the ground."""
        made = bpy.data.materials.new("fog")
        tree = made.node_tree
        tree.nodes.clear()
        scatter, output = tree.nodes.new("ShaderNodeVolumeScatter"), tree.nodes.new("ShaderNodeOutputMaterial")
        scatter.inputs["Density"].default_value = density
        scatter.inputs["Color"].default_value = (*colour, 1)
        scatter.inputs["Anisotropy"].default_value = 0.3
        tree.links.new(scatter.outputs[0], output.inputs["Volume"])
        self.put("box", (0, 0, size[2] / 2), size, made)

    # -- things

    def put(self, shape: str, place: Vector, size: Vector | float, material: Any, turn: Vector = (0, 0, 0)) -> Any:
        """A unit shape of `shapes.UNIT` at ``place``, scaled, turned by degrees."""
        if shape not in self._meshes:
            self._meshes[shape] = self._mesh(shape, *shapes.UNIT[shape](), smooth=shape in shapes.SMOOTH)
        owner = self._link(shape, self._meshes[shape])
        owner.location = place
        owner.scale = size if isinstance(size, tuple) else (size, size, size)
        owner.rotation_euler = tuple(math.radians(angle) for angle in turn)
        owner.material_slots[0].link = "OBJECT"
        owner.material_slots[0].material = material
        return owner

    def ground(self, side: float, cells: int, height: float, material: Any) -> Any:
        """Land of rolling hills."""
        waves = [(self.between(0.15, 0.5), self.between(0, 6.3), self.between(0, 6.3)) for _ in range(4)]
        mesh = self._mesh("ground", *shapes.land(side, cells, height, waves), smooth=True)
        mesh.materials[0] = material
        return self._link("ground", mesh)

    def text(self, words: str, place: Vector, size: float, material: Any, turn: Vector = (90, 0, 0)) -> Any:
        """Letters of Blender's own font, a little thick."""
        curve = bpy.data.curves.new("text", "FONT")
        curve.body, curve.size, curve.extrude, curve.resolution_u = words, size, size * 0.04, 3
        curve.materials.append(material)
        owner = self._link("text", curve)
        owner.location, owner.rotation_euler = place, tuple(math.radians(angle) for angle in turn)
        return owner

    def strands(self, points: Any, width: float, material: Any) -> Any:
        """Hair: ``points`` are (strands, points of each, 3)."""
        curves = bpy.data.hair_curves.new("hair")
        count, each, _ = points.shape
        curves.add_curves([each] * count)
        curves.points.foreach_set("position", np.ascontiguousarray(points, np.float32).ravel())
        taper = np.tile(np.linspace(1, 0.25, each, dtype=np.float32), count) * width
        curves.points.foreach_set("radius", taper)
        curves.materials.append(material)
        return self._link("hair", curves)

    # -- motion

    def camera(self, first: Vector, last: Vector, target: Vector, lens: float = 40, shift: Vector = (0, 0, 0)) -> Any:
        """The camera goes from ``first`` to ``last``, its target from ``target`` by ``shift``."""
        data = bpy.data.cameras.new("camera")
        data.lens = lens
        owner = self._link("camera", data)
        aims = (target, (target[0] + shift[0], target[1] + shift[1], target[2] + shift[2]))
        for frame, place, aim in ((1, first, aims[0]), (self._frames, last, aims[1])):
            owner.location = place
            self.aim(owner, aim)
            owner.keyframe_insert("location", frame=frame)
            owner.keyframe_insert("rotation_euler", frame=frame)
        self.scene.camera = owner
        return owner

    def move(self, owner: Any, by: Vector, turn: Vector = (0, 0, 0)) -> None:
        """Let a thing move and turn (degrees) over the shot."""
        place, angles = tuple(owner.location), tuple(owner.rotation_euler)
        for frame, share in ((1, 0.0), (self._frames, 1.0)):
            owner.location = tuple(a + share * b for a, b in zip(place, by, strict=True))
            owner.rotation_euler = tuple(a + share * math.radians(b) for a, b in zip(angles, turn, strict=True))
            owner.keyframe_insert("location", frame=frame)
            owner.keyframe_insert("rotation_euler", frame=frame)

    @staticmethod
    def aim(owner: Any, target: Vector) -> None:
        """Turn a camera or lamp towards a point."""
        x, y, z = (to - at for to, at in zip(target, owner.location, strict=True))
        owner.rotation_euler = (math.atan2(math.hypot(x, y), -z), 0, math.atan2(-x, y))

    # -- within Blender

    def _mesh(self, name: str, points: Any, faces: Any, *, smooth: bool) -> Any:
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(points, [], faces)
        mesh.materials.append(None)
        if smooth:
            mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
        return mesh

    def _link(self, name: str, data: Any) -> Any:
        owner = bpy.data.objects.new(name, data)
        self.scene.collection.objects.link(owner)
        return owner


def _shader(tree: Any, kind: str) -> Any:
    return next(node for node in tree.nodes if node.bl_idname == kind)
