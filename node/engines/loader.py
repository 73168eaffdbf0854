# SPDX-License-Identifier: Apache-2.0
"""Finds an engine by name: an entry point of the group ``inferix.engines``, or ``module:Class``."""

import importlib
import os
import sys
from importlib.metadata import entry_points
from typing import Final, cast

from node.engines.base import Engine, EngineMissing, EngineSettings

GROUP: Final = "inferix.engines"
# Those that this project brings along; installing it registers nothing twice.
_OWN: Final = {"blender": "node.engines.blender.host:BlenderEngine"}
_OPERATIONS: Final = ("build", "inspect", "pack", "open")


def load_engine(name: str, settings: EngineSettings | None = None) -> Engine:
    """The engine ``name`` ("blender", another plug-in's name, or "module:Class"), ready to open packages.

    :raises EngineMissing: there is none of this name, it cannot be imported, or it is no engine.
    """
    target = _OWN.get(name) or (name if ":" in name else _entry_point(name))
    if target == name and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a plug-in that is not installed lies where the operator stands
    module_name, _, class_name = target.partition(":")
    try:
        kind = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise EngineMissing(
            f"engine {name!r}: {target} cannot be imported ({error}); install it or correct --engine"
        ) from error
    missing = [operation for operation in _OPERATIONS if not callable(getattr(kind, operation, None))]
    if missing:
        raise EngineMissing(
            f"engine {name!r}: {target} lacks {', '.join(missing)}; see docs/engines.md for what an engine is"
        )
    return cast(Engine, kind(settings or EngineSettings()))


def _entry_point(name: str) -> str:
    for point in entry_points(group=GROUP, name=name):
        return point.value
    known = sorted({*_OWN, *(point.name for point in entry_points(group=GROUP))})
    raise EngineMissing(f"no engine named {name!r}; known: {', '.join(known)}, or give module:Class")
