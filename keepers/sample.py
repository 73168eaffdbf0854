# SPDX-License-Identifier: Apache-2.0
"""The sample scene that speeds and work are measured with, and the unit node's time for one frame of it."""

import json
from dataclasses import dataclass
from pathlib import Path

from inferix.errors import Misconfigured


@dataclass(frozen=True)
class SampleScene:
    """``t0_milliseconds``: T0_G, the standard unit node's time for one frame."""

    path: Path
    t0_milliseconds: int

    def speed(self, milliseconds: int) -> int:
        """Inferix Bench in micro-IB of a node that took so long: T0_G / T_G, rounded down, at least 1."""
        return max(1, self.t0_milliseconds * 10**6 // max(1, milliseconds))


def load_sample(manifest: Path) -> SampleScene:
    """The scene that a manifest names: ``{"scene": "unit.blend", "t0_milliseconds": 50}``, beside it."""
    try:
        data = json.loads(manifest.read_text())
        scene, t0 = manifest.parent / str(data["scene"]), int(data["t0_milliseconds"])
    except (OSError, ValueError, KeyError) as error:
        raise Misconfigured(f"{manifest} is no manifest of a sample scene: {error!r}") from error
    if t0 <= 0 or not scene.is_file():
        raise Misconfigured(f"{manifest} names {scene} and {t0} ms: the file must exist and the time be positive")
    return SampleScene(scene, t0)
