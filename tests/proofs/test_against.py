# SPDX-License-Identifier: Apache-2.0
"""A vote within the tolerance, judged again on another kernel: pixels brought between two renders convict nobody."""

import numpy as np
import pytest

from inferix.proofs.calibration import Rule, Tolerance, load_calibration
from inferix.proofs.rendering import FloatArray, Reference, TileMeasure, judge
from inferix.proofs.rendering.compare import _limit

RULE = load_calibration().rule("cpu", "cpu")
STEP = 1e-5  # by which two kernels differ


def tiles(part: float, seed: int, tolerance: Tolerance, *, voters: bool) -> list[TileMeasure]:
    """Ten tiles whose pixels are off by this part of what the voter lets pass, away from the other kernel's render; by
    the voter, or by who judges again."""
    found = []
    for number in range(10):
        generator = np.random.default_rng(seed + number)
        own, another = (generator.random((8, 8, 10), np.float32) for _ in range(2))
        delivered = own + np.asarray(part * _limit(own, RULE.tolerance, another), np.float32)
        others: FloatArray = own - np.float32(STEP) * (1 if part > 0 else -1)
        found.append(Reference(own if voters else others, tolerance, another).measure(delivered))
    return found


@pytest.mark.parametrize("side", [1, -1])
def test_attack_pixels_between_two_renders_do_not_convict_who_accepted(side: int) -> None:
    part = side * (1 - STEP / 10)
    assert judge(tiles(part, 1, RULE.tolerance, voters=True), RULE).accepted
    assert not judge(tiles(part, 1, RULE.tolerance, voters=False), RULE).accepted, "by the voter's own rule"
    again = RULE.against(accepted=True)
    assert judge(tiles(part, 1, again.tolerance, voters=False), again).accepted


def test_attack_pixels_between_two_renders_do_not_convict_who_rejected() -> None:
    def beyond(rule: Rule, *, voters: bool) -> bool:
        # Away from the voter, and not from the other: seen from there the step goes the other way.
        found = []
        for number in range(10):
            generator = np.random.default_rng(number)
            own, another = (generator.random((8, 8, 10), np.float32) for _ in range(2))
            delivered = own + np.asarray(_limit(own, RULE.tolerance, another) + STEP / 2, np.float32)
            reference = own if voters else own + np.float32(STEP)
            found.append(Reference(reference, rule.tolerance, another).measure(delivered))
        return not judge(found, rule).accepted

    assert beyond(RULE, voters=True)
    assert not beyond(RULE, voters=False), "by the voter's own rule"
    assert beyond(RULE.against(accepted=False), voters=False)


def test_what_is_another_seed_convicts_who_accepted_it() -> None:
    again = RULE.against(accepted=True)
    found = []
    for number in range(10):
        generator = np.random.default_rng(number)
        own, another, theirs = (generator.random((8, 8, 10), np.float32) for _ in range(3))
        found.append(Reference(own, again.tolerance, another).measure(theirs))
    assert not judge(found, again).accepted
    honest = [Reference(own := np.full((8, 8, 10), 0.5, np.float32), again.tolerance).measure(own) for _ in range(10)]
    assert judge(honest, RULE.against(accepted=False)).accepted
