# SPDX-License-Identifier: Apache-2.0
"""Tile after tile until it is sure: Wald's sequential test between an honest frame and a forged one.

Each tile adds to the evidence for a forgery: log(d / f) when it fails, log((1 - d) / (1 - f)) when it is clean and has
noise, where a tile of an honest frame fails with probability f (at most) and an informative one of a forged frame with
d (at least). A clean tile without noise says nothing. Once a tile has failed nothing is accepted before all tiles are
used, so that a frame forged in part does not slip through on the tiles that it was honest in.

Beside it, between kernels: several tiles with some pixels off, too few to fail (`inferix.proofs.calibration.Slight`),
reject as well. Once there is one, as many tiles are looked at as such are counted among.

The evidence is whole micro-nats, so that everybody who repeats a test decides alike. Tiles of one frame are not quite
independent; the rates hold for the calibration's scenes, not for every scene there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from inferix.proofs.calibration import Rule, load_calibration
from inferix.proofs.rendering.compare import TileMeasure

DRAWN: Final = 30
"""Tiles of a frame that a verifier's draw has at most."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``conclusive`` is False where the tiles could not tell a forgery: draw more. ``failed``: indices of tiles;
    ``used``: how many were looked at, in order, before it was sure."""

    accepted: bool
    conclusive: bool
    reason: str
    failed: tuple[int, ...] = ()
    used: int = 0


@dataclass
class TileTest:
    """Feed it tiles in the order in which they were drawn, until it is ``decided``."""

    rule: Rule
    measures: list[TileMeasure] = field(default_factory=list)
    _failed: list[int] = field(default_factory=list)
    _slight: list[int] = field(default_factory=list)
    _clean: int = 0

    def add(self, measure: TileMeasure) -> None:
        """One more tile.

        :raises ValueError: it is decided already.
        """
        if self.decided:
            raise ValueError("the test has ended; a tile that comes later counts for nothing")
        if self.fails(measure):
            self._failed.append(len(self.measures))
        elif measure.informative:
            self._clean += 1
        if self._counts_slight and _is_slight(measure, self.rule):
            self._slight.append(len(self.measures))
        self.measures.append(measure)

    def fails(self, measure: TileMeasure) -> bool:
        """Whether this tile speaks against the worker."""
        return measure.fails(self.rule.tolerance, exact=self.rule.exact)

    @property
    def decided(self) -> bool:
        """Whether further tiles would be wasted."""
        return self._rejects or self._accepts

    @property
    def wanted(self) -> int:
        """How many more tiles it takes at least to decide; 0 when it is decided."""
        if self.decided:
            return 0
        if self._failed:
            return 1
        if self._slight and self._counts_slight and self.rule.slight:
            return min(self.rule.slight.needed - len(self._slight), self.rule.slight.tiles - len(self.measures))
        return max(self.rule.clean_needed - self._clean, self.rule.minimum - len(self.measures), 1)

    def verdict(self) -> Verdict:
        """What the tiles so far come to."""
        failed, used = tuple(self._failed), len(self.measures)
        if not used:
            return Verdict(False, False, "no tile was measured")
        if self._has_too_many_slight:
            named = tuple(sorted({*failed, *self._slight}))
            return Verdict(False, True, self._slight_difference(), named, used)
        if self._rejects or len(failed) >= self.rule.failures_to_reject(used):
            return Verdict(False, True, self._difference(), failed, used)
        if failed:
            reason = f"{len(failed)} of {used} tiles differ from their re-render, too few to tell"
            return Verdict(
                True, self.rule.evidence(len(failed), self._clean) <= -self.rule.to_accept, reason, failed, used
            )
        if self._slight and self._counts_slight:
            return Verdict(
                True, False, f"{len(self._slight)} of {used} tiles are somewhat off, too few to tell", (), used
            )
        if not self._accepts:
            reason = f"all {used} tiles agree, but only {self._clean} of them have noise to tell by"
            return Verdict(True, False, reason, failed, used)
        equal = sum(tile.equal for tile in self.measures)
        return Verdict(
            True, True, f"{used} tiles agree with their re-render, {equal} of them bit for bit", failed, used
        )

    @property
    def _rejects(self) -> bool:
        is_sure = self.rule.is_enough(len(self._failed), self._clean, len(self.measures))
        return is_sure or self._has_too_many_slight

    @property
    def _accepts(self) -> bool:
        is_sure = len(self.measures) >= self.rule.minimum and self._clean >= self.rule.clean_needed
        return is_sure and not self._failed and not (self._slight and self._counts_slight)

    @property
    def _counts_slight(self) -> bool:
        """Whether the next tile is among those of which slight ones are counted."""
        return self.rule.slight is not None and len(self.measures) < self.rule.slight.tiles

    @property
    def _has_too_many_slight(self) -> bool:
        return self.rule.slight is not None and len(self._slight) >= self.rule.slight.needed

    def _slight_difference(self) -> str:
        share = self.rule.slight.share_ppm / 10_000 if self.rule.slight else 0
        return f"{len(self._slight)} of {len(self.measures)} tiles have more than {share:g} % of their pixels off"

    def _difference(self) -> str:
        worst = self.measures[max(self._failed, key=lambda index: self.measures[index].share_ppm)]
        detail = worst.fault or f"up to {worst.share_ppm / 10_000:.1f} % of the pixels are off"
        if self.rule.exact and not worst.fault:
            detail += ", on the same kernel, where not a bit may be"
        return f"{len(self._failed)} of {len(self.measures)} tiles differ from their re-render: {detail}"


def confirms(named: Sequence[TileMeasure], rule: Rule, first: Sequence[TileMeasure] | None = None) -> bool:
    """Whether tiles that another's rejection names differ here too: as many as reject where a whole draw is used up,
    since they were picked out of one. ``first``: those of them that are among the draw's first, of which slight ones
    are counted; by default all."""
    failed = sum(TileTest(rule).fails(found) for found in named)
    slight = sum(_is_slight(found, rule) for found in (named if first is None else first))
    return failed >= rule.failures_to_reject(DRAWN) or (rule.slight is not None and slight >= rule.slight.needed)


def judge(measures: Sequence[TileMeasure], rule: Rule | None = None) -> Verdict:
    """Accept or reject a frame by its tiles in order; those after the decision are not looked at.

    ``rule``: from a calibration; by default tolerance between CPUs.
    """
    test = TileTest(rule or load_calibration().rule("cpu", "cpu"))
    for measured in measures:
        if test.decided:
            break
        test.add(measured)
    return test.verdict()


def _is_slight(measure: TileMeasure, rule: Rule) -> bool:
    """Whether more of it is off than of an honest tile as a rule; those that fail are among them."""
    return rule.slight is not None and measure.share_ppm > rule.slight.share_ppm
