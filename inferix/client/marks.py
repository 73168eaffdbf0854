# SPDX-License-Identifier: Apache-2.0
"""Marks (`inferix.proofs.rendering.angv`) in frames of an order: put into its scene before it is sealed, by a key that
the job's key yields, and looked for in a picture later. They say whose frame a picture is, never how well it was made.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferix import jobkeys
from inferix.client.jobfile import JobFile
from inferix.errors import InvalidInput
from inferix.models.job import RenderSettings
from inferix.plugins import engine_values
from inferix.proofs.pictures import load_pictures
from inferix.proofs.rendering.angv import LEAST_MARKS, MARKS, Box, Detector, Mark, angv_key, draw_marks, luma
from inferix.sealing import JobKey

Marks = dict[str, Any]
"""What the job file keeps: ``scene``, SHA-256 (hex) of the package before it had marks, and ``frames``: by frame, of
each mark that was placed which it is of those that the frame's key draws, x and y of its imprint in pixels."""


@dataclass(frozen=True, slots=True)
class Traced:
    """The marked frame that a picture looks like most. ``score``: the matched filter's; ``tried``: so many have."""

    frame: int
    score: float
    tried: int

    @property
    def found(self) -> bool:
        """Whether it is that frame of the job."""
        return self.score > load_pictures().keys.threshold


def spread(settings: RenderSettings, count: int) -> list[int]:
    """So many frames of an order, from its first to its last, evenly; all of them where it has no more."""
    first, last = settings.first_frame, settings.last_frame
    if count > last - first:
        return list(range(first, last + 1))
    if count == 1:
        return [(first + last) // 2]
    return [first + index * (last - first) // (count - 1) for index in range(count)]


def put_in(
    engine: Any, package: Path, output: Path, key: JobKey, settings: RenderSettings, count: int,
    on_progress: Callable[[Any], None],
) -> Marks:  # fmt: skip
    """Write a copy of a package of which ``count`` frames have marks; ``on_progress`` gets the engine's Progress.

    :raises InvalidInput: the engine has no marks, or the camera takes none; BadPackage is one.
    """
    if not hasattr(engine, "mark"):
        raise InvalidInput(f"the engine {engine.name} cannot put marks into frames: order without them")
    with package.open("rb") as file:
        scene = hashlib.file_digest(file, "sha256").digest()
    keys = {frame: _frame_key(key, scene, frame) for frame in spread(settings, count)}
    choice = engine_values().Choice(**settings.choice())
    placed = engine.mark(package, output, keys, (settings.width, settings.height), choice, on_progress)
    return {"scene": scene.hex(), "frames": {str(frame): places for frame, places in placed.items() if places}}


def says(marks: Marks) -> str:
    """What the client is told."""
    frames = marks["frames"]
    if not frames:
        return f"what these frames show can carry fewer than {LEAST_MARKS} marks: they are ordered without"
    counts = ", ".join(f"{len(places)} in frame {frame}" for frame, places in frames.items())
    return f"marks, of {MARKS} each: {counts}; once it is ordered, `inferix trace` looks for them in a picture"


def marked_frames(job_file: JobFile) -> Mapping[str, Any]:
    """Where the marks of each frame are.

    :raises InvalidInput: the job has none.
    """
    frames: Mapping[str, Any] = job_file.marks.get("frames", {})
    if not frames:
        raise InvalidInput(f"no frame of {job_file.name} carries marks: order with `inferix render --marks`")
    return frames


def trace(job_file: JobFile, picture: NDArray[np.uint8]) -> Traced:
    """Which marked frame of a job an 8-bit picture, (height, width, 3 or 4), is, if it is any.

    :raises InvalidInput: the job has no marks, or the picture another size.
    """
    frames = marked_frames(job_file)
    ordered = RenderSettings(**job_file.settings)
    height, width = picture.shape[:2]
    if (width, height) != (ordered.width, ordered.height):
        size = f"{ordered.width}x{ordered.height}"
        raise InvalidInput(f"the picture has {width}x{height} pixels: bring it to the size that was ordered, {size}")
    detector, scene = Detector(luma(picture)), bytes.fromhex(job_file.marks["scene"])
    scores = {
        int(frame): detector.matched(_boxes(_frame_key(job_file.job_key, scene, int(frame)), places))
        for frame, places in frames.items()
    }
    best = max(scores, key=lambda frame: scores[frame])
    return Traced(best, scores[best], len(scores))


def _frame_key(key: JobKey, scene: bytes, frame: int) -> bytes:
    return angv_key(jobkeys.marks_key(key), scene, frame)


def _boxes(key: bytes, places: list[list[int]]) -> list[tuple[Mark, Box]]:
    drawn = draw_marks(key, MARKS)
    return [(drawn[which], Box(x, y, drawn[which].width, drawn[which].height)) for which, x, y in places]
