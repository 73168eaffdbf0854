# SPDX-License-Identifier: Apache-2.0
"""The client's own check of a scene before anything leaves the machine, in the engine's sandbox."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from inferix.errors import InvalidInput
from inferix.models.job import RenderSettings
from inferix.plugins import engine_values


class SceneRefused(InvalidInput):
    """The scene cannot be ordered as it is; the message names every problem."""


def prepare(engine: Any, scene: Path, packed: Path, settings: RenderSettings) -> Any:
    """Checks a scene and writes a self-contained copy; the report, whose problems are warnings, and ``packed`` what was
    brought in from beside the scene.

    :raises SceneRefused: with every problem that is more than a warning.
    """
    if not scene.is_file():
        raise SceneRefused(f"{scene}: no such file")
    values = engine_values()
    try:
        copy = engine.pack(scene, packed)  # textures beside the scene are found, the others named
        _refuse(scene, copy)
    except values.BadPackage as error:
        raise SceneRefused(f"{scene} cannot be rendered: {error}") from error
    asked = values.Request(settings.first_frame, settings.last_frame, settings.width, settings.height)
    report = engine.inspect(packed, asked, values.Choice(**settings.choice()))
    _refuse(scene, report)
    return replace(report, packed=copy.packed)


def _refuse(scene: Path, report: Any) -> None:
    problems = [problem for problem in report.problems if problem.severity == "error"]
    if problems:
        raise SceneRefused(f"{scene} cannot be rendered:\n" + "\n".join(f"  - {item.message}" for item in problems))
