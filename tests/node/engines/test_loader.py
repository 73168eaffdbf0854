# SPDX-License-Identifier: Apache-2.0
"""Finding an engine by name."""

import pytest

from node.engines import EngineMissing, EngineSettings, load_engine
from node.engines.blender.host import BlenderEngine


class NoEngine:
    """Lacks what an engine has."""


def test_blender_comes_along() -> None:
    engine = load_engine("blender", EngineSettings(threads=1))
    assert isinstance(engine, BlenderEngine)
    assert engine.settings.threads == 1


@pytest.mark.parametrize("name", ["forgers:AnotherScene", "dies_mid_task:DiesMidTask"])
def test_a_plug_in_is_found_by_module_and_class(name: str) -> None:
    engine = load_engine(f"tests.adversaries.{name}")
    assert type(engine).__name__ == name.partition(":")[2]
    assert engine.name == "blender"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("blendre", "known: blender"),
        ("", "known: blender"),
        ("no.such.module:Engine", "cannot be imported"),
        ("node.engines.base:NoSuchClass", "cannot be imported"),
        (f"{__name__}:NoEngine", "lacks build, inspect, pack, open"),
    ],
)
def test_what_is_no_engine_is_refused_with_a_reason(name: str, reason: str) -> None:
    with pytest.raises(EngineMissing, match=reason):
        load_engine(name)
