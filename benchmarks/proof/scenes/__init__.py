# SPDX-License-Identifier: Apache-2.0
"""Scenes of the proof's benchmark, built by scripts: nine kinds, each with as many variants as wanted.

A variant's number decides camera, objects, materials and lights, so that frames of two variants are independent. Every
variant is a short shot of `FRAMES` frames in which something moves. No file is read, nothing is downloaded.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

FRAMES: Final = 3
MIDDLE: Final = 2
"""The frame that is counted: it has one before and one after it."""

NAMES: Final = ("interior", "outdoor", "volume", "hair", "glass", "night", "flight", "text", "studio")


def build(name: str, variant: int) -> Any:
    """Replace what is open in Blender by this variant; returns its scene. Only inside a process that has bpy.

    :raises ValueError: there is no such scene.
    """
    if name not in NAMES:
        raise ValueError(f"there is no scene {name!r}: take one of {', '.join(NAMES)}")
    from benchmarks.proof.scenes.kit import Kit

    make: Callable[[Kit], None] = import_module(f"benchmarks.proof.scenes.{name}").make
    kit = Kit(name, variant, FRAMES)
    make(kit)
    return kit.scene
