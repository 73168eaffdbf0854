# SPDX-License-Identifier: Apache-2.0
"""A worker whose process dies in the middle of a frame: it renders the upper half, then is gone without a word."""

import os

from inferix.proofs.rendering import Tile
from node.engines import RawFrame, RenderSettings
from node.engines.blender.session import BlenderSession
from tests.adversaries import HonestWhenMeasured

EXIT_CODE = 9


class DiesMidTaskSession(BlenderSession):
    def render(self, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        self.tiles(frame, seed, settings, [Tile(0, 0, settings.width, settings.height // 2)])
        os._exit(EXIT_CODE)


class DiesMidTask(HonestWhenMeasured):
    session = DiesMidTaskSession
