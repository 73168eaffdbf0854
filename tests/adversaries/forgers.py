# SPDX-License-Identifier: Apache-2.0
"""Workers that deliver something else than the ordered frame, one class of forgery each.

Their files are well made: right size, right channels, digests of what is really in them; they claim the ordered seed and
samples. Only the pixels tell. What is forged is made as the bench of the proof makes it (benchmarks/proof/forgeries.py).
"""

import hashlib
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.proof import forgeries
from inferix.proofs.rendering import SEED_LIMIT
from node.engines import RawFrame, RenderSettings, exr
from node.engines.blender.session import BlenderSession
from node.engines.exr import FloatArray, Passes
from tests.adversaries import SAMPLE, HonestWhenMeasured

CUT_BOUNCES = """
import bpy, sys
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
for scene in bpy.data.scenes:
    scene.cycles.max_bounces = scene.cycles.diffuse_bounces = scene.cycles.glossy_bounces = 1
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


class ForgingSession(BlenderSession):
    """Delivers what ``forge`` makes of what ``work`` rendered."""

    def render(self, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        order = Order(frame, seed, settings)
        raw = self.rendered(self.work(order))
        passes = exr.read_frame(raw.path)
        pixels = np.ascontiguousarray(self.forge(raw, passes.combined, order), np.float32)
        exr.write_frame(raw.path, Passes(pixels, *self.guides(passes, order)))
        return replace(
            raw,
            frame=frame,
            seed=seed,
            samples=settings.samples,
            file_sha256=hashlib.sha256(raw.path.read_bytes()).digest(),
            pixels_sha256=exr.pixels_sha256(pixels),
        )

    def work(self, order: Order) -> Order:
        """What is really rendered."""
        return order

    def forge(self, raw: RawFrame, pixels: FloatArray, order: Order) -> FloatArray:
        """The combined pass that is delivered. ``raw``, ``pixels``: of what was rendered."""
        return pixels

    def guides(self, passes: Passes, order: Order) -> tuple[FloatArray, FloatArray]:
        """The albedo and normal passes that are delivered."""
        return passes.albedo, passes.normal

    def rendered(self, order: Order) -> RawFrame:
        """An honest file."""
        return super().render(order.frame, order.seed, order.settings)

    def cleaned(self, raw: RawFrame) -> FloatArray:
        """A raw frame without its noise."""
        return exr.read_frame(self.denoise(raw.path, f"clean-{raw.frame:06d}.exr")[0]).combined


class HalfSession(ForgingSession):
    """Half the samples."""

    def work(self, order: Order) -> Order:
        return order.of_samples(order.settings.samples // 2)


class EighthSession(ForgingSession):
    """An eighth of the samples."""

    def work(self, order: Order) -> Order:
        return order.of_samples(order.settings.samples // 8)


class EighthCleanedSession(EighthSession):
    """The same, denoised."""

    def forge(self, raw: RawFrame, pixels: FloatArray, order: Order) -> FloatArray:
        return self.cleaned(raw)


class LastLeftOutSession(ForgingSession):
    """All samples but one: the cheat that saves least."""

    def work(self, order: Order) -> Order:
        return order.of_samples(order.settings.samples - 1)


class UniformNoiseSession(ForgingSession):
    """Random colours."""

    def work(self, order: Order) -> Order:
        return order.of_samples(1)

    def forge(self, raw: RawFrame, pixels: FloatArray, order: Order) -> FloatArray:
        return forgeries.uniform_noise(pixels, np.random.default_rng(order.seed))


class MadeUpGuidesSession(ForgingSession):
    """Honest pixels, and guides that lead the denoiser astray."""

    def guides(self, passes: Passes, order: Order) -> tuple[FloatArray, FloatArray]:
        forged = forgeries.made_up_guides(exr.stored(passes), np.random.default_rng(order.seed))
        return forged[..., 4:7], forged[..., 7:]


class EightBitsSession(ForgingSession):
    """The honest frame after an 8-bit file."""

    def forge(self, raw: RawFrame, pixels: FloatArray, order: Order) -> FloatArray:
        return forgeries.eight_bits(pixels)


class FrameBeforeSession(ForgingSession):
    """The previous frame of the animation, of this frame's seed."""

    def work(self, order: Order) -> Order:
        return replace(order, frame=order.frame - 1)


class BetweenSession(ForgingSession):
    """The mean of the frames before and after; the frame itself is never rendered."""

    def work(self, order: Order) -> Order:
        return replace(order, frame=order.frame - 1)

    def forge(self, raw: RawFrame, pixels: FloatArray, order: Order) -> FloatArray:
        after = self.rendered(replace(order, frame=order.frame + 1))
        return forgeries.interpolated(pixels, exr.read_frame(after.path).combined)


class AnothersFrameSession(ForgingSession):
    """What another worker was paid for: the same frame, of that worker's seed."""

    def work(self, order: Order) -> Order:
        return replace(order, seed=(order.seed + 7) % SEED_LIMIT)


class HalfCheatedSession(ForgingSession):
    """Half of the frame, where it is smooth, of an eighth of the samples, denoised; the rest honest."""

    def forge(self, raw: RawFrame, pixels: FloatArray, order: Order) -> FloatArray:
        cheap = self.cleaned(self.rendered(order.of_samples(order.settings.samples // 8)))
        where = forgeries.mask(forgeries.WHERE[2], 0.5, pixels, np.random.default_rng(order.seed))
        return forgeries.pasted(pixels, cheap, where)


class _Forger(HonestWhenMeasured):
    """Base of the engines below, one a session."""


class Half(_Forger):
    session = HalfSession


class Eighth(_Forger):
    session = EighthSession


class EighthCleaned(_Forger):
    session = EighthCleanedSession


class LastLeftOut(_Forger):
    session = LastLeftOutSession


class UniformNoise(_Forger):
    session = UniformNoiseSession


class MadeUpGuides(_Forger):
    session = MadeUpGuidesSession


class EightBits(_Forger):
    session = EightBitsSession


class FrameBefore(_Forger):
    session = FrameBeforeSession


class Between(_Forger):
    session = BetweenSession


class AnothersFrame(_Forger):
    session = AnothersFrameSession


class HalfCheated(_Forger):
    session = HalfCheatedSession


class AnotherScene(HonestWhenMeasured):
    """Renders a scene that it likes better than the client's."""

    def instead(self, package: Path, work: Path) -> Path:
        return SAMPLE


class FewerBounces(HonestWhenMeasured):
    """Lets light bounce once, whatever the scene says."""

    def instead(self, package: Path, work: Path) -> Path:
        cut = work / "cut.blend"
        cut.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-c", CUT_BOUNCES, str(package), str(cut)], check=True, capture_output=True)
        return cut
