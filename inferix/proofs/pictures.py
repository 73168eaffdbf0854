# SPDX-License-Identifier: Apache-2.0
"""Thresholds on 8-bit pictures, from counts: of finished ones redone, and of scores of keys. Standard library only.

The file (`write_pictures`) lies beside the calibration of frames and has no part in its name. As there, what is held
are counts, and thresholds follow from ends of 95 % intervals.
"""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from inferix.proofs.calibration import MILLION, Counted

PATH: Final = Path(__file__).with_name("rendering") / "pictures.json"
LEVELS: Final = 255

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PictureTolerance:
    """When two pictures count as different.

    A pixel is off when a channel differs by more than ``levels`` of 255; a picture when more than ``max_share_ppm``
    (parts per million) of its pixels are.

    :raises ValueError: they are out of range, so that no picture differs.
    """

    levels: int
    max_share_ppm: int

    def __post_init__(self) -> None:
        if not (0 <= self.levels < LEVELS and 0 <= self.max_share_ppm < MILLION):
            raise ValueError(f"no picture differs by {self.levels} levels in {self.max_share_ppm} ppm of its pixels")


@dataclass(frozen=True, slots=True)
class Redone:
    """Finished pictures beside their redoing from the same raw frame; those that differ "failed".

    ``honest``: by another process and number of threads; ``forged``: what the tolerance claims to catch; ``others``:
    measured, not claimed.

    :raises ValueError: honest pictures fail as often as forged ones may.
    """

    tolerance: PictureTolerance
    honest: Counted
    forged: tuple[Counted, ...]
    others: tuple[Counted, ...] = ()

    def __post_init__(self) -> None:
        weakest = min(self.forged, key=lambda item: item.at_least_ppm, default=None)
        if weakest is None or self.honest.at_most_ppm >= weakest.at_least_ppm:
            name, least = (weakest.name, weakest.at_least_ppm) if weakest else ("nothing forged", 0)
            most = self.honest.at_most_ppm
            raise ValueError(f"honest pictures fail in up to {most} ppm, {name} in at least {least}: that is no test")


@dataclass(frozen=True, slots=True)
class Keys:
    """Scores of random keys on frames that do not bear their marks (`inferix.proofs.rendering.angv.matched`).

    ``above``: thresholds in thousandths, rising, and how many of the ``keys`` scored above each; ``alpha_ppm``: for how
    many of a million a frame may be taken for marked.

    :raises ValueError: counts that cannot be, or too few keys for any threshold.
    """

    alpha_ppm: int
    keys: int
    above: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        thresholds, counts = [at for at, _ in self.above], [count for _, count in self.above]
        if sorted(set(thresholds)) != thresholds or sorted(counts, reverse=True) != counts:
            raise ValueError("thresholds rise, and no more keys score above a higher one")
        if not 0 < self.alpha_ppm < MILLION:
            raise ValueError(f"of a million keys {self.alpha_ppm} may not be taken for marked: 1 to 999,999 may")
        if all(item.at_most_ppm > self.alpha_ppm for item in self.counted()):
            raise ValueError(f"{self.keys} keys are too few for a threshold that {self.alpha_ppm} ppm may pass")

    def counted(self) -> list[Counted]:
        """How many keys scored above each threshold."""
        return [Counted(f"above {at / 1_000:g}", self.keys, count) for at, count in self.above]

    @property
    def threshold(self) -> float:
        """The least at which the upper end of the interval is at most ``alpha_ppm``."""
        rates = zip(self.above, self.counted(), strict=True)
        return next(at for (at, _), item in rates if item.at_most_ppm <= self.alpha_ppm) / 1_000


@dataclass(frozen=True, slots=True)
class Pictures:
    """Everything that was counted. ``source``: the command that made it, and of what."""

    redone: Redone
    keys: Keys
    source: str


@lru_cache(maxsize=1)
def load_pictures() -> Pictures:
    """The one that this code comes with."""
    return read_pictures(PATH)


def read_pictures(path: Path) -> Pictures:
    """Thresholds from their file.

    :raises ValueError: it is not one, or makes no test. OSError: it cannot be read.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        redone, keys = data.pop("redone"), data.pop("keys")
        for name, found in (("redone", redone), ("keys", keys)):
            if not isinstance(found, dict):
                raise ValueError(f"{name} is {found!r}")
            _whole(found, name)
        several = {name: tuple(Counted(**row) for row in redone.pop(name)) for name in ("forged", "others")}
        tolerance, honest = PictureTolerance(**redone.pop("tolerance")), Counted(**redone.pop("honest"))
        above = tuple((at, count) for at, count in keys.pop("above"))
        return Pictures(Redone(tolerance, honest, **several, **redone), Keys(**keys, above=above), **data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(
            f"{path.name} holds no thresholds on pictures: {what}; `make calibration` writes it"
        ) from error


def write_pictures(path: Path, pictures: Pictures) -> None:
    """Write the file that `read_pictures` reads."""
    path.write_text(json.dumps(asdict(pictures), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _whole(found: object, name: str) -> None:
    """Refuse what is neither a whole number nor a name."""
    if isinstance(found, dict):
        for key, value in found.items():
            _whole(value, f"{name}.{key}")
    elif isinstance(found, list):
        for value in found:
            _whole(value, name)
    elif isinstance(found, bool) or not isinstance(found, int if not name.endswith(".name") else str):
        raise ValueError(f"{name} is {found!r}")
