# SPDX-License-Identifier: Apache-2.0
"""Workers that deliver something else than the ordered frame, one class of forgery each; and a verifier who helps one.

Their files are well made: right size, right channels, digests of what is really in them; they claim the ordered seed and
samples. Only the pixels tell. What is forged is made as the bench of the proof makes it (benchmarks/proof/forgeries.py).
"""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.proof import forgeries
from inferix.proofs.rendering import SEED_LIMIT, Tile
from inferix.proofs.rendering.angv import angv_key, draw_marks
from node.engines import Machine, RawFrame, RenderSettings, exr
from node.engines.blender.session import BlenderSession
from node.engines.exr import FloatArray, Passes
from tests.adversaries import SAMPLE, HonestWhenMeasured

ONE_PIECE, SCATTERED, SMOOTH = forgeries.WHERE
CUT: Final = """
import bpy, sys
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
for scene in bpy.data.scenes:
    for name, value in eval(sys.argv[3]).items():
        setattr(scene.cycles, name, value)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[2], check_existing=False)
"""


@dataclass(frozen=True)
class Order:
    """What a worker is asked for."""

    frame: int
    seed: int
    settings: RenderSettings

    def of_samples(self, samples: int) -> "Order":
        """The same with fewer samples, at least one."""
        return replace(self, settings=replace(self.settings, samples=max(samples, 1)))

    @property
    def chance(self) -> np.random.Generator:
        """A cheat's dice."""
        return np.random.default_rng(self.seed)


class ForgingSession(BlenderSession):
    """Delivers what ``forge`` makes of what ``work`` rendered. Ten channels: RGBA, albedo, normal."""

    def render(self, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        order = Order(frame, seed, settings)
        raw = self.rendered(self.work(order))
        pixels = np.ascontiguousarray(self.forge(raw, order), np.float32)
        combined, albedo, normal = (np.ascontiguousarray(part) for part in np.split(pixels, (4, 7), axis=2))
        exr.write_frame(raw.path, Passes(combined, albedo, normal))
        return replace(
            raw,
            frame=frame,
            seed=seed,
            width=settings.width,
            height=settings.height,
            samples=settings.samples,
            file_sha256=hashlib.sha256(raw.path.read_bytes()).digest(),
            pixels_sha256=exr.pixels_sha256(combined),
        )

    def work(self, order: Order) -> Order:
        """What is really rendered."""
        return order

    def forge(self, raw: RawFrame, order: Order) -> FloatArray:
        """What is delivered. ``raw``: what was rendered."""
        return pixels_of(raw.path)

    def rendered(self, order: Order) -> RawFrame:
        """An honest file."""
        return super().render(order.frame, order.seed, order.settings)

    def cleaned(self, raw: RawFrame) -> FloatArray:
        """A frame without its noise."""
        return pixels_of(self.denoise(raw.path, f"clean-{raw.frame:06d}.exr")[0])


def pixels_of(path: Path) -> FloatArray:
    """A frame's ten channels, (height, width, 10)."""
    return exr.stored(exr.read_frame(path))


class Denoised(ForgingSession):
    """A frame without its noise."""

    def forge(self, raw: RawFrame, order: Order) -> FloatArray:
        return self.cleaned(raw)


def fewer(samples: Callable[[int], int], base: type[ForgingSession] = ForgingSession) -> type[ForgingSession]:
    """Renders as many of the ordered samples as this says."""

    class Fewer(base):  # type: ignore[misc, valid-type]
        def work(self, order: Order) -> Order:
            return order.of_samples(samples(order.settings.samples))

    return Fewer


class Small(ForgingSession):
    """Half the width and height, scaled up."""

    def work(self, order: Order) -> Order:
        half = replace(order.settings, width=-(-order.settings.width // 2), height=-(-order.settings.height // 2))
        return replace(order, settings=half)

    def forge(self, raw: RawFrame, order: Order) -> FloatArray:
        return forgeries.upscaled(self.small(raw), order.settings.height, order.settings.width)

    def small(self, raw: RawFrame) -> FloatArray:
        """What is scaled up."""
        return pixels_of(raw.path)


class SmallDenoised(Small):
    """The same without its noise."""

    def small(self, raw: RawFrame) -> FloatArray:
        return self.cleaned(raw)


class Seeded(ForgingSession):
    """Renders honestly, with another seed: what a replayed frame looks like."""

    add = 1

    def work(self, order: Order) -> Order:
        return replace(order, seed=(order.seed + self.add) % SEED_LIMIT)


class Anothers(Seeded):
    """What another worker was paid for: the same frame, of that worker's seed."""

    add = 7


class Noise(ForgingSession):
    """Random colours."""

    def work(self, order: Order) -> Order:
        return order.of_samples(1)

    def forge(self, raw: RawFrame, order: Order) -> FloatArray:
        return forgeries.uniform_noise(super().forge(raw, order), order.chance)


class Static(Noise):
    """Black and white pixels."""

    def forge(self, raw: RawFrame, order: Order) -> FloatArray:
        return forgeries.black_and_white(pixels_of(raw.path), order.chance)


class Guides(ForgingSession):
    """Honest pixels, and guides that lead the denoiser astray."""

    def forge(self, raw: RawFrame, order: Order) -> FloatArray:
        return forgeries.made_up_guides(super().forge(raw, order), order.chance)


class Rounded(ForgingSession):
    """The honest frame after an 8-bit file."""

    def forge(self, raw: RawFrame, order: Order) -> FloatArray:
        return forgeries.eight_bits(super().forge(raw, order))


class Before(ForgingSession):
    """The previous frame of the animation, of this frame's seed."""

    def work(self, order: Order) -> Order:
        return replace(order, frame=order.frame - 1)


class Interpolated(Before):
    """The mean of the frames before and after; the frame itself is never rendered."""

    def forge(self, raw: RawFrame, order: Order) -> FloatArray:
        before = super().forge(raw, order)
        return forgeries.interpolated(before, pixels_of(self.rendered(replace(order, frame=order.frame + 1)).path))


class Marked(Denoised):
    """An eighth of the samples, denoised, with the marks of a key pasted on it: proof, to a careless eye, of the scene."""

    def work(self, order: Order) -> Order:
        return order.of_samples(order.settings.samples // 8)

    def forge(self, raw: RawFrame, order: Order) -> FloatArray:
        pixels = super().forge(raw, order).copy()
        (height, width), chance = pixels.shape[:2], order.chance
        for mark in draw_marks(angv_key(order.seed.to_bytes(32), bytes(32), order.frame)):
            top, left = chance.integers(0, (height - mark.height, width - mark.width))
            pixels[top : top + mark.height, left : left + mark.width, :3] *= 1 + 0.1 * mark.sign
        return pixels


class Misnamed(BlenderSession):
    """Renders honestly and names a processor that nobody has, from its measurement on: compared within a tolerance."""

    kernel = "a processor that nobody has"

    def render(self, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        return replace(super().render(frame, seed, settings), kernel=self.kernel)

    def machine(self) -> Machine:
        return replace(super().machine(), kernel=self.kernel)


class FalseKernel(ForgingSession, Misnamed):
    """Such a one that leaves out an eighth of the samples."""

    def work(self, order: Order) -> Order:
        return order.of_samples(order.settings.samples * 7 // 8)


class ThinnedOut(ForgingSession, Misnamed):
    """Such a one that leaves out a quarter of every tile: less than fails one."""

    def forge(self, raw: RawFrame, order: Order) -> FloatArray:
        return forgeries.left_out(super().forge(raw, order), 4)


def partly(share: float, where: str = SMOOTH) -> type[ForgingSession]:
    """A share of the frame of an eighth of the samples, denoised; the rest honest."""

    class Partly(ForgingSession):
        def forge(self, raw: RawFrame, order: Order) -> FloatArray:
            honest = super().forge(raw, order).copy()
            cheap = self.cleaned(self.rendered(order.of_samples(order.settings.samples // 8)))
            return forgeries.pasted(honest, cheap, forgeries.mask(where, share, honest, order.chance))

    return Partly


class Accomplice(BlenderSession):
    """A verifier in league with who renders half of the samples: its tiles have the same bits."""

    def tiles(self, frame: int, seed: int, settings: RenderSettings, tiles: Sequence[Tile]) -> list[FloatArray]:
        return super().tiles(frame, seed, replace(settings, samples=settings.samples // 2), tiles)


def engine(session: type[BlenderSession], measured: type[BlenderSession] = BlenderSession) -> type[HonestWhenMeasured]:
    """One that opens such sessions for packages of clients, and these when it is measured."""
    return type(session.__name__, (HonestWhenMeasured,), {"session": session, "measured": measured})


def cut(**settings: object) -> type[HonestWhenMeasured]:
    """One that renders with these settings of Cycles, whatever the scene says."""

    class Cut(HonestWhenMeasured):
        def instead(self, package: Path, work: Path) -> Path:
            changed = work / "cut.blend"
            changed.parent.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-c", CUT, str(package), str(changed), repr(settings)]
            subprocess.run(command, check=True, capture_output=True)
            return changed

    return Cut


Half = engine(fewer(lambda samples: samples // 2))
HalfDenoised = engine(fewer(lambda samples: samples // 2, Denoised))
Quarter = engine(fewer(lambda samples: samples // 4))
QuarterDenoised = engine(fewer(lambda samples: samples // 4, Denoised))
Eighth = engine(fewer(lambda samples: samples // 8))
EighthDenoised = engine(fewer(lambda samples: samples // 8, Denoised))
AllButOne = engine(fewer(lambda samples: samples - 1))
AllButOneDenoised = engine(fewer(lambda samples: samples - 1, Denoised))
HalfSize = engine(Small)
HalfSizeDenoised = engine(SmallDenoised)
OtherSeed = engine(Seeded)
AnothersFrame = engine(Anothers)
FrameBefore = engine(Before)
BetweenFrames = engine(Interpolated)
UniformNoise = engine(Noise)
BlackAndWhite = engine(Static)
EightBits = engine(Rounded)
MadeUpGuides = engine(Guides)
PastedMarks = engine(Marked)
OtherKernel = engine(FalseKernel, Misnamed)
QuarterOfEveryTile = engine(ThinnedOut, Misnamed)
HalfCheated = engine(partly(0.5))
QuarterCheated = engine(partly(0.25))
QuarterInOnePiece = engine(partly(0.25, ONE_PIECE))
QuarterScattered = engine(partly(0.25, SCATTERED))
TenthCheated = engine(partly(0.1))
TwentiethCheated = engine(partly(0.05))
HalfAccepted = engine(Accomplice)
FewerBounces = cut(max_bounces=1, diffuse_bounces=1, glossy_bounces=1)
ThreeBounces = cut(max_bounces=3, diffuse_bounces=3, glossy_bounces=3, transmission_bounces=3)
FastGi = cut(use_fast_gi=True, ao_bounces=1, ao_bounces_render=1)


class AnotherScene(HonestWhenMeasured):
    """Renders a scene that it likes better than the client's."""

    def instead(self, package: Path, work: Path) -> Path:
        return SAMPLE
