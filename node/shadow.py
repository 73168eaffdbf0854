# SPDX-License-Identifier: Apache-2.0
"""A calibration in the shadow: it judges what the one in force judges, is published beside it, and decides nothing.

So every change of a threshold is counted on real work before it can cost anybody anything (`inferix shadow`).
"""

from dataclasses import dataclass, field
from typing import Literal

from inferix.models.result import ShadowResult
from inferix.proofs.rendering import FloatArray, Rule, TileTest, Verdict, measure


@dataclass
class Shadow:
    """Watches the tiles of one check, frame after frame. ``rule``: of the calibration that is tried."""

    rule: Rule
    results: list[ShadowResult] = field(default_factory=list)
    _test: TileTest | None = None

    def watch(self, delivered: FloatArray, own: FloatArray, another: FloatArray | None) -> None:
        """A tile that was rendered again, as delivered, as rendered here and, to see its noise, with another seed: only
        where that was done does a rule say anything that needs it."""
        if another is None and not self.rule.exact:
            return
        self._test = self._test or TileTest(self.rule)
        if not self._test.decided:
            self._test.add(measure(delivered, own, self.rule.tolerance, another))

    def end(self, frame: int) -> None:
        """The frame's last tile was seen."""
        if self._test is not None:
            found = self._test.verdict()
            tiles, failed = len(self._test.measures), len(found.failed)
            self.results.append(
                ShadowResult(rule=self.rule.name, frame=frame, tiles=tiles, failed=failed, verdict=_word(found))
            )
        self._test = None


def _word(found: Verdict) -> Literal["accepted", "rejected", "unsure"]:
    if not found.conclusive:
        return "unsure"
    return "accepted" if found.accepted else "rejected"
