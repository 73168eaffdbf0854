# SPDX-License-Identifier: Apache-2.0
"""Which of a scene's cameras, view layers and eyes is rendered: chosen when it is loaded, once for a session."""

from collections.abc import Iterator
from typing import Any, Final

EYES: Final = {"left": "_L", "right": "_R"}
"""What Blender appends to the name of an eye's file."""

_EYE: Final = "chosen eye"

Found = tuple[str, str, str, str]  # code, message, name and severity of a problem


def choose(scene: Any, camera: str, layer: str, eye: str) -> list[Found]:
    """Set them, those of the scene itself where nothing is asked for; what there is to say about that."""
    found = [*_missing(scene, camera, layer), *_left_out(scene, layer, eye)]
    if not any(severity == "error" for *_, severity in found):
        _apply(scene, camera, layer, eye)
    return found


def chosen_layer(scene: Any) -> Any:
    """The one view layer that is rendered."""
    return next((layer for layer in scene.view_layers if layer.use), scene.view_layers[0])


def chosen_eye(scene: Any) -> str:
    """The eye that is rendered; empty for the camera's own view."""
    return str(scene.get(_EYE, ""))


def _apply(scene: Any, camera: str, layer: str, eye: str) -> None:
    if camera:
        for marker in scene.timeline_markers:
            marker.camera = None  # or they would switch to theirs
        scene.camera = scene.objects[camera]
    wanted = layer or scene.view_layers[0].name
    for each in scene.view_layers:
        each.use = each.name == wanted
    scene[_EYE] = eye  # and not in the render's settings alone: a finished picture has no eyes
    if eye:
        scene.render.views_format = "STEREO_3D"
        for name in EYES:
            scene.render.views[name].use = name == eye


def _missing(scene: Any, camera: str, layer: str) -> Iterator[Found]:
    cameras = sorted(item.name for item in scene.objects if item.type == "CAMERA")
    if camera and camera not in cameras:
        names = ", ".join(cameras) or "none"
        yield "no_camera", f"the scene has no camera {camera}: choose one of its own ({names})", camera, "error"
    layers = [item.name for item in scene.view_layers]
    if layer and layer not in layers:
        yield "view_layers", f"the scene has no view layer {layer}: choose one of {', '.join(layers)}", layer, "error"


def _left_out(scene: Any, layer: str, eye: str) -> Iterator[Found]:
    first = scene.view_layers[0].name
    if not layer and sum(item.use for item in scene.view_layers) > 1:
        yield "view_layers", f"only the view layer {first} is rendered: order others by name", first, "warning"
    if not eye and scene.render.use_multiview:
        yield "stereo", "the camera's own view is rendered: order the left and the right eye for stereo", "", "warning"
