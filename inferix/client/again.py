# SPDX-License-Identifier: Apache-2.0
"""The client's own proof: an accepted frame rendered again on the client's machine, with the seed it was made with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferix import jobkeys, sealing
from inferix.client.jobfile import JobFile
from inferix.errors import NotFound
from inferix.models.job import RenderSettings
from inferix.models.result import FrameResult, Result
from inferix.plugins import engine_values
from inferix.proofs.rendering import frame_seed
from inferix.storage.blobs import BlobStore
from inferix.storage.cid import Cid
from inferix.storage.files import write_atomic


@dataclass(frozen=True)
class Accepted:
    """A frame as the network accepted it; ``seed``: of this frame, attempt and worker, from the job's key."""

    frame: FrameResult
    result: Result
    seed: int


@dataclass(frozen=True)
class Again:
    """Both renderings. ``pixels``: SHA-256 of the raw RGBA float32 pixels. Only on one device class and build are equal
    inputs equal bits."""

    accepted: Accepted
    pixels: bytes
    device_class: str
    build: str

    @property
    def equal(self) -> bool:
        """Bit for bit."""
        return self.pixels == self.accepted.frame.pixels

    @property
    def comparable(self) -> bool:
        """Whether a difference means anything."""
        return (self.device_class, self.build) == (self.accepted.result.device_class, self.accepted.result.build)


def find_accepted(
    rows: list[dict[str, Any]], read: Callable[[bytes], Result], job_file: JobFile, frame: int
) -> Accepted:
    """The accepted result that holds a frame. ``rows``: of ``/jobs/{id}/results``. Raises NotFound."""
    for row in (row for row in rows if row["kind"] == "render"):
        result = read(bytes.fromhex(row["result"][2:]))
        found = next((item for item in result.frames if item.frame == frame), None)
        if found is not None:
            key = jobkeys.task_key(job_file.job_key, result.task)
            return Accepted(found, result, frame_seed(key, result.attempt, result.node, frame))
    raise NotFound(f"frame {frame} of {job_file.name} is not accepted yet, or was not ordered: see `inferix jobs`")


def fetch_package(store: BlobStore, job_file: JobFile, target: Path) -> None:
    """The package as it was ordered, opened with the job's key."""
    limit = sealing.sealed_size(job_file.package_bytes)

    def opened() -> Iterator[bytes]:
        source = store.open(Cid.parse(job_file.input), limit)
        yield from sealing.open_stream(jobkeys.input_key(job_file.job_key), source)

    write_atomic(target, opened())


def render_again(engine: Any, package: Path, work: Path, job_file: JobFile, accepted: Accepted) -> Again:
    """Renders one frame with its recorded seed, in the engine's sandbox."""
    ordered = RenderSettings(**job_file.settings)
    values = engine_values()
    settings = values.RenderSettings(ordered.width, ordered.height, ordered.samples)
    with engine.open(package, work, None, values.Choice(**ordered.choice())) as session:
        raw = session.render(accepted.frame.frame, accepted.seed, settings)
    return Again(accepted, raw.pixels_sha256, raw.device_class, raw.build)
