# SPDX-License-Identifier: Apache-2.0
"""A worker that renders honestly, but with another seed: what a replayed or copied frame looks like."""

from dataclasses import replace

from inferix.proofs.rendering import SEED_LIMIT
from node.engines import RawFrame, RenderSettings
from node.engines.blender.session import BlenderSession
from tests.adversaries import HonestWhenMeasured


class OtherSeedSession(BlenderSession):
    def render(self, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        return replace(super().render(frame, (seed + 1) % SEED_LIMIT, settings), seed=seed)


class OtherSeed(HonestWhenMeasured):
    session = OtherSeedSession
