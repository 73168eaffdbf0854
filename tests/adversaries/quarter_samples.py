# SPDX-License-Identifier: Apache-2.0
"""A worker that renders a quarter of the ordered samples, cleans the noise away, and delivers that as the raw pass."""

from dataclasses import replace

from node.engines import RawFrame, RenderSettings
from node.engines.blender.session import BlenderSession
from tests.adversaries import HonestWhenMeasured


class QuarterSamplesSession(BlenderSession):
    def render(self, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        cheap = super().render(frame, seed, replace(settings, samples=max(settings.samples // 4, 1)))
        path, file_sha256, pixels_sha256 = self.denoise(cheap.path, f"clean-{frame:06d}.exr")
        return replace(cheap, path=path, file_sha256=file_sha256, pixels_sha256=pixels_sha256, samples=settings.samples)


class QuarterSamples(HonestWhenMeasured):
    session = QuarterSamplesSession
