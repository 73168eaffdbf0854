# SPDX-License-Identifier: Apache-2.0
"""An engine that puts marks in: it writes the keys behind the package, and places all marks side by side."""

from collections.abc import Callable, Mapping
from pathlib import Path

from node.engines import SCENES_OWN, BadPackage, Choice, Progress
from tests.client.plain_engine import PlainEngine

Place = tuple[int, int, int]


class MarkingEngine(PlainEngine):
    """``SCENE flat`` carries no marks, ``SCENE odd`` has a camera that takes none."""

    def mark(
        self,
        package: Path,
        output: Path,
        keys: Mapping[int, bytes],
        size: tuple[int, int],
        choice: Choice = SCENES_OWN,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> dict[int, list[Place]]:
        scene = package.read_bytes()
        if b"odd" in scene:
            raise BadPackage("marks are placed before perspective cameras only: order without marks", "marks")
        output.write_bytes(scene + b"".join(keys.values()))
        return {frame: [] if b"flat" in scene else [(0, 10, 10), (1, 34, 10)] for frame in keys}
