# SPDX-License-Identifier: Apache-2.0
"""How far two machines agree about the same tiles, and how far each agrees with what a cheat would have delivered.

A sample is what one machine made of tiles that everybody can work out: of these packages, frames and sizes, honestly
and as forgeries. Two samples beside each other are the counts that calibrate a pair of device classes
(`inferix.proofs.calibration`). Its file is NumPy's (.npz, no pickles), so that operators can send it.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from inferix.errors import Corrupt, InvalidInput
from inferix.proofs.calibration import Calibration, Counted, Kind, Pair, Tolerance
from inferix.proofs.rendering.compare import CHANNELS, FloatArray, TileMeasure, measure
from inferix.proofs.rendering.tiles import TILE_SIZE, Tile, frame_seed, tile_plan

TILES: Final = 60
HONEST: Final = "honest"
OTHER_SEED: Final = "another seed"
EIGHTHS: Final = {"7/8 samples": 7, "1/2 samples": 4, "1/4 samples": 2, "1/8 samples": 1}
CLASSES: Final = (HONEST, *EIGHTHS, OTHER_SEED)
CLAIMED_PPM: Final = 900_000
"""A forgery is claimed where at least so many of its informative tiles fail."""

MOST_BYTES: Final = 1 << 28
_MOST_SHOTS: Final = 512
_ABOUT: Final = "about"


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame: ``package``: its file's SHA-256 in hex; size in pixels; ``samples`` per pixel, a multiple of eight."""

    package: str
    name: str
    frame: int
    width: int
    height: int
    samples: int

    def __post_init__(self) -> None:
        if len(self.package) != 64 or self.samples < 8 or self.samples % 8:
            raise ValueError("a package's SHA-256 has 64 hex digits, and samples are a multiple of eight")

    def seed(self, kind: str) -> int:
        """Of a class's frame; all share the honest one's but `OTHER_SEED`."""
        return frame_seed(bytes.fromhex(self.package), 0, int(kind == OTHER_SEED), self.frame)

    def samples_of(self, kind: str) -> int:
        """Samples per pixel that a class's frame gets."""
        return self.samples * EIGHTHS.get(kind, 8) // 8

    def tiles(self) -> tuple[Tile, ...]:
        """Where it is looked at."""
        draw = bytes.fromhex(self.package)
        return tile_plan(draw, draw, 0, 0, self.frame, self.width, self.height, TILES)


@dataclass(frozen=True)
class Sample:
    """One machine's. ``tiles``: by class and shot, (tiles, 8, 8, 10) float32, linear."""

    build: str
    device_class: str
    kernel: str
    tiles: Mapping[Shot, Mapping[str, FloatArray]]

    @property
    def name(self) -> str:
        """What it was made by, for people."""
        return f"{self.device_class} ({self.kernel or 'kernel unknown'})"

    def write(self, path: Path) -> None:
        """A file that `read_sample` reads."""
        about = {"build": self.build, "device_class": self.device_class, "kernel": self.kernel}
        shots = [asdict(shot) for shot in self.tiles]
        body = np.frombuffer(json.dumps({**about, "shots": shots}).encode(), np.uint8)
        arrays: dict[str, Any] = {
            f"{n}/{kind}": rows[kind] for n, rows in enumerate(self.tiles.values()) for kind in CLASSES
        }
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **{_ABOUT: body, **arrays})


def read_sample(path: Path) -> Sample:
    """A sample from its file, which may be a stranger's.

    :raises Corrupt: it is not one. InvalidInput: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST_BYTES:
                raise Corrupt(f"{path.name} would be larger than {MOST_BYTES >> 20} MiB")
        with np.load(path, allow_pickle=False) as parts:
            about = json.loads(parts[_ABOUT].tobytes())
            shots = [Shot(**row) for row in about.pop("shots")]
            if len(shots) > _MOST_SHOTS:
                raise Corrupt(f"{path.name} has more than {_MOST_SHOTS} frames")
            tiles = {
                shot: {kind: _tiles(parts[f"{n}/{kind}"], shot) for kind in CLASSES} for n, shot in enumerate(shots)
            }
            return Sample(**{name: str(value)[:120] for name, value in about.items()}, tiles=tiles)
    except OSError as error:
        raise InvalidInput(f"{path.name} cannot be read: {error.strerror or error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise Corrupt(f"{path.name} is no sample of `inferix bench agreement`: {error}") from error


def _tiles(found: FloatArray, shot: Shot) -> FloatArray:
    if found.dtype != np.float32 or found.shape != (len(shot.tiles()), TILE_SIZE, TILE_SIZE, CHANNELS):
        raise ValueError(f"tiles of shape {found.shape}, {found.dtype}")
    return found


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two samples compared, both ways round. ``equal``: honest tiles with the same bits; ``worst_ppm``: share of an
    honest tile's pixels beyond the tolerance, the largest."""

    one: str
    other: str
    classes: tuple[str, str]
    kind: Kind
    equal: int
    worst_ppm: int
    honest: Counted
    forged: tuple[Counted, ...]


def compare(one: Sample, other: Sample, tolerance: Tolerance) -> Agreement:
    """Tiles of each beside the honest ones of the other. Machines of one kernel are compared bit for bit.

    :raises InvalidInput: no frame is in both, or another Blender made them.
    """
    if one.build != other.build:
        raise InvalidInput(f"made by Blender {one.build} and {other.build}: a build is compared with itself only")
    shots = [shot for shot in one.tiles if shot in other.tiles]
    if not shots:
        raise InvalidInput("no frame is in both: use the same packages, frames, size and samples")
    exact = bool(one.kernel) and (one.device_class, one.kernel) == (other.device_class, other.kernel)
    measures = {kind: _measures(one, other, shots, kind, tolerance, exact) for kind in CLASSES}
    honest = measures[HONEST]
    return Agreement(
        one.name,
        other.name,
        (one.device_class, other.device_class),
        "exact" if exact else "tolerance",
        sum(found.equal for found in honest),
        max(found.share_ppm for found in honest),
        _count(HONEST, honest, exact, tolerance),
        tuple(
            _count(kind, [found for found in measures[kind] if found.informative], exact, tolerance)
            for kind in CLASSES
            if kind != HONEST
        ),
    )


def pairs_of(found: Sequence[Agreement], source: str) -> list[Pair]:
    """What was counted between each two classes, all of it together, for a calibration.

    :raises InvalidInput: it makes no test.
    """
    groups: dict[tuple[str, str, Kind], list[Agreement]] = {}
    for item in found:
        one, other = sorted(item.classes)
        groups.setdefault((one, other, item.kind), []).append(item)
    return [_pair(*key, items, source) for key, items in groups.items()]


def better_known(calibration: Calibration, pair: Pair) -> Pair | None:
    """The one between the same classes, of the same kind, where it counts more honest tiles."""
    known = _in_force(calibration, pair)
    return known if known is not None and known.honest.tiles > pair.honest.tiles else None


def calibrated(calibration: Calibration, pairs: Sequence[Pair], source: str) -> Calibration:
    """With these pairs, in place of those between the same classes.

    :raises InvalidInput: such a one counts more honest tiles.
    """
    for pair in pairs:
        known = better_known(calibration, pair)
        if known is not None:
            raise InvalidInput(
                f"{pair.one} and {pair.other} are calibrated by {known.honest.tiles} honest tiles, and here are "
                f"{pair.honest.tiles}: compare as many (more packages, --frames), or other classes"
            )
    gone = [_in_force(calibration, pair) for pair in pairs]
    kept = [pair for pair in calibration.pairs if pair not in gone]
    return replace(calibration, pairs=(*kept, *pairs), source=source)


def _in_force(calibration: Calibration, pair: Pair) -> Pair | None:
    wanted = {pair.one, pair.other}, pair.kind
    return next((item for item in calibration.pairs if ({item.one, item.other}, item.kind) == wanted), None)


def _pair(one: str, other: str, kind: Kind, items: Sequence[Agreement], source: str) -> Pair:
    honest = _sum([item.honest for item in items])
    forged = [_sum(counted) for counted in zip(*(item.forged for item in items), strict=True)]
    claimed = tuple(item for item in forged if item.at_least_ppm >= CLAIMED_PPM)
    pair = Pair(one, other, kind, honest, claimed, tuple(item for item in forged if item not in claimed), source)
    if pair.honest_ppm >= pair.forged_ppm:
        raise InvalidInput(
            f"{one} and {other}: honest tiles fail in up to {pair.honest_ppm} ppm, forged ones in at least "
            f"{pair.forged_ppm}: more frames may part them; until then this pair stays uncalibrated"
        )
    return pair


def _sum(counted: Sequence[Counted]) -> Counted:
    return Counted(counted[0].name, sum(item.tiles for item in counted), sum(item.failed for item in counted))


def _measures(
    one: Sample, other: Sample, shots: Sequence[Shot], kind: str, tolerance: Tolerance, exact: bool
) -> list[TileMeasure]:
    directions = ((one, other),) if kind == HONEST else ((one, other), (other, one))
    return [
        measure(theirs, own, tolerance, None if exact else another)
        for left, right in directions
        for shot in shots
        for theirs, own, another in zip(
            left.tiles[shot][kind], right.tiles[shot][HONEST], right.tiles[shot][OTHER_SEED], strict=True
        )
    ]


def _count(name: str, measures: Sequence[TileMeasure], exact: bool, tolerance: Tolerance) -> Counted:
    failed = sum(found.fails(tolerance, exact=exact) for found in measures)
    return Counted(name, len(measures), failed)
