# SPDX-License-Identifier: Apache-2.0
"""The noise engine with a client's side: packing is copying, ``SCENE broken`` has a problem, ``SCENE big`` is padded,
``SCENE beside`` has a texture beside it."""

import shutil
from pathlib import Path

from node.engines import SCENES_OWN, Choice, Problem, Request, SceneReport
from tests.node.noise_engine import NoiseEngine


class PlainEngine(NoiseEngine):
    """For pre-flights."""

    def inspect(self, package: Path, request: Request | None = None, choice: Choice = SCENES_OWN) -> SceneReport:
        broken = b"broken" in package.read_bytes()
        problems = (Problem("missing_texture", "wood.png is not packed"),) if broken else ()
        warnings = (Problem("slow", "this takes a while", "warning"),)
        return SceneReport(problems + warnings, 1, 2, 24.0, 64, 48, 16, "Camera", "noise", self.build())

    def pack(self, scene: Path, output: Path) -> SceneReport:
        shutil.copy(scene, output)
        if b"big" in scene.read_bytes():
            with output.open("ab") as file:
                file.write(bytes(800_000))
        beside = (("wood.png", 5_000),) if b"beside" in scene.read_bytes() else ()
        return SceneReport((), 1, 2, 24.0, 64, 48, 16, "Camera", "noise", self.build(), packed=beside)
