# SPDX-License-Identifier: Apache-2.0
"""Blender on the scenes that come with the project, small."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.engines import EngineSettings, RenderSettings
from node.engines.blender.host import BlenderEngine
from node.engines.blender.session import BlenderSession

SCENES = Path(__file__).parents[3] / "assets" / "scenes"
DEMO = SCENES / "demo.blend"
SMALL = RenderSettings(160, 90, 8)


@pytest.fixture(scope="session")
def blender() -> BlenderEngine:
    return BlenderEngine(EngineSettings(threads=2))


@pytest.fixture(scope="session")
def demo(blender: BlenderEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlenderSession]:
    """One running Blender with the demo scene, for all tests that do no harm to it."""
    with blender.open(DEMO, tmp_path_factory.mktemp("demo")) as session:
        yield session
