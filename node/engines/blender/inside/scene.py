# SPDX-License-Identifier: Apache-2.0
"""Loads a package without running anything in it, says what is wrong with it."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]

from node.engines.blender.inside.choice import Found
from node.engines.blender.inside.packing import nodes

MAX_SIDE: Final = 16_384
_SIMULATIONS: Final = {"CLOTH", "SOFT_BODY", "DYNAMIC_PAINT", "FLUID"}


class PackageError(Exception):
    """The package cannot be used; ``code`` as in node.engines.base.Problem."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def build() -> str:
    """Version and build hash of this Blender."""
    return f"{bpy.app.version_string} {bpy.app.build_hash.decode()}"


def load(path: str) -> Any:
    """Open a .blend with factory settings and scripts off; returns its scene.

    :raises PackageError: it cannot be read, or was written by a newer Blender.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    try:
        bpy.ops.wm.open_mainfile(filepath=path, use_scripts=False, load_ui=False)
    except RuntimeError as error:
        text = str(error).replace(path, PurePath(path).name).strip()
        code = "truncated" if "DNA" in text or "end of file" in text else "not_blend"
        raise PackageError(
            f"Blender cannot read the file, it is cut off or damaged: save it again ({text})", code
        ) from error
    version, own = tuple(bpy.data.version[:2]), tuple(bpy.app.version[:2])
    if version > own:
        saved, here = f"{version[0]}.{version[1]}", bpy.app.version_string
        message = f"saved by Blender {saved}, this network renders with {here}: save it with that version"
        raise PackageError(message, "too_new")
    return bpy.context.scene


def report(scene: Any, request: dict[str, int] | None, found: Sequence[Found] = ()) -> dict[str, object]:
    """What the scene holds and every problem found, as a SceneReport in JSON. ``found``: when it was loaded."""
    render = scene.render
    width = render.resolution_x * render.resolution_percentage // 100
    height = render.resolution_y * render.resolution_percentage // 100
    asked = request or {
        "first_frame": scene.frame_start,
        "last_frame": scene.frame_end,
        "width": width,
        "height": height,
    }
    problems = [*_files(), *_scripts(), *_setup(scene, asked), *_simulations(scene)]
    problems += [_problem(*item) for item in found]
    return {
        "problems": problems,
        "first_frame": scene.frame_start,
        "last_frame": scene.frame_end,
        "fps": render.fps / render.fps_base,
        "width": width,
        "height": height,
        "samples": scene.cycles.samples if hasattr(scene, "cycles") else 0,
        "camera": scene.camera.name if scene.camera else "",
        "engine": render.engine,
        "build": build(),
    }


def save(output: str) -> None:
    """Write the open .blend to ``output``."""
    bpy.ops.wm.save_as_mainfile(filepath=output, copy=True, compress=True, check_existing=False)


def _problem(code: str, message: str, name: str = "", severity: str = "error") -> dict[str, str]:
    return {"code": code, "message": message, "name": name, "severity": severity}


def _files() -> Iterator[dict[str, str]]:
    """External files: in the sandbox there is nothing beside the package, so all of them are missing."""
    libraries = {library.filepath for library in bpy.data.libraries}
    unseen = {item.filepath for item in (*bpy.data.sounds, *bpy.data.texts)} | set(_strip_paths())
    for path in sorted(set(bpy.utils.blend_paths(absolute=False, packed=False, local=False))):
        name = PurePath(path.replace("\\", "/").removeprefix("//")).as_posix()
        if path in libraries:
            yield _problem(
                "library", f"the linked library {name} is not in the package: make its data local, or pack it", name
            )
        elif path in unseen:
            yield _problem(
                "missing_file", f"{name} is not in the package; the pictures do not need it", name, "warning"
            )
        else:
            yield _problem(
                "missing_file", f"{name} is not in the package: pack it (File > External Data > Pack Resources)", name
            )


def _strip_paths() -> Iterator[str]:
    for scene in bpy.data.scenes:
        for strip in scene.sequence_editor.strips_all if scene.sequence_editor else ():
            sound = getattr(strip, "sound", None)
            yield getattr(strip, "filepath", "") or (sound.filepath if sound else "")
            if strip.type == "IMAGE":
                yield from (str(Path(strip.directory) / element.filename) for element in strip.elements)


def _scripts() -> Iterator[dict[str, str]]:
    """What would need Python: it never runs here, and a scene that needs it would look different without."""
    for text in bpy.data.texts:
        if text.use_module:
            yield _problem(
                "scripts",
                f"text {text.name} is marked Register, to run on load: scripts never run here; bake what it does",
                text.name,
            )
    for owner, driver in _drivers():
        if driver.driver.type == "SCRIPTED" and not driver.driver.is_simple_expression:
            where, expression = f"{owner.name}: {driver.data_path}", driver.driver.expression
            yield _problem(
                "scripts", f"the driver of {where} needs Python ({expression!r}): bake it to keyframes", where
            )
    for node in nodes():
        if node.bl_idname == "ShaderNodeScript":
            yield _problem("scripts", f"the shader node {node.name} runs a script (OSL): use built-in nodes", node.name)
    for camera in bpy.data.cameras:
        if camera.type == "CUSTOM":
            yield _problem(
                "scripts", f"the lens of the camera {camera.name} is a script (OSL): use another", camera.name
            )


def _drivers() -> Iterator[tuple[Any, Any]]:
    for owner in bpy.data.user_map():
        for block in (owner, getattr(owner, "node_tree", None)):
            animation = getattr(block, "animation_data", None)
            for driver in animation.drivers if animation else ():
                yield owner, driver


def _setup(scene: Any, asked: dict[str, int]) -> Iterator[dict[str, str]]:
    if scene.camera is None:
        yield _problem(
            "no_camera", f"scene {scene.name} has no active camera: choose one (Scene properties > Camera)", scene.name
        )
    if scene.render.engine != "CYCLES":
        yield _problem(
            "not_cycles",
            f"scene {scene.name} is set to {scene.render.engine}: this network renders with Cycles",
            scene.name,
        )
    first, last = asked["first_frame"], asked["last_frame"]
    if last < first or first < scene.frame_start or last > scene.frame_end:
        own = f"{scene.frame_start}-{scene.frame_end}"
        yield _problem(
            "frames_outside", f"frames {first}-{last} are not within the scene's {own}: ask for some of these"
        )
    width, height = asked["width"], asked["height"]
    if not (4 <= width <= MAX_SIDE and 4 <= height <= MAX_SIDE):
        yield _problem("bad_resolution", f"{width}x{height} pixels: each side has to be within 4 and {MAX_SIDE}")


def _simulations(scene: Any) -> Iterator[dict[str, str]]:
    """A simulation that is not baked depends on which frames were computed before."""
    for owner in scene.objects:
        for modifier in owner.modifiers:
            cache = getattr(modifier, "point_cache", None)
            if modifier.type == "PARTICLE_SYSTEM" and modifier.particle_system.settings.type != "HAIR":
                cache = modifier.particle_system.point_cache
            if (cache is not None and not cache.is_baked) or (modifier.type in _SIMULATIONS and cache is None):
                where = f"{owner.name}: {modifier.name}"
                yield _problem(
                    "not_baked", f"the simulation {where} is not baked into the file: bake it, in memory", where
                )
    world = scene.rigidbody_world
    if world is not None and world.enabled and not world.point_cache.is_baked:
        yield _problem("not_baked", f"the rigid bodies of {scene.name} are not baked: bake them, in memory", scene.name)
