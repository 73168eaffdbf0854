# SPDX-License-Identifier: Apache-2.0
"""Builds unit.blend: the sample scene that speed is measured by. Plaster, lacquer, metal and glass under two lamps.

It is small, so that a machine without a GPU ends in seconds, and it uses every kind of ray that a frame needs.
Run it with the project's Python: ``python assets/scenes/make_unit_scene.py``. Results of another version of this file
cannot be compared: give it another name then.
"""

import math
from pathlib import Path
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
from make_demo_scene import diffuse, empty_scene, finish, glass, metal, save

OUTPUT: Final = Path(__file__).with_name("unit.blend")


def main() -> None:
    """Build the scene and save it beside this script."""
    scene = empty_scene("Unit")
    scene.frame_start = scene.frame_end = 1
    scene.render.resolution_x, scene.render.resolution_y = 320, 180
    scene.cycles.samples = 16
    scene.cycles.max_bounces = 8
    world = bpy.data.worlds.new("Dusk")
    scene.world = world
    background = next(node for node in world.node_tree.nodes if node.bl_idname == "ShaderNodeBackground")
    background.inputs["Color"].default_value = (0.12, 0.16, 0.24, 1)
    room()
    still_life()
    lamp("Key", (3.2, -2.4, 3.6), (52, 0, 54), 320, (1.0, 0.86, 0.70))
    lamp("Rim", (-3.4, 1.6, 2.2), (68, 0, -112), 160, (0.60, 0.78, 1.0))
    camera(scene)
    save(OUTPUT)


def room() -> None:
    plaster = diffuse("Plaster", (0.56, 0.53, 0.50))
    bpy.ops.mesh.primitive_plane_add(size=14)
    finish("Floor", plaster)
    bpy.ops.mesh.primitive_plane_add(size=14, location=(0, 3.4, 0), rotation=(math.radians(90), 0, 0))
    finish("Wall", plaster)


def still_life() -> None:
    balls = (
        ("Glass", (-1.45, -0.2, 0.62), 0.62, glass("Glass", (0.96, 0.99, 1.0))),
        ("Lacquer", (0.0, 0.5, 0.8), 0.8, diffuse("Lacquer", (0.60, 0.05, 0.04), gloss=0.5)),
        ("Metal", (1.5, -0.1, 0.55), 0.55, metal("Brass", (0.92, 0.66, 0.30), 0.18)),
    )
    for name, place, radius, material in balls:
        bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32, radius=radius, location=place)
        finish(name, material)
    bpy.ops.mesh.primitive_torus_add(major_radius=0.5, minor_radius=0.13, location=(0.15, -1.0, 0.13))
    finish("Ring", metal("Steel", (0.8, 0.83, 0.88), 0.05))


def lamp(
    name: str, place: tuple[float, float, float], angles: tuple[float, float, float], power: float, colour: Any
) -> None:
    light = bpy.data.lights.new(name, "AREA")
    light.energy, light.size, light.color = power, 1.6, colour
    owner = bpy.data.objects.new(name, light)
    owner.location, owner.rotation_euler = place, tuple(math.radians(angle) for angle in angles)
    bpy.context.collection.objects.link(owner)


def camera(scene: Any) -> None:
    data = bpy.data.cameras.new("Camera")
    data.lens = 50
    owner = bpy.data.objects.new("Camera", data)
    owner.location, owner.rotation_euler = (0.0, -7.4, 2.1), (math.radians(79), 0, 0)
    scene.collection.objects.link(owner)
    scene.camera = owner


if __name__ == "__main__":
    main()
