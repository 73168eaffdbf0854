# SPDX-License-Identifier: Apache-2.0
"""Marks (`inferix.proofs.rendering.angv`) in frames of an order: put into its scene before it is sealed, by a key that
the job's key yields, and looked for in a picture later. They say whose frame a picture is, never how well it was made.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from inferix import jobkeys
from inferix.client.jobfile import JobFile
from inferix.errors import Corrupt, InvalidInput
from inferix.models.document import Value
from inferix.models.job import RenderSettings
from inferix.plugins import engine_values
from inferix.proofs.pictures import load_pictures
from inferix.proofs.rendering.angv import LEAST_MARKS, MARKS, Box, Detector, Mark, angv_key, draw_marks, luma
from inferix.sealing import JobKey

Pixel = Annotated[int, Field(ge=0, lt=16_384)]
Place = tuple[Annotated[int, Field(ge=0, lt=MARKS)], Pixel, Pixel]
"""Of a mark that was placed: which it is of those that the frame's key draws, x and y of its imprint in pixels."""


class Marks(Value):
    """What the job file keeps of an order's marks. ``scene``: SHA-256 of the package before it had them, hex;
    ``frames``: their places by frame, of those that carry some."""

    scene: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    frames: dict[int, tuple[Place, ...]]


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
    return Marks(scene=scene.hex(), frames={frame: tuple(places) for frame, places in placed.items() if places})


def says(marks: Marks) -> str:
    """What the client is told."""
    if not marks.frames:
        return f"what these frames show can carry fewer than {LEAST_MARKS} marks: they are ordered without"
    counts = ", ".join(f"{len(places)} in frame {frame}" for frame, places in marks.frames.items())
    return f"marks, of {MARKS} each: {counts}; once it is ordered, `inferix trace` looks for them in a picture"


def marks_of(job_file: JobFile) -> Marks:
    """Where the marks of an order are.

    :raises InvalidInput: no frame of it has any. :raises Corrupt: its file does not say so any more.
    """
    try:
        marks = Marks.model_validate_json(json.dumps(job_file.marks)) if job_file.marks else None
    except ValidationError as error:
        raise _damaged(job_file) from error
    if marks is None or not marks.frames:
        raise InvalidInput(f"no frame of {job_file.name} carries marks: order with `inferix render --marks`")
    return marks


def trace(job_file: JobFile, picture: NDArray[np.uint8]) -> Traced:
    """Which marked frame of a job an 8-bit picture, (height, width, 3 or 4), is, if it is any.

    :raises InvalidInput: the job has no marks, or the picture another size. :raises Corrupt: as `marks_of`.
    """
    marks = marks_of(job_file)
    ordered = RenderSettings(**job_file.settings)
    height, width = picture.shape[:2]
    if (width, height) != (ordered.width, ordered.height):
        size = f"{ordered.width}x{ordered.height}"
        raise InvalidInput(f"the picture has {width}x{height} pixels: bring it to the size that was ordered, {size}")
    detector, scene = Detector(luma(picture)), bytes.fromhex(marks.scene)
    try:
        scores = {
            frame: detector.matched(_boxes(_frame_key(job_file.job_key, scene, frame), places))
            for frame, places in marks.frames.items()
        }
    except ValueError as error:  # a place that is not in the picture
        raise _damaged(job_file) from error
    best = max(scores, key=lambda frame: scores[frame])
    return Traced(best, scores[best], len(scores))


def _damaged(job_file: JobFile) -> Corrupt:
    path = job_file.path or job_file.name
    return Corrupt(f"{path} is damaged: it does not say where the marks are; restore a backup")


def _frame_key(key: JobKey, scene: bytes, frame: int) -> bytes:
    return angv_key(jobkeys.marks_key(key), scene, frame)


def _boxes(key: bytes, places: Iterable[Place]) -> list[tuple[Mark, Box]]:
    drawn = draw_marks(key, MARKS)
    return [(drawn[which], Box(x, y, drawn[which].width, drawn[which].height)) for which, x, y in places]
