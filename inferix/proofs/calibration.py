# SPDX-License-Identifier: Apache-2.0
"""How often honest and forged tiles fail, counted, and the thresholds that follow. Standard library only.

The file is JSON (see `write_calibration`); the one that is used lies beside the code it calibrates. Probabilities are
never taken for what was counted: an honest tile fails at most with the upper, a forged one at least with the lower end
of a 95 % confidence interval (Clopper and Pearson), so that a small sample makes a cautious test, not a bold one.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

MILLION: Final = 1_000_000
MICRO: Final = 1_000_000  # micro-nats in a nat
CONFIDENCE_PPM: Final = 950_000
PATH: Final = Path(__file__).with_name("rendering") / "calibration.json"
SLIGHT_PIXELS: Final = 2_560
"""Of a frame: room for ten tiles, four times over."""
_LEAST_FAILURES: Final = 2  # one tile never rejects: memory and disks err too
_BISECTIONS: Final = 60

Kind = Literal["exact", "tolerance"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """When a pixel and a tile count as different across kernels.

    A pixel is off when a channel differs by more than ``absolute + relative * |own value|`` (linear) and ``noise``
    times the tile's noise in that channel; a tile fails when more than ``max_share_ppm`` (parts per million) of its
    pixels are off. Noise shrinks with the root of the samples, and so does what a cheat leaves out: beside it, a cheat
    is as large at a thousand samples as at ten.
    """

    absolute_ppm: int = 1_000
    relative_ppm: int = 4_000
    max_share_ppm: int = 20_000
    noise_ppm: int = 0

    def times(self, numerator: int, denominator: int = 1) -> "Tolerance":
        """As many times as wide for a pixel; of a tile as much may be off as before."""
        pixel = (self.absolute_ppm, self.relative_ppm, self.noise_ppm)
        absolute, relative, noise = (part * numerator // denominator for part in pixel)
        return Tolerance(absolute, relative, self.max_share_ppm, noise)

    @property
    def absolute(self) -> float:
        """Linear, as pixels are."""
        return self.absolute_ppm / MILLION

    @property
    def relative(self) -> float:
        """Of one's own value."""
        return self.relative_ppm / MILLION

    @property
    def noise(self) -> float:
        """Of a tile's noise."""
        return self.noise_ppm / MILLION


@dataclass(frozen=True, slots=True)
class Counted:
    """Tiles of one class, and how many of them failed. Of forgeries only informative tiles are counted.

    :raises ValueError: more failed than there are.
    """

    name: str
    tiles: int
    failed: int

    def __post_init__(self) -> None:
        if not 0 <= self.failed <= self.tiles:
            raise ValueError(f"{self.name}: {self.failed} of {self.tiles} tiles cannot fail")

    @property
    def at_most_ppm(self) -> int:
        """Upper end of the confidence interval of the share that fails, rounded up."""
        return _upper_ppm(self.failed, self.tiles)

    @property
    def at_least_ppm(self) -> int:
        """Lower end, rounded down."""
        return MILLION - _upper_ppm(self.tiles - self.failed, self.tiles)


@dataclass(frozen=True, slots=True)
class Slight:
    """What to make of tiles with some pixels off, too few to fail: several of them are no accident either.

    A frame is rejected when ``needed`` of a draw's first ``tiles`` have more than ``share_ppm`` of their pixels off.
    ``worst``: of ``frames`` honest ones that which had most such, among all that its committee looks at first.

    :raises ValueError: an honest frame had as many, one tile would do, or more are needed than are looked at.
    """

    share_ppm: int
    needed: int
    tiles: int
    frames: int
    worst: Counted

    def __post_init__(self) -> None:
        if not max(self.worst.failed + 1, _LEAST_FAILURES) <= self.needed <= self.tiles:
            raise ValueError(f"{self.needed} of {self.tiles} tiles is no test: an honest frame had {self.worst.failed}")


@dataclass(frozen=True, slots=True)
class Pair:
    """What was counted between two device classes under one rule; the same either way round.

    ``forged``: classes that the rule claims to catch; the weakest of them is what thresholds are made for. ``others``:
    measured, not claimed. ``source``: how it was made, and on what. ``slight``: None where it was not counted.
    """

    one: str
    other: str
    kind: Kind
    honest: Counted
    forged: tuple[Counted, ...]
    others: tuple[Counted, ...] = ()
    source: str = ""
    slight: Slight | None = None

    @property
    def honest_ppm(self) -> int:
        """Probability with which an honest tile fails, at most."""
        return self.honest.at_most_ppm

    @property
    def forged_ppm(self) -> int:
        """Probability with which an informative tile of a claimed forgery fails, at least."""
        return min((item.at_least_ppm for item in self.forged), default=0)


@dataclass(frozen=True)
class Rule:
    """Thresholds of one comparison. ``alpha_ppm``, ``beta_ppm``: how often an honest frame may be rejected, a forged
    one accepted; ``minimum``: tiles without which nothing is decided; ``calibrated``: False where nothing was counted
    between these two, so that a difference blames nobody.

    :raises ValueError: rates with which no test can tell anything.
    """

    exact: bool
    calibrated: bool
    honest_ppm: int
    forged_ppm: int
    alpha_ppm: int
    beta_ppm: int
    minimum: int
    tolerance: Tolerance
    calibration: str = ""
    slight: Slight | None = None

    def __post_init__(self) -> None:
        if not 0 < self.honest_ppm < self.forged_ppm < MILLION:
            raise ValueError(f"honest tiles fail {self.honest_ppm} ppm, forged {self.forged_ppm} ppm: that is no test")
        if not (0 < self.alpha_ppm < MILLION // 2 and 0 < self.beta_ppm < MILLION // 2 and self.minimum >= 1):
            raise ValueError("error rates are in (0, 0.5), and the minimum is at least one tile")

    @property
    def name(self) -> str:
        """What a measurement says it was judged by."""
        return f"{'exact' if self.exact else 'tolerance'} {self.calibration}".strip()

    def evidence(self, failed: int, clean: int) -> int:
        """Micro-nats for a forgery after these tiles; clean ones that are informative."""
        return failed * self._per_failure - clean * self._per_clean

    def is_enough(self, failed: int, clean: int, used: int) -> bool:
        """Whether a frame is rejected after ``used`` tiles, before they are used up: never by one that fails, whatever
        it weighs."""
        are_enough = failed >= _LEAST_FAILURES and used >= self.minimum
        return are_enough and self.evidence(failed, clean) >= self.to_reject

    def of_frame(self, width: int, height: int) -> "Rule":
        """For a frame of this size, in pixels. Slight tiles are judged where the first tiles do not overlap: else one
        would count as often as it is drawn."""
        return self if width * height >= SLIGHT_PIXELS else replace(self, slight=None)

    def against(self, *, accepted: bool) -> "Rule":
        """For judging again, on another machine, a vote that accepted or rejected by this rule.

        Whose renders both are within the tolerance of each other: what is within it of one is within twice of the
        other's, and what is within half of it of one is within all of the other's. So twice speaks against who
        accepted, half against who rejected, and who brings a pixel between two renders convicts neither. Of a tile half
        as much more, or half, may be off. Bit for bit stays what it is.
        """
        if self.exact:
            return self
        pixel, share = ((2, 1), (3, 2)) if accepted else ((1, 2), (1, 2))
        tolerance = self.tolerance.times(*pixel)
        tolerance = replace(tolerance, max_share_ppm=self.tolerance.max_share_ppm * share[0] // share[1])
        slight = self.slight and replace(self.slight, share_ppm=self.slight.share_ppm * share[0] // share[1])
        return replace(self, tolerance=tolerance, slight=slight)

    @cached_property
    def to_reject(self) -> int:
        """Micro-nats from which on a frame is rejected."""
        return _micro_nats((MILLION - self.beta_ppm) / self.alpha_ppm)

    @cached_property
    def to_accept(self) -> int:
        """Micro-nats against a forgery from which on a frame is accepted."""
        return _micro_nats((MILLION - self.alpha_ppm) / self.beta_ppm)

    @cached_property
    def clean_needed(self) -> int:
        """Clean informative tiles, and none that fails, after which a frame is accepted."""
        return max(self.minimum, -(-self.to_accept // self._per_clean))

    def failures_to_reject(self, tiles: int) -> int:
        """When the tiles are used up: failures of ``tiles`` that an honest frame has with less than ``alpha_ppm``."""
        needed, chance = _LEAST_FAILURES, self.honest_ppm / MILLION
        while needed <= tiles and at_least(needed, tiles, chance) * MILLION > self.alpha_ppm:
            needed += 1
        return needed

    @cached_property
    def _per_failure(self) -> int:
        return _micro_nats(self.forged_ppm / self.honest_ppm)

    @cached_property
    def _per_clean(self) -> int:
        return _micro_nats((MILLION - self.honest_ppm) / (MILLION - self.forged_ppm))


@dataclass(frozen=True)
class Calibration:
    """Everything that was counted, and how sure a decision has to be. ``source``: the command that made it."""

    tile_size: int
    tolerance: Tolerance
    alpha_ppm: int
    beta_ppm: int
    minimum: int
    pairs: tuple[Pair, ...]
    source: str

    @cached_property
    def name(self) -> str:
        """Eight hex digits of the SHA-256 of its file: published with every measurement."""
        return sha256(_encode(self)).hexdigest()[:8]

    def without_slight(self) -> "Calibration":
        """The sequential test alone."""
        return replace(self, pairs=tuple(replace(pair, slight=None) for pair in self.pairs))

    def rule(self, worker: str, verifier: str, *, same_build: bool = True, same_kernel: bool = False) -> Rule:
        """Thresholds between two device classes.

        The same build and kernel are compared bit for bit where that was calibrated; the same build on a calibrated
        pair of classes within the tolerance; all else too, but there a difference blames nobody.
        """
        exact = self._pair(worker, verifier, "exact") if same_build and same_kernel else None
        pair = exact or (self._pair(worker, verifier, "tolerance") if same_build else None)
        if pair is not None:
            return self._rule(pair, calibrated=True)
        weakest = min((item for item in self.pairs if item.kind == "tolerance"), key=lambda item: item.forged_ppm)
        return self._rule(weakest, calibrated=False)

    def _pair(self, one: str, other: str, kind: Kind) -> Pair | None:
        wanted = {(one, other), (other, one)}
        return next((item for item in self.pairs if item.kind == kind and (item.one, item.other) in wanted), None)

    def _rule(self, pair: Pair, *, calibrated: bool) -> Rule:
        return Rule(
            exact=pair.kind == "exact",
            calibrated=calibrated,
            honest_ppm=max(pair.honest_ppm, 1),
            forged_ppm=min(pair.forged_ppm, MILLION - 1),
            alpha_ppm=self.alpha_ppm,
            beta_ppm=self.beta_ppm,
            minimum=self.minimum,
            tolerance=self.tolerance,
            calibration=self.name,
            slight=pair.slight if calibrated else None,
        )


@lru_cache(maxsize=1)
def load_calibration() -> Calibration:
    """The one that this code comes with."""
    return read_calibration(PATH)


def read_calibration(path: Path) -> Calibration:
    """A calibration from its file.

    :raises ValueError: it is not one. OSError: it cannot be read.
    """
    try:
        data = json.loads(path.read_text())
        pairs = tuple(_pair(item) for item in data.pop("pairs"))
        found = Calibration(**{**data, "tolerance": Tolerance(**data["tolerance"]), "pairs": pairs})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name} is not a calibration: {error}") from error
    if not any(pair.kind == "tolerance" for pair in pairs):
        raise ValueError(f"{path.name} has no pair that is compared within the tolerance")
    for pair in pairs:
        found._rule(pair, calibrated=True)  # refuses rates that make no test
    return found


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write the file that `read_calibration` reads; what makes no test is refused before anything is written.

    :raises ValueError: as `Rule`.
    """
    for pair in calibration.pairs:
        calibration._rule(pair, calibrated=True)
    path.write_bytes(_encode(calibration))


def _encode(calibration: Calibration) -> bytes:
    data = asdict(calibration)
    for pair in data["pairs"]:
        if pair["slight"] is None:
            del pair["slight"]
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()


def _pair(item: Json) -> Pair:
    counts: dict[str, Sequence[Json]] = {name: item.pop(name) for name in ("forged", "others")}
    several = {name: tuple(Counted(**row) for row in rows) for name, rows in counts.items()}
    slight = _slight(item.pop("slight")) if "slight" in item else None
    return Pair(**{**item, "honest": Counted(**item["honest"]), **several, "slight": slight})


def _slight(item: Json) -> Slight:
    return Slight(**{**item, "worst": Counted(**item["worst"])})


def _micro_nats(ratio: float) -> int:
    return round(math.log(ratio) * MICRO)


def at_least(failures: int, tiles: int, chance: float) -> float:
    """Probability of so many failures or more among independent tiles."""
    below = sum(math.comb(tiles, count) * chance**count * (1 - chance) ** (tiles - count) for count in range(failures))
    return max(0.0, 1 - below)


@lru_cache(maxsize=256)
def _upper_ppm(failed: int, tiles: int) -> int:
    """The rate at which so few failures, or fewer, have half of what the confidence leaves; rounded up."""
    if failed == tiles:
        return MILLION
    tail = (MILLION - CONFIDENCE_PPM) / 2 / MILLION
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if _at_most(failed, tiles, middle) < tail else (middle, high)
    return math.ceil(high * MILLION)


def _at_most(failed: int, tiles: int, chance: float) -> float:
    """Probability of so many failures or fewer, by logarithms: the binomials of thousands of tiles have no float."""
    above = tiles - failed <= failed  # the side with fewer terms
    counts = range(failed + 1, tiles + 1) if above else range(failed + 1)
    ways, yes, no = math.lgamma(tiles + 1), math.log(chance), math.log1p(-chance)
    total = sum(
        math.exp(ways - math.lgamma(count + 1) - math.lgamma(tiles - count + 1) + count * yes + (tiles - count) * no)
        for count in counts
    )
    return max(0.0, 1 - total) if above else min(total, 1.0)
