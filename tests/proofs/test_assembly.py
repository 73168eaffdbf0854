# SPDX-License-Identifier: Apache-2.0
"""Comparing an assembled frame with its redoing."""

import numpy as np
import pytest

from inferix.proofs.assembly import ByteArray, judge_picture, measure_picture


def picture(seed: int = 1) -> ByteArray:
    return np.random.default_rng(seed).integers(20, 230, (40, 60, 3), dtype=np.uint8)


def test_equal_pictures_are_accepted() -> None:
    measure = measure_picture(picture(), picture())
    assert measure.equal
    assert judge_picture(measure).accepted


def test_a_few_levels_are_another_processors_denoiser() -> None:
    measure = measure_picture(picture() + np.uint8(4), picture())
    assert (measure.max_levels, measure.equal) == (4, False)
    assert judge_picture(measure).accepted


def test_levels_count_downwards_too() -> None:
    assert measure_picture(picture() - np.uint8(9), picture()).share_ppm == 1_000_000


@pytest.mark.parametrize(("pixels", "accepted"), [(24, True), (25, False)])
def test_one_per_cent_of_the_pixels_decides(pixels: int, accepted: bool) -> None:
    changed = picture()
    changed.reshape(-1, 3)[:pixels, 2] += np.uint8(20)
    assert judge_picture(measure_picture(changed, picture())).accepted is accepted


def test_another_picture_is_rejected() -> None:
    verdict = judge_picture(measure_picture(picture(2), picture(1)))
    assert not verdict.accepted
    assert "differ from its redoing" in verdict.reason


@pytest.mark.parametrize("other", [picture()[:-1], np.zeros((40, 60, 4), np.uint8), picture().astype(np.float32)])
def test_another_shape_or_type_is_rejected(other: ByteArray) -> None:
    verdict = judge_picture(measure_picture(other, picture()))
    assert not verdict.accepted
    assert "expected uint8 of (40, 60, 3)" in verdict.reason
