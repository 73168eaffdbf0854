# SPDX-License-Identifier: Apache-2.0
"""What the rows of a run come to: rates with intervals, colluding committees, points of operation.

Intervals are Clopper and Pearson's, 95 %, two-sided, over frames: votes and tiles of one frame are not independent of
each other, frames of different cases are. Rates of a single vote are therefore those of the first seat.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import fmean
from typing import Final

from benchmarks.proof.cases import GPU, HONEST, UNCLAIMED, claimed
from benchmarks.proof.journal import Row
from benchmarks.proof.run import RULES, SCALES, THRESHOLDS, scaled
from benchmarks.proof.votes import NEEDED, SEATS
from inferix.proofs import calibration
from inferix.proofs.rendering import (
    DRAWN,
    MILLION,
    TILE_SIZE,
    Calibration,
    Counted,
    Pair,
    Slight,
    load_calibration,
)
from node.tiles import TILES

BASE: Final = "1000"
_LEAST_SLIGHT: Final = 4
"""Of ten, however few honest frames have: they were counted on some scenes, not on all there are."""


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``trials``, and the interval in which the rate lies."""

    count: int
    trials: int

    @property
    def rate(self) -> float:
        """In [0, 1]; 0 without trials."""
        return self.count / self.trials if self.trials else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Its ends, rounded outwards to parts per million."""
        counted = Counted("", self.trials, self.count)
        return counted.at_least_ppm / MILLION, counted.at_most_ppm / MILLION


@dataclass(frozen=True, slots=True)
class Found:
    """One class under one rule. ``vote``: frames that the first seat rejected; ``majority``: that most of the committee
    did by themselves; ``committee``: that anybody in it did, since a second draw looks at the same tiles, and finds the
    same by the same rule; ``votes``: of all seats, whose trials are not independent; ``unsure``: votes that used up
    their tiles; ``tiles``: a vote's, on average."""

    name: str
    vote: Share
    majority: Share
    committee: Share
    votes: Share
    unsure: float
    tiles: float

    def with_colluding(self, colluders: int) -> float:
        """Probability that a forgery is rejected when so many of each draw accept whatever comes."""
        return at_least(1, SEATS - colluders, self.votes.rate) if SEATS - colluders >= NEEDED else 0.0


def at_least(needed: int, trials: int, rate: float) -> float:
    """Probability of at least ``needed`` successes."""
    each = (math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(max(needed, 0), trials + 1))
    return float(sum(each))


def classes(rows: Sequence[Row]) -> list[str]:
    """Names of everything that was delivered, honest first, in the order of the first case that has it."""
    return list(dict.fromkeys([HONEST, *(name for row in rows for name in row["votes"])]))


def found(rows: Sequence[Row], name: str, rule: str) -> Found:
    """A class under a rule of `RULES`."""
    given = [row["votes"][name][rule] for row in rows if rule in row["votes"].get(name, {})]
    flat = [vote for votes in given for vote in votes]
    return Found(
        name,
        Share(sum(votes[0][0] for votes in given), len(given)),
        Share(sum(sum(vote[0] for vote in votes) >= NEEDED for votes in given), len(given)),
        Share(sum(any(vote[0] for vote in votes) for votes in given), len(given)),
        Share(sum(vote[0] for vote in flat), len(flat)),
        sum(not vote[1] for vote in flat) / max(len(flat), 1),
        sum(vote[2] for vote in flat) / max(len(flat), 1),
    )


def by_roster(rows: Sequence[Row], name: str, share: float) -> float:
    """How often a class is rejected where ``share`` of the roster, in [0, 1], has the worker's kernel, and all others
    the other one: the mean over frames of `_rejected`. At 0 and 1 what a committee of one kernel rejects."""
    given = Counter(
        tuple(zip(*(map(tuple, row["votes"][name][rule]) for rule in RULES), strict=True))
        for row in rows
        if all(rule in row["votes"].get(name, {}) for rule in RULES)
    )
    return sum(number * _rejected(seats, share) for seats, number in given.items()) / max(given.total(), 1)


def _rejected(seats: Sequence[tuple[Sequence[int], Sequence[int]]], share: float) -> float:
    """The chance that a frame is rejected; every seat of either draw is on the worker's kernel with ``share``.

    First draw: each of its seats votes as it was counted to on that kernel; all assignments of kernels are gone
    through. None rejects: accepted. Enough do: rejected. Else the second draw alone decides. Its seats on the worker's
    kernel see the bits of whatever was named. Those on the other kernel see what a seat of their kernel named, or a
    seat of the worker's that would have rejected by their rule on the tiles that it rendered; else they have their
    own tiles, of which as many reject as of the first draw's on that kernel.
    """
    alone, found = fmean(other[0] for _, other in seats), 0.0
    for kernels in product((True, False), repeat=len(seats)):
        chance = math.prod(share if same else 1 - share for same in kernels)
        placed = list(zip(seats, kernels, strict=True))
        votes = [seat[0] if same else seat[1] for seat, same in placed]
        rejecting = sum(vote[0] for vote in votes)
        is_seen_by_all = any(
            other[0] and (not same or (exact[0] and other[2] <= exact[2])) for (exact, other), same in placed
        )
        if rejecting >= NEEDED or (rejecting and is_seen_by_all):
            found += chance
        elif rejecting:
            found += chance * at_least(NEEDED, SEATS, share + (1 - share) * alone)
    return found


def slight_tiles(row: Row) -> int:
    """Of an honest frame's tiles that a committee looks at first: those that the rule in force calls slight; 0 where it
    calls none so."""
    slight = load_calibration().rule("cpu", "cpu").slight
    return row["tiles"][HONEST]["over"][BASE][THRESHOLDS.index(slight.share_ppm)] if slight else 0


def could_be_rejected(row: Row) -> bool:
    """Whether an honest frame has in all first tiles of its committee what the whole rule needs of one verifier's, or
    of those that another names; or was rejected by the sequential test."""
    rule = load_calibration().rule("cpu", "cpu")
    failing = row["tiles"][HONEST]["over"][BASE][THRESHOLDS.index(rule.tolerance.max_share_ppm)]
    is_rejected = any(vote[0] for vote in row["votes"][HONEST][RULES[1]])
    too_many = rule.slight is not None and slight_tiles(row) >= rule.slight.needed
    return is_rejected or too_many or failing >= rule.failures_to_reject(DRAWN)


def tiles(rows: Sequence[Row], name: str, scale: str = BASE, threshold: int | None = None) -> Share:
    """Tiles of a class beyond a threshold (ppm of its pixels; the one in force), compared on another kernel."""
    at = THRESHOLDS.index(load_calibration().tolerance.max_share_ppm if threshold is None else threshold)
    parts = [row["tiles"][name] for row in rows if name in row["tiles"]]
    return Share(sum(part["over"][scale][at] for part in parts), sum(part["tiles"] for part in parts))


def exact_tiles(rows: Sequence[Row], name: str) -> Share:
    """Tiles of a class that are not the same bits, on one kernel."""
    if name == HONEST:
        return Share(sum(row["exact"]["failed"] for row in rows), sum(row["exact"]["tiles"] for row in rows))
    parts = [row["tiles"][name] for row in rows if name in row["tiles"]]
    return Share(sum(part["exact"] for part in parts), sum(part["tiles"] for part in parts))


def counted(rows: Sequence[Row]) -> list[str]:
    """Classes whose tiles are counted."""
    return [name for name in classes(rows) if any(name in row["tiles"] for row in rows)]


def disagreeing(rows: Sequence[Row]) -> list[str]:
    """Scenes whose honest frames two kernels do not agree on by the rule in force: most committees reject them."""
    found_by_scene = {scene: found(of_scene(rows, scene), HONEST, RULES[1]) for scene in scenes_of(rows)}
    return [scene for scene, item in found_by_scene.items() if item.committee.rate > 0.5]


def scenes_of(rows: Sequence[Row]) -> list[str]:
    """Their names, in order."""
    return list(dict.fromkeys(row["scene"] for row in rows))


def of_scene(rows: Sequence[Row], scene: str) -> list[Row]:
    """The rows of one scene."""
    return [row for row in rows if row["scene"] == scene]


@dataclass(frozen=True, slots=True)
class Point:
    """A part of the noise (``scale``: thousandths of that in force) and a threshold (ppm): an honest tile fails at most
    with ``honest_ppm``, one of the weakest claimed forgery at least with ``forged_ppm``; ``clean``: tiles to accept."""

    scale: int
    threshold: int
    honest_ppm: int
    forged_ppm: int
    clean: int | None


def points(rows: Sequence[Row]) -> Iterator[Point]:
    """Every pair that was tried; `clean` is None where it makes no test."""
    known, names = load_calibration(), claimed(counted(rows))
    for scale in SCALES:
        for threshold in THRESHOLDS:
            honest = tiles(rows, HONEST, str(scale), threshold)
            most = max(round(honest.interval[1] * MILLION), 1)
            forged = (tiles(rows, name, str(scale), threshold).interval[0] for name in names)
            least = min((round(low * MILLION) for low in forged), default=0)
            yield Point(scale, threshold, most, least, _clean(most, min(least, MILLION - 1), known))


def best(rows: Sequence[Row]) -> Point:
    """The point that needs fewest tiles to accept; of these the one at which fewest honest tiles fail, then most forged
    ones; of these that in force, else the most lenient."""
    tried, now = list(points(rows)), load_calibration().tolerance.max_share_ppm
    usable = [point for point in tried if point.clean is not None]
    if not usable:
        return _in_force(rows)

    def order(point: Point) -> tuple[int, int, int, bool, int]:
        in_force = (point.scale, point.threshold) == (int(BASE), now)
        rates = point.honest_ppm, -point.forged_ppm
        return point.clean or 0, *rates, not in_force, -point.scale * point.threshold

    return min(usable, key=order)


def _in_force(rows: Sequence[Row]) -> Point:
    now = load_calibration().tolerance.max_share_ppm
    return next(point for point in points(rows) if (point.scale, point.threshold) == (int(BASE), now))


def _clean(honest_ppm: int, forged_ppm: int, known: Calibration) -> int | None:
    if honest_ppm >= forged_ppm:
        return None
    enough = math.log((MILLION - known.alpha_ppm) / known.beta_ppm)
    return max(known.minimum, math.ceil(enough / math.log((MILLION - honest_ppm) / (MILLION - forged_ppm))))


def calibrate(rows: Sequence[Row], source: str, *, chosen: bool = True) -> Calibration:
    """What this run counted, as the package reads it. ``source``: what was run. ``chosen``: at the `best` point, not at
    the tolerance in force.

    :raises ValueError: no rows, or the kernels do not differ on this machine, so that a tolerance cannot be measured.
    """
    if not any(row["kernels_differ"] for row in rows):
        raise ValueError("both kernels gave the same bits in every frame: a tolerance cannot be measured here")
    old, names = load_calibration(), counted(rows)
    point = best(rows) if chosen else _in_force(rows)
    forged = claimed(names)
    others = [name for name in names if name in UNCLAIMED]

    def row(name: str, share: Share) -> Counted:
        return Counted(name, share.trials, share.count)

    def near(name: str) -> Counted:
        return row(name, tiles(rows, name, str(point.scale), point.threshold))

    slight = _slight(rows, point, old.alpha_ppm)
    exact = Pair(
        "cpu",
        "cpu",
        "exact",
        row("tiles and frames rendered again", exact_tiles(rows, HONEST)),
        tuple(row(name, exact_tiles(rows, name)) for name in forged),
        tuple(row(name, exact_tiles(rows, name)) for name in others),
        source,
    )
    near_pair = Pair(
        "cpu", "cpu", "tolerance", near(HONEST), tuple(map(near, forged)), tuple(map(near, others)), source, slight
    )
    tolerance = scaled(old.tolerance, point.scale)
    tolerance = replace(tolerance, max_share_ppm=point.threshold)
    return Calibration(
        tile_size=TILE_SIZE,
        tolerance=tolerance,
        alpha_ppm=old.alpha_ppm,
        beta_ppm=old.beta_ppm,
        minimum=old.minimum,
        pairs=(exact, near_pair, *_gpu_pairs(rows, point, near_pair)),
        source=source,
    )


def _slight(rows: Sequence[Row], point: Point, alpha_ppm: int) -> Slight | None:
    """Half of what fails a tile, in so many tiles of one vote that a frame which has them as often as the worst honest
    one may (the end of its interval) is rejected with less than alpha. None where all tiles would not do."""
    share = THRESHOLDS[THRESHOLDS.index(point.threshold) - 1] if point.threshold else 0
    at = THRESHOLDS.index(share)
    parts = [row["tiles"][HONEST] for row in rows]
    each = [Counted(HONEST, part["tiles"], part["over"][str(point.scale)][at]) for part in parts]
    worst = max(each, key=lambda found: found.at_most_ppm)
    needed = _LEAST_SLIGHT
    while needed <= TILES and calibration.at_least(needed, TILES, worst.at_most_ppm / MILLION) * MILLION > alpha_ppm:
        needed += 1
    return Slight(share, needed, TILES, len(rows), worst) if worst.failed < needed <= TILES else None


def _gpu_pairs(rows: Sequence[Row], point: Point, cpu: Pair) -> Iterator[Pair]:
    for kind in sorted({row["gpu"] for row in rows if "gpu" in row}):
        of_kind = [row for row in rows if row.get("gpu") == kind]
        share = tiles(of_kind, GPU, str(point.scale), point.threshold)
        honest = Counted(f"{kind} beside the CPU", share.trials, share.count)
        yield Pair("cpu", kind, "tolerance", honest, cpu.forged, cpu.others, cpu.source)
