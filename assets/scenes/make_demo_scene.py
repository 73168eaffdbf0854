# SPDX-License-Identifier: Apache-2.0
"""Builds demo.blend: a gyroscope of metal rings around a glass sphere, at dawn. 24 frames, 640x360, no external file.

Run it with the project's Python: ``python assets/scenes/make_demo_scene.py``.
"""

import math
from pathlib import Path
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np
from numpy.typing import NDArray

FRAMES: Final = 24
SKY_WIDTH: Final = 256
# Sine of the elevation, and the linear colour there.
SKY: Final = (
    (-0.40, (0.045, 0.045, 0.110)),
    (-0.10, (0.20, 0.14, 0.30)),
    (-0.01, (0.86, 0.40, 0.34)),
    (0.05, (1.00, 0.60, 0.44)),
    (0.16, (0.52, 0.50, 0.70)),
    (0.40, (0.15, 0.26, 0.58)),
    (0.80, (0.07, 0.13, 0.36)),
)
# Azimuth and elevation in degrees, narrowness, colour.
GLOWS: Final = (
    (50, 3, 90, (0.75, 0.42, 0.20)),
    (25, 16, 8, (0.50, 0.30, 0.16)),
    (-150, 38, 9, (0.75, 1.15, 1.90)),
    (-75, 34, 26, (1.60, 1.40, 1.30)),
)
OUTPUT: Final = Path(__file__).with_name("demo.blend")

Vector = tuple[float, float, float]


def main() -> None:
    """Build the scene and save it beside this script."""
    scene = empty_scene("Dawn gyroscope")
    set_up(scene)
    dawn(scene)
    sun(rotation=(58, 0, -142), strength=2.6)
    island()
    gyroscope()
    satellites()
    camera(scene)
    save(OUTPUT)


def empty_scene(name: str) -> Any:
    """A new file with one empty Cycles scene of 640x360."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.name = name
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 640, 360, 100
    scene.cycles.use_adaptive_sampling = False
    return scene


def save(path: Path) -> None:
    """Save compressed, without keeping the last version beside it."""
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, check_existing=False)


def set_up(scene: Any) -> None:
    scene.frame_start, scene.frame_end = 1, FRAMES
    scene.render.fps = 12
    cycles = scene.cycles
    cycles.samples = 24
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces, cycles.transmission_bounces = 5, 1, 2, 4
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    cycles.use_light_tree = False
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"


def dawn(scene: Any) -> None:
    """The sky as a packed picture: a lookup is far cheaper per ray than the gradients and glows it was made from."""
    world = bpy.data.worlds.new("Dawn")
    scene.world = world
    world.cycles.sampling_method = "NONE"
    image = bpy.data.images.new("Dawn", SKY_WIDTH, SKY_WIDTH // 2, alpha=False, float_buffer=True)
    image.pixels.foreach_set(sky().ravel())
    image.pack()
    tree = world.node_tree
    background = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeBackground")
    texture = tree.nodes.new("ShaderNodeTexEnvironment")
    texture.image = image
    tree.links.new(texture.outputs["Color"], background.inputs["Color"])
    background.inputs["Strength"].default_value = 1.1


def sky() -> NDArray[np.float32]:
    """Equirectangular linear RGBA, bottom row first: colours by elevation, and wide glows, warm and cool."""
    rows, columns = SKY_WIDTH // 2, SKY_WIDTH
    elevation = ((np.arange(rows) + 0.5) / rows - 0.5)[:, None] * math.pi
    azimuth = (0.5 - (np.arange(columns) + 0.5) / columns)[None, :] * 2 * math.pi
    up = np.broadcast_to(np.sin(elevation), (rows, columns))
    across = np.cos(elevation)
    view = np.stack([across * np.cos(azimuth), across * np.sin(azimuth), up], axis=-1)
    heights, colours = zip(*SKY, strict=True)
    pixels = np.ones((rows, columns, 4), np.float32)
    for channel in range(3):
        pixels[..., channel] = np.interp(up, heights, [colour[channel] for colour in colours])
    for towards, height, narrowness, tint in GLOWS:
        strength = (view @ np.array(direction(towards, height))).clip(min=0) ** narrowness
        pixels[..., :3] += strength[..., None] * np.array(tint)
    return pixels


def direction(azimuth: float, elevation: float) -> Vector:
    around, up = math.radians(azimuth), math.radians(elevation)
    return math.cos(around) * math.cos(up), math.sin(around) * math.cos(up), math.sin(up)


def sun(rotation: Vector, strength: float) -> None:
    light = bpy.data.lights.new("Sun", "SUN")
    light.energy, light.angle, light.color = strength, math.radians(4), (1.0, 0.82, 0.62)
    owner = bpy.data.objects.new("Sun", light)
    owner.rotation_euler = tuple(math.radians(angle) for angle in rotation)
    bpy.context.collection.objects.link(owner)


def diffuse(name: str, colour: Vector, gloss: float = 0.0, roughness: float = 0.15) -> Any:
    """Plaster, or with ``gloss`` something lacquered; cheaper than a principled shader and enough here."""
    material, tree, output = new_material(name)
    base = tree.nodes.new("ShaderNodeBsdfDiffuse")
    base.inputs["Color"].default_value = (*colour, 1)
    surface = base.outputs[0]
    if gloss:
        coat, mix, fresnel = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("BsdfGlossy", "MixShader", "Fresnel"))
        coat.inputs["Roughness"].default_value = roughness
        fresnel.inputs["IOR"].default_value = 1.0 + gloss
        tree.links.new(fresnel.outputs[0], mix.inputs[0])
        tree.links.new(surface, mix.inputs[1])
        tree.links.new(coat.outputs[0], mix.inputs[2])
        surface = mix.outputs[0]
    tree.links.new(surface, output.inputs["Surface"])
    return material


def metal(name: str, colour: Vector, roughness: float) -> Any:
    material, tree, output = new_material(name)
    shader = tree.nodes.new("ShaderNodeBsdfGlossy")
    shader.inputs["Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = roughness
    tree.links.new(shader.outputs[0], output.inputs["Surface"])
    return material


def glass(name: str, colour: Vector) -> Any:
    material, tree, output = new_material(name)
    shader = tree.nodes.new("ShaderNodeBsdfGlass")
    shader.inputs["Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = 0.0
    shader.inputs["IOR"].default_value = 1.42
    tree.links.new(shader.outputs[0], output.inputs["Surface"])
    return material


def ember(name: str, colour: Vector, strength: float) -> Any:
    """Glows more where it is seen at an angle, so that its facets show."""
    material, tree, output = new_material(name)
    shader, facing = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeLayerWeight")
    scale = tree.nodes.new("ShaderNodeMath")
    scale.operation = "MULTIPLY_ADD"
    scale.inputs[1].default_value, scale.inputs[2].default_value = strength, 0.7
    shader.inputs["Color"].default_value = (*colour, 1)
    tree.links.new(facing.outputs["Facing"], scale.inputs[0])
    tree.links.new(scale.outputs[0], shader.inputs["Strength"])
    tree.links.new(shader.outputs[0], output.inputs["Surface"])
    return material


def new_material(name: str) -> tuple[Any, Any, Any]:
    material = bpy.data.materials.new(name)
    tree = material.node_tree
    tree.nodes.clear()
    return material, tree, tree.nodes.new("ShaderNodeOutputMaterial")


def finish(name: str, material: Any, smooth: bool = True) -> Any:
    owner = bpy.context.object
    owner.name = name
    owner.data.materials.append(material)
    if smooth:
        for face in owner.data.polygons:
            face.use_smooth = True
    return owner


def island() -> None:
    """Three discs, the top one polished."""
    plates = (
        ("Plate", 2.55, -1.42, 0.16, diffuse("Lacquer", (0.018, 0.035, 0.060), gloss=0.55, roughness=0.08)),
        ("Rim", 2.60, -1.50, 0.05, metal("Brass", (0.90, 0.58, 0.22), 0.22)),
        ("Base", 2.42, -1.66, 0.30, diffuse("Terracotta", (0.30, 0.09, 0.055))),
    )
    for name, radius, height, depth, material in plates:
        bpy.ops.mesh.primitive_cylinder_add(vertices=160, radius=radius, depth=depth, location=(0, 0, height))
        owner = finish(name, material, smooth=False)
        bevel = owner.modifiers.new("Bevel", "BEVEL")
        bevel.width, bevel.segments = 0.03, 3


def gyroscope() -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(segments=96, ring_count=48, radius=0.62, location=(0, 0, 0))
    finish("Glass", glass("Glass", (0.97, 0.99, 1.0)))
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=2, radius=0.27, location=(0, 0, 0))
    core = finish("Core", ember("Ember", (1.0, 0.21, 0.07), 5.0), smooth=False)
    spin(core, (0, 0, 0), (0, 0, 360))
    rings = (
        ("Gold ring", 0.92, 0.060, metal("Gold", (1.0, 0.66, 0.24), 0.12), (72, 8, 20), (72, 188, 20)),
        ("Steel ring", 1.12, 0.045, metal("Steel", (0.78, 0.82, 0.88), 0.06), (15, 60, 0), (195, 60, 0)),
        ("Copper ring", 1.31, 0.065, metal("Copper", (0.96, 0.42, 0.27), 0.2), (90, 0, -35), (90, 0, 145)),
    )
    for name, radius, thickness, material, first, last in rings:
        bpy.ops.mesh.primitive_torus_add(
            major_segments=128, minor_segments=20, major_radius=radius, minor_radius=thickness
        )
        spin(finish(name, material), first, last)


def spin(owner: Any, first: Vector, last: Vector) -> None:
    """Turn at an even pace from the first frame to the one after the last, so that a full turn would loop."""
    for frame, angles in ((1, first), (FRAMES + 1, last)):
        owner.rotation_euler = tuple(math.radians(angle) for angle in angles)
        owner.keyframe_insert("rotation_euler", frame=frame)
    make_linear(owner)


def make_linear(owner: Any) -> None:
    for layer in owner.animation_data.action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                for curve in bag.fcurves:
                    for point in curve.keyframe_points:
                        point.interpolation = "LINEAR"


def satellites() -> None:
    """Lacquered balls around the gyroscope; the small ones travel on a circle."""
    teal = diffuse("Teal", (0.02, 0.30, 0.32), gloss=0.5)
    mustard = diffuse("Mustard", (0.80, 0.42, 0.04), gloss=0.5)
    ivory = diffuse("Ivory", (0.80, 0.74, 0.62), gloss=0.45)
    rose = diffuse("Rose", (0.78, 0.17, 0.22), gloss=0.5)
    resting = (
        (1.72, -0.92, 0.30, teal),
        (-1.80, -0.55, 0.22, ivory),
        (-1.10, 1.75, 0.36, rose),
        (1.25, 1.70, 0.20, mustard),
    )
    for index, (x, y, radius, material) in enumerate(resting):
        bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32, radius=radius, location=(x, y, -1.34 + radius))
        finish(f"Ball {index + 1}", material)
    for index, (phase, material) in enumerate(((20, mustard), (140, teal), (260, ivory))):
        bpy.ops.object.empty_add(location=(0, 0, 0))
        pivot = bpy.context.object
        spin(pivot, (14, 0, phase), (14, 0, phase + 90))
        bpy.ops.mesh.primitive_uv_sphere_add(segments=48, ring_count=24, radius=0.10, location=(1.72, 0, 0))
        finish(f"Satellite {index + 1}", material).parent = pivot


def camera(scene: Any) -> None:
    """A slow arc to the right, always looking at the glass, with a little depth of field."""
    data = bpy.data.cameras.new("Camera")
    data.lens = 46
    data.dof.use_dof, data.dof.aperture_fstop = True, 4.0
    owner = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(owner)
    target = bpy.data.objects.new("Target", None)
    target.location = (0, 0, -0.22)
    scene.collection.objects.link(target)
    data.dof.focus_object = bpy.data.objects["Glass"]
    track = owner.constraints.new("TRACK_TO")
    track.target, track.track_axis, track.up_axis = target, "TRACK_NEGATIVE_Z", "UP_Y"
    for frame in range(1, FRAMES + 2, 4):
        share = (frame - 1) / FRAMES
        angle = math.radians(-112 + 34 * share)
        distance = 8.6 - 0.7 * share
        owner.location = (distance * math.cos(angle), distance * math.sin(angle), 0.95 - 0.25 * share)
        owner.keyframe_insert("location", frame=frame)
    scene.camera = owner


if __name__ == "__main__":
    main()
