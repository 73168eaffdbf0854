# SPDX-License-Identifier: Apache-2.0
"""Forgeries do what their names say, and leave the honest frame as it was."""

import numpy as np
import pytest

from benchmarks.proof import forgeries
from benchmarks.proof.forgeries import SHARES, WHERE
from inferix.proofs.rendering import FloatArray

HEIGHT, WIDTH = 144, 256


def frame(seed: int = 1) -> FloatArray:
    pixels = np.random.default_rng(seed).random((HEIGHT, WIDTH, 4), np.float32)
    pixels[..., 3] = 1
    return pixels


def calm_on_the_left() -> FloatArray:
    pixels = frame()
    pixels[:, : WIDTH // 2, :3] = 0.5
    return pixels


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("share", SHARES)
def test_a_mask_has_the_share_that_was_asked_for(where: str, share: float) -> None:
    chosen = forgeries.mask(where, share, frame(), np.random.default_rng(2))
    assert chosen.shape == (HEIGHT, WIDTH)
    assert chosen.mean() == pytest.approx(share, abs=0.01)


def test_one_piece_is_a_rectangle_and_scattered_is_none() -> None:
    dice = np.random.default_rng(3)
    whole = forgeries.mask(WHERE[0], 0.1, frame(), dice)
    rows, columns = whole.any(axis=1), whole.any(axis=0)
    assert whole.sum() == rows.sum() * columns.sum()
    spread = forgeries.mask(WHERE[1], 0.1, frame(), dice)
    assert spread.sum() < spread.any(axis=1).sum() * spread.any(axis=0).sum() / 2


def test_smooth_areas_are_taken_where_the_honest_frame_is_calm() -> None:
    chosen = forgeries.mask(WHERE[2], 0.25, calm_on_the_left(), np.random.default_rng(4))
    assert chosen[:, : WIDTH // 2].mean() == pytest.approx(0.5, abs=0.02)
    assert not chosen[:, WIDTH // 2 :].any()


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="a share is in"):
        forgeries.mask(WHERE[0], share, frame(), np.random.default_rng(5))
    with pytest.raises(ValueError, match="is not one of"):
        forgeries.mask("nowhere", 0.5, frame(), np.random.default_rng(5))


def test_pasting_changes_the_masked_pixels_and_no_other() -> None:
    honest, cheap = frame(1), frame(2)
    before = honest.copy()
    chosen = forgeries.mask(WHERE[1], 0.25, honest, np.random.default_rng(6))
    forged = forgeries.pasted(honest, cheap, chosen)
    assert ((forged != honest).any(axis=2) == chosen).all()
    assert (forged[chosen] == cheap[chosen]).all()
    assert (honest == before).all()
    assert forged.dtype == np.float32


def test_upscaling_keeps_what_is_even_and_has_the_ordered_size() -> None:
    even = np.full((9, 16, 4), 0.25, np.float32)
    assert forgeries.upscaled(even, HEIGHT, WIDTH) == pytest.approx(np.full((HEIGHT, WIDTH, 4), 0.25))
    large = forgeries.upscaled(frame()[::2, ::2], HEIGHT, WIDTH)
    assert (large.shape, large.dtype) == ((HEIGHT, WIDTH, 4), np.float32)
    odd = forgeries.upscaled(np.arange(2, dtype=np.float32).reshape(1, 2, 1), 1, 4)
    assert odd.ravel().tolist() == [0.0, 0.25, 0.75, 1.0]


def test_subsets_add_up_and_the_last_sample_can_be_taken_away() -> None:
    samples = [frame(seed) for seed in range(8)]
    full = forgeries.mean_of(samples, [1] * 8)
    halves = [forgeries.mean_of(part, [1] * 4) for part in (samples[:4], samples[4:])]
    assert forgeries.mean_of(halves, [4, 4]) == pytest.approx(full, abs=1e-6)
    seven = forgeries.mean_of(samples[:7], [1] * 7)
    assert forgeries.without_last(full, samples[7], 8) == pytest.approx(seven, abs=1e-6)
    assert forgeries.without_last(full, samples[6], 8) != pytest.approx(seven, abs=1e-3)


def test_noise_is_noise_and_opaque() -> None:
    dice = np.random.default_rng(7)
    grey = forgeries.black_and_white(frame(), dice)
    assert set(np.unique(grey)) == {0.0, 1.0}
    assert grey[..., :3].mean() == pytest.approx(0.5, abs=0.02)
    even = forgeries.uniform_noise(frame(), dice)
    assert even[..., :3].std() == pytest.approx(12**-0.5, abs=0.01)
    assert (grey[..., 3] == 1).all() and (even[..., 3] == 1).all()


def test_eight_bits_lose_half_a_level_and_what_is_brighter_than_white() -> None:
    bright = frame()
    bright[0, 0] = 3.0
    kept = forgeries.eight_bits(bright)
    assert kept[0, 0].tolist() == [1.0, 1.0, 1.0, 1.0]
    assert 0 < np.abs(kept[1:] - bright[1:]).max() < 0.006
    assert (forgeries.eight_bits(kept) == kept).all()


def test_between_two_frames_is_their_mean() -> None:
    assert (forgeries.interpolated(frame(1), frame(1)) == frame(1)).all()
    assert forgeries.interpolated(frame(1), frame(2)) == pytest.approx((frame(1) + frame(2)) / 2)


@pytest.mark.parametrize("one_in", [4, 8])
def test_what_is_left_out_of_every_tile_is_the_mean_of_its_neighbours(one_in: int) -> None:
    frame = np.random.default_rng(3).random((16, 24, 10), np.float32)
    found = forgeries.left_out(frame, one_in)
    off = (found != frame).any(axis=2)
    assert (off[:8, :8].sum(), off.sum()) == (64 // one_in, off.size // one_in)
    assert (found[..., 4:] == frame[..., 4:]).all()
    neighbours = frame[0, 1] + frame[2, 1] + frame[1, 0] + frame[1, 2]
    assert found[1, 1, :4] == pytest.approx(neighbours[:4] / 4, rel=1e-6)
    with pytest.raises(ValueError, match="in 4 or 8"):
        forgeries.left_out(frame, 3)
