# SPDX-License-Identifier: Apache-2.0
"""The seed audit on samples that are made here: what it can tell, and what it cannot."""

from typing import Any

import numpy as np
import pytest

from inferix.proofs.rendering import FloatArray
from inferix.proofs.rendering.audit import AuditMeasure, audit_plan, combine_audits, measure_audit

SEED, TASK, SAMPLES, SHAPE = b"s" * 32, b"t" * 32, 16, (180, 320)


def sample(seed: int, index: int) -> FloatArray:
    """One sample of a picture with a gradient and an edge."""
    base = np.linspace(0.1, 0.9, SHAPE[1])[None, :, None] + 0.3 * (np.arange(SHAPE[0]) > 90)[:, None, None]
    noise = np.random.default_rng([seed, index]).exponential(1.0, (*SHAPE, 3))
    return np.asarray(base * noise, np.float32)


def frame(seed: int, samples: int = SAMPLES, drop: int = -1) -> FloatArray:
    kept = [index for index in range(samples) if index != drop]
    return np.mean([sample(seed, index) for index in kept], axis=0, dtype=np.float32)


def score(submitted: FloatArray, index: int = 5) -> float:
    return measure_audit(submitted, sample(1, index), sample(999, index)).score


def test_a_frame_of_the_seed_is_told_from_others() -> None:
    honest, others = score(frame(1)), [score(frame(seed)) for seed in (2, 3, 4)]
    assert honest > 10
    assert all(abs(other) < 5 for other in others)


def test_fewer_samples_are_found_only_where_the_sample_was_dropped() -> None:
    assert abs(score(frame(1, drop=5))) < 5
    assert score(frame(1, samples=8)) > score(frame(1))  # it kept sample 5, and shows it the more


def test_a_denoised_frame_has_lost_its_noise() -> None:
    image = frame(1)
    smooth = sum(np.roll(image, (y, x), (0, 1)) for y in range(-3, 4) for x in range(-3, 4)) / np.float32(49)
    assert score(smooth.astype(np.float32)) < score(image) / 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_whatever_a_worker_delivers_is_measured(value: float) -> None:
    image = frame(1)
    image[10:20, 10:20] = value
    assert np.isfinite(score(image))
    assert measure_audit(image[:50], sample(1, 5), sample(2, 5)) == AuditMeasure(0.0, 0)
    assert score(np.full_like(image, 0.5)) == 0.0


def test_own_renders_of_two_regions_are_refused() -> None:
    with pytest.raises(ValueError, match="one region"):
        measure_audit(frame(1), sample(1, 5), sample(1, 5)[:10])


def plan(**changes: Any) -> Any:
    fields: dict[str, Any] = {"seed": SEED, "task": TASK, "attempt": 0, "verifier": 3, "frame": 1}
    return audit_plan(**{**fields, "width": 321, "height": 179, "samples": 64, **changes})


def test_plan__regions_are_the_whole_frame_with_samples_that_nobody_can_foretell() -> None:
    seen = np.zeros((179, 321), int)
    for region in plan():
        seen[region.tile.y :, region.tile.x :][: region.tile.height, : region.tile.width] += 1
        assert 0 <= region.sample < 64
    assert (seen == 1).all()
    assert len({region.sample for region in plan()}) > 8
    assert plan() == plan()
    for change in ({"seed": b"x" * 32}, {"verifier": 4}, {"frame": 2}, {"attempt": 1}):
        assert plan(**change) != plan()


@pytest.mark.parametrize("change", [{"seed": b""}, {"samples": 0}, {"width": 3}, {"rows": 0}])
def test_plan__what_has_no_regions_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        plan(**change)


def test_combine__two_alike_are_root_two_surer_and_nothing_is_nothing() -> None:
    both = combine_audits([AuditMeasure(10.0, 100), AuditMeasure(10.0, 100)])
    assert both.score == pytest.approx(14.142, abs=0.01)
    assert both.pixels == 200
    assert combine_audits([]) == AuditMeasure(0.0, 0)
