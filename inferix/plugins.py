# SPDX-License-Identifier: Apache-2.0
"""Engines for programs that are no nodes: the client's pre-flight, a keeper's quotes and benchmark checks.

Engines live with the node (its extra brings Blender), and no program imports another; so they are found at run time and
absent where that extra is not installed. ``docs/engines.md`` says what they can do.
"""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inferix.errors import Misconfigured


def engine_values() -> Any:
    """The module with the engines' values: Request, RenderSettings, Tile, EngineSettings, read_crops."""
    try:
        return importlib.import_module("node.engines")
    except ImportError as error:
        raise Misconfigured("this needs a rendering engine: run `python3 tools/setup.py node` in the clone") from error


def load_engine(name: str = "blender", *, threads: int = 0, unsafe: bool = False) -> Any:
    """An engine plug-in by name. Raises Misconfigured when its package is not installed."""
    values = engine_values()
    return values.load_engine(name, values.EngineSettings(threads=threads, unsafe=unsafe))


def read_picture(png: Path, work: Path) -> Any:
    """(height, width, 3 or 4) uint8 of a stranger's PNG, read in a sandbox of its own; BadResult (Corrupt) when it is
    none."""
    engine_values()
    return importlib.import_module("node.engines.crops").read_picture(png, work)


def read_crops(exr: Path, settings: Any, tiles: Sequence[Any], work: Path) -> list[Any]:
    """Crops of a stranger's EXR, parsed in a sandbox of its own; BadResult (Corrupt) when it is malformed."""
    engine_values()
    found: list[Any] = importlib.import_module("node.engines.crops").read_crops(exr, settings, tiles, work)
    return found
