# SPDX-License-Identifier: Apache-2.0
"""Makes a sample of this machine for `inferix.proofs.rendering.agreement`: one device, some packages, some frames."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from inferix.errors import InvalidInput
from inferix.proofs.rendering import FloatArray
from inferix.proofs.rendering.agreement import CLASSES, Sample, Shot
from node.engines import Device, Engine, Machine, RenderSettings, Session

SCENES: Final = Path(__file__).resolve().parents[1] / "assets" / "scenes"
PACKAGES: Final = (SCENES / "demo.blend", SCENES / "unit.blend")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """What of each package is rendered. ``frames``: how many, from its first one to its last."""

    frames: int = 4
    width: int = 480
    height: int = 270
    samples: int = 64


def machine_of(engine: Engine, package: Path) -> Machine:
    """What the device that this engine was started for is, once it has opened a package.

    :raises EngineMissing: it is not there. EngineStopped: as the engine says.
    """
    with TemporaryDirectory(prefix="inferix-agreement-") as work, engine.open(package, Path(work)) as session:
        return session.machine()


def make_sample(engine: Engine, device: Device, packages: Sequence[Path], size: Size, say: Say) -> Sample:
    """Renders every class's tiles of every frame on the device that this engine was started for.

    ``say`` hears a line for each frame.

    :raises InvalidInput: nothing to render. BadPackage, EngineMissing, EngineStopped: as the engine says.
    """
    found, machine = dict[Shot, dict[str, FloatArray]](), Machine("", "")
    for package in packages:
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        with TemporaryDirectory(prefix="inferix-agreement-") as work, engine.open(package, Path(work)) as session:
            machine = session.machine()
            for shot in _shots(session, package, digest, size):
                say(f"{machine.device_class}: {package.name}, frame {shot.frame}")
                found[shot] = {kind: _render(session, shot, kind, device) for kind in CLASSES}
    if not found:
        raise InvalidInput("name at least one package, and at least one frame")
    return Sample(engine.build(), machine.device_class, machine.kernel, found)


def _shots(session: Session, package: Path, digest: str, size: Size) -> Iterator[Shot]:
    report = session.inspect()
    first, last = report.first_frame, report.last_frame
    count = min(size.frames, last - first + 1)
    for index in range(count):
        frame = first + (last - first) * index // max(count - 1, 1)
        yield Shot(digest, package.name, frame, size.width, size.height, size.samples)


def _render(session: Session, shot: Shot, kind: str, device: Device) -> FloatArray:
    settings = RenderSettings(shot.width, shot.height, shot.samples_of(kind), device)
    return np.stack(session.tiles(shot.frame, shot.seed(kind), settings, shot.tiles()))
