# SPDX-License-Identifier: Apache-2.0
"""Engines: plug-ins that turn a client's package into results, each in a sandbox. See docs/engines.md."""

from node.engines.base import (
    BadPackage,
    BadResult,
    Benchmark,
    Cost,
    Device,
    Engine,
    EngineError,
    EngineMissing,
    EngineSettings,
    EngineStopped,
    Film,
    FloatArray,
    Preview,
    Problem,
    Progress,
    RawFrame,
    RenderSettings,
    Request,
    SceneReport,
    Session,
    Still,
)
from node.engines.loader import load_engine

__all__ = [
    "BadPackage", "BadResult", "Benchmark", "Cost", "Device", "Engine", "EngineError", "EngineMissing",
    "EngineSettings", "EngineStopped", "Film", "FloatArray", "Preview", "Problem", "Progress", "RawFrame", "RenderSettings", "Request",
    "SceneReport", "Session", "Still", "load_engine",
]  # fmt: skip
