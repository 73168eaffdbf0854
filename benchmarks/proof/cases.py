# SPDX-License-Identifier: Apache-2.0
"""One case: a frame rendered honestly on two kernels, and everything that a cheat could deliver in its place.

Cases are numbered; the number decides scene, variant, seeds and draws, so that a case is the same on every machine. Of
the forgeries that cost a render, each case has one third (see `EXTRAS`); all scenes meet all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

import numpy as np

from benchmarks.proof import forgeries, scenes
from benchmarks.proof.blender import Blender, Shot
from inferix.proofs.rendering import FloatArray, another_seed, as_stored, frame_seed
from node.engines import RenderSettings
from node.tiles import Draw

HONEST: Final = "honest"
EIGHT_BITS: Final = "honest, but of 8 bits"
GPU: Final = "honest, on a GPU"
WORKER: Final = 7
FIRST_VERIFIER: Final = 11
FRACTIONS: Final = (2, 4, 8)
CHEAP: Final = "1/8 samples, denoised"
"""What a worker puts where it cheats in part of a frame: nothing else saves as much and looks as good."""

CUTS: Final = {"3 bounces of 12": "bounces", "fast GI": "fast_gi"}
"""Settings cut; in many scenes they hardly change the picture."""

ALL_BUT_ONE: Final = "all samples but one"
UNCLAIMED: Final = (*CUTS, ALL_BUT_ONE)
"""Counted, and not claimed."""

Frames = dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Case:
    """What a number stands for. ``samples`` is a multiple of eight, and at least that."""

    number: int
    width: int
    height: int
    samples: int

    @property
    def shot(self) -> Shot:
        """The frame that was ordered."""
        kind = scenes.NAMES[self.number % len(scenes.NAMES)]
        settings = RenderSettings(self.width, self.height, self.samples)
        return Shot(kind, self.number // len(scenes.NAMES), scenes.MIDDLE, self.seed(), settings)

    @property
    def noise_shot(self) -> Shot:
        """The same frame with the seed that shows a verifier its noise."""
        return replace(self.shot, seed=another_seed(self.shot.seed))

    def seed(self, frame: int = scenes.MIDDLE, worker: int = WORKER, attempt: int = 0) -> int:
        """Seed of a frame, as tasks have it."""
        return frame_seed(self._hash("task key"), attempt, worker, frame)

    def draws(self, seats: int) -> tuple[Draw, ...]:
        """Where each verifier of a committee looks."""
        seed, task = self._hash("draw"), self._hash("task")
        return tuple(Draw(seed, task, 0, FIRST_VERIFIER + seat, scenes.MIDDLE) for seat in range(seats))

    def chance(self, purpose: str = "cheat") -> np.random.Generator:
        """A cheat's own dice, others for each purpose."""
        return np.random.default_rng(int.from_bytes(self._hash(purpose)[:8]))

    def _hash(self, purpose: str) -> bytes:
        return sha256(f"inferix/bench-proof/{purpose}/{self.number}".encode()).digest()


@dataclass
class Made:
    """Frames that a worker may deliver, as their files hold them: honest, and by name. ``raw``, ``full``: the honest
    render as it came, its core seconds. ``cost``: core seconds of what was rendered for a frame, as a share of these;
    only where it is measured."""

    honest: FloatArray
    raw: FloatArray
    full: float
    frames: Frames = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)


def make(case: Case, worker: Blender, other: FloatArray | None) -> Made:
    """Everything of a case. ``other``: the honest frame of another scene, where there is one."""
    rendered = worker.render(case.shot)
    made = Made(as_stored(rendered), rendered, worker.last_core_seconds)
    made.frames[EIGHT_BITS] = forgeries.eight_bits(made.honest)
    chance = case.chance()
    if other is not None and other.shape == made.honest.shape:
        made.frames["another scene"] = other
    made.frames["uniform noise"] = forgeries.uniform_noise(made.honest, chance)
    made.frames["black and white noise"] = forgeries.black_and_white(made.honest, chance)
    made.frames["guides made up"] = forgeries.made_up_guides(made.honest, case.chance("guides"))
    EXTRAS[case.number // len(scenes.NAMES) % len(EXTRAS)](case, worker, made)
    made.frames = {name: as_stored(pixels) for name, pixels in made.frames.items()}
    return made


def partial(where: str, share: float) -> str:
    """Name of a class that cheats in part of the frame."""
    return f"{100 * share:.0f} % {where}"


def partials() -> list[str]:
    """All of these names."""
    return [partial(where, share) for where in forgeries.WHERE for share in forgeries.SHARES]


def _fewer_samples(case: Case, worker: Blender, made: Made) -> None:
    """Subsets add up, so that a half, a quarter and an eighth cost half a render together."""
    eighth = case.samples // 8
    bounds = [(0, eighth), (eighth, eighth), (2 * eighth, 2 * eighth)]
    parts = [worker.render(case.shot, subset=bound) for bound in bounds]
    last = worker.render(case.shot, subset=(7 * eighth, eighth))
    found = {"7/8 samples": forgeries.without_last(made.raw, last, case.samples, eighth)}
    if eighth > 1:
        last = worker.render(case.shot, subset=(case.samples - 1, 1))
        made.frames[ALL_BUT_ONE] = forgeries.without_last(made.raw, last, case.samples)
    for count, fraction in zip((3, 2, 1), FRACTIONS, strict=True):
        taken = [length for _, length in bounds[:count]]
        found[f"1/{fraction} samples"] = forgeries.mean_of(parts[:count], taken)
    for name, pixels in found.items():
        made.frames[name] = pixels
        made.frames[f"{name}, denoised"] = worker.denoised(pixels)


def _in_part(case: Case, made: Made) -> None:
    chance = case.chance("where")
    for where in forgeries.WHERE:
        for share in forgeries.SHARES:
            chosen = forgeries.mask(where, share, made.honest, chance)
            made.frames[partial(where, share)] = forgeries.pasted(made.honest, made.frames[CHEAP], chosen)


def _less_work_or_another_seed(case: Case, worker: Blender, made: Made) -> None:
    _fewer_samples(case, worker, made)
    _in_part(case, made)
    _seed_and_size(case, worker, made)


def _seed_and_size(case: Case, worker: Blender, made: Made) -> None:
    shot = case.shot
    made.frames["another seed"] = worker.render(replace(shot, seed=case.seed(attempt=1)))
    half = replace(shot.settings, width=-(-case.width // 2), height=-(-case.height // 2))
    small = worker.render(replace(shot, settings=half))
    made.cost["half width and height"] = worker.last_core_seconds / made.full
    for name, pixels in (("", small), (", denoised", worker.denoised(small))):
        large = forgeries.upscaled(pixels, case.height, case.width)
        made.frames[f"half width and height{name}"] = large


def _neighbours(case: Case, worker: Blender, made: Made) -> None:
    before, after = (
        worker.render(replace(case.shot, frame=frame, seed=case.seed(frame)))
        for frame in (scenes.MIDDLE - 1, scenes.MIDDLE + 1)
    )
    made.frames["the frame before"] = before
    made.frames["between two frames"] = forgeries.interpolated(before, after)


def _settings_and_worker(case: Case, worker: Blender, made: Made) -> None:
    for name, cut in CUTS.items():
        made.frames[name] = _costing(worker, made, name, case.shot, cut)
    made.frames["another worker's frame"] = worker.render(replace(case.shot, seed=case.seed(worker=WORKER + 1)))


EXTRAS: Final[tuple[Callable[[Case, Blender, Made], None], ...]] = (
    _less_work_or_another_seed,
    _neighbours,
    _settings_and_worker,
)


def _costing(worker: Blender, made: Made, name: str, shot: Shot, cut: str = "") -> FloatArray:
    pixels = worker.render(shot, cut=cut)
    made.cost[name] = worker.last_core_seconds / made.full
    return pixels


def claimed(names: Mapping[str, object] | list[str]) -> list[str]:
    """Of these classes, those that a calibration claims to catch: whole frames that are not what was ordered."""
    spared = {HONEST, EIGHT_BITS, GPU, *UNCLAIMED, *partials()}
    return [name for name in names if name not in spared]
