# SPDX-License-Identifier: Apache-2.0
"""Engines that cheat or die, as plug-ins: for the demo and the tests, never part of a node."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from node.engines import SCENES_OWN, Choice, Progress
from node.engines.blender.host import BlenderEngine
from node.engines.blender.session import BlenderSession

SAMPLE = Path(__file__).parents[2] / "assets" / "scenes" / "unit.blend"


class HonestWhenMeasured(BlenderEngine):
    """A cheat that knows the network's sample scene, and does it honestly: it would not be admitted otherwise.

    ``measured``: sessions for that scene.
    """

    measured: type[BlenderSession] = BlenderSession

    def open(
        self,
        package: Path,
        work: Path,
        on_progress: Callable[[Progress], None] | None = None,
        choice: Choice = SCENES_OWN,
    ) -> BlenderSession:
        """An honest session for the sample scene, this class's own for everything else."""
        if is_sample(package):
            honest = type("Measured", (BlenderEngine,), {"session": self.measured})
            return honest(self.settings).open(package, work, on_progress, choice)
        return super().open(self.instead(package, work), work, on_progress, choice)

    def instead(self, package: Path, work: Path) -> Path:
        """What is loaded where a client's package is asked for. ``work``: the session's folder, not there yet."""
        return package


def is_sample(package: Path) -> bool:
    """Whether a package is the scene that the network measures with."""
    return _digest(package) == _digest(SAMPLE)


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
