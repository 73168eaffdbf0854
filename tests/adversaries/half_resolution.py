# SPDX-License-Identifier: Apache-2.0
"""A worker that renders half the width and height and scales the picture up."""

import hashlib
from dataclasses import replace

import numpy as np

from node.engines import RawFrame, RenderSettings, exr
from node.engines.blender.session import BlenderSession
from node.engines.exr import FloatArray, Passes
from tests.adversaries import HonestWhenMeasured


class HalfResolutionSession(BlenderSession):
    def render(self, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        small = replace(settings, width=-(-settings.width // 2), height=-(-settings.height // 2))
        raw = super().render(frame, seed, small)
        passes = exr.read_frame(raw.path)

        def scale_up(pixels: FloatArray) -> FloatArray:
            big: FloatArray = pixels.repeat(2, axis=0).repeat(2, axis=1)[: settings.height, : settings.width]
            return np.ascontiguousarray(big)

        large = Passes(*(scale_up(layer) for layer in (passes.combined, passes.albedo, passes.normal)))
        exr.write_frame(raw.path, large)
        return replace(
            raw,
            width=settings.width,
            height=settings.height,
            file_sha256=hashlib.sha256(raw.path.read_bytes()).digest(),
            pixels_sha256=exr.pixels_sha256(large.combined),
        )


class HalfResolution(HonestWhenMeasured):
    session = HalfResolutionSession
