# SPDX-License-Identifier: Apache-2.0
"""Frame seeds, tile plans, measures and verdicts on synthetic pixels."""

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferix.proofs.rendering import (
    GUIDE_ROWS,
    MILLION,
    SEED_LIMIT,
    FloatArray,
    Tile,
    TileMeasure,
    Tolerance,
    another_seed,
    as_stored,
    frame_seed,
    guide_rows,
    judge,
    load_calibration,
    measure,
    noise_cells,
    reads_whole,
    redo_frame,
    tile_plan,
)

KEY, SEED, TASK = b"k" * 32, b"s" * 32, b"t" * 32


def noisy(seed: int = 1, sigma: float = 0.05, shape: tuple[int, int] = (32, 32)) -> FloatArray:
    generator = np.random.default_rng(seed)
    pixels = np.full((*shape, 4), 0.5, np.float32)
    pixels[..., :3] += generator.normal(0, sigma, (*shape, 3)).astype(np.float32)
    return pixels


def plan(**changes: Any) -> tuple[Tile, ...]:
    arguments: dict[str, Any] = {
        "seed": SEED,
        "task": TASK,
        "attempt": 0,
        "verifier": 3,
        "frame": 1,
        "width": 640,
        "height": 360,
    }
    return tile_plan(**{**arguments, **changes})


def test_frame_seed__is_the_documented_hmac() -> None:
    message = b"inferix/frame-seed" + bytes([2]) + bytes([0, 0, 1, 0]) + bytes([255, 255, 255, 254])
    digest = hmac.new(KEY, message, hashlib.sha256).digest()
    assert frame_seed(KEY, 2, 256, -2) == int.from_bytes(digest[:8], "big") % (2**31 - 1)


@given(
    st.binary(min_size=32, max_size=32), st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(-(2**20), 2**20)
)
def test_frame_seed__fits_cycles(key: bytes, attempt: int, worker: int, frame: int) -> None:
    assert 0 <= frame_seed(key, attempt, worker, frame) < SEED_LIMIT


def test_frame_seed__differs_by_key_attempt_worker_and_frame() -> None:
    seeds = {
        frame_seed(KEY, 0, 1, 1),
        frame_seed(b"x" * 32, 0, 1, 1),
        frame_seed(KEY, 1, 1, 1),
        frame_seed(KEY, 0, 2, 1),
        frame_seed(KEY, 0, 1, 2),
    }
    assert len(seeds) == 5


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 33])
def test_frame_seed__refuses_a_key_of_another_length(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        frame_seed(key, 0, 1, 1)


def test_tile_plan__repeats_and_stays_what_it_was() -> None:
    assert plan() == plan()
    text = ";".join(f"{tile.x},{tile.y},{tile.width},{tile.height}" for tile in plan(count=3))
    assert text == "356,168,8,8;118,96,8,8;129,152,8,8"


@pytest.mark.parametrize(
    "change", [{"seed": b"x" * 32}, {"task": b"x" * 32}, {"attempt": 1}, {"verifier": 4}, {"frame": 2}]
)
def test_tile_plan__is_another_for_each_verifier_task_attempt_frame_and_seed(change: dict[str, Any]) -> None:
    assert not set(plan()) & set(plan(**change))


@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(1, 20),
    st.integers(1, 64),
    st.binary(min_size=32, max_size=32),
)
def test_tile_plan__stays_inside_the_frame(width: int, height: int, count: int, size: int, seed: bytes) -> None:
    tiles = plan(seed=seed, width=width, height=height, count=count, size=size)
    assert len(tiles) == count
    for tile in tiles:
        assert (tile.width, tile.height) == (min(size, width), min(size, height))
        assert 0 <= tile.x <= width - tile.width
        assert 0 <= tile.y <= height - tile.height


@given(st.binary(min_size=32, max_size=32))
def test_tile_plan__does_not_overlap_where_there_is_room(seed: bytes) -> None:
    tiles = plan(seed=seed)
    assert not any(one.overlaps(other) for index, one in enumerate(tiles) for other in tiles[:index])


def test_tile_plan__covers_every_part_of_the_frame_over_many_seeds() -> None:
    seen = np.zeros((10, 10), bool)
    for number in range(400):
        for tile in plan(seed=hashlib.sha256(bytes([number % 256, number // 256])).digest()):
            seen[tile.y // 36 : (tile.y + 31) // 36 + 1, tile.x // 64 : (tile.x + 31) // 64 + 1] = True
    assert seen.all()


def test_tile_plan__draws_half_of_the_tiles_where_the_noise_is() -> None:
    noise = np.zeros((45, 80), np.float32)
    noise[40:, 72:] = 2.0
    corner = 0
    for number in range(20):
        tiles = plan(seed=bytes([number]) * 32, noise=noise, count=2)
        corner += tiles[1].x >= 568 and tiles[1].y >= 320
        assert tiles[0] == plan(seed=bytes([number]) * 32, count=2)[0]
    assert corner == 20


@pytest.mark.parametrize(
    "noise", [np.zeros((45, 80), np.float32), np.full((45, 80), np.nan, np.float32), np.full((45, 80), -1, np.float32)]
)
def test_tile_plan__without_usable_noise_draws_anywhere(noise: FloatArray) -> None:
    assert plan(noise=noise) == plan()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": b"short"},
        {"task": b""},
        {"width": 0},
        {"size": 0},
        {"count": 0},
        {"noise": np.ones((4, 4), np.float32)},
    ],
)
def test_tile_plan__refuses_what_makes_no_plan(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|at least 1|80 cells"):
        plan(**change)


def test_redo_frame__draws_one_of_the_frames_and_each_of_them_in_time() -> None:
    frames = range(5, 9)
    drawn = {redo_frame(bytes([number]) * 32, TASK, 0, 3, frames) for number in range(60)}
    assert drawn == set(frames)


def test_measure__equal_bits_are_equal() -> None:
    assert measure(noisy(), noisy()) == TileMeasure(0, True, True, 0.0)


def test_measure__another_kernel_is_within_tolerance() -> None:
    result = measure(noisy() + np.float32(4e-4), noisy())
    assert result.share_ppm == 0
    assert not result.equal
    assert judge([result] * 10).accepted


def test_measure__counts_the_pixels_that_are_off() -> None:
    changed = noisy()
    changed[0, :16, 1] += 0.01
    result = measure(changed, noisy())
    assert result.share_ppm == 16 * MILLION // 1024
    assert result.max_difference == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize(("off", "accepted"), [(20, True), (21, False)])
def test_measure__the_share_of_two_per_cent_decides(off: int, accepted: bool) -> None:
    changed = noisy()
    changed.reshape(-1, 4)[:off, 0] += 0.5
    rule = replace(load_calibration().rule("cpu", "cpu"), tolerance=Tolerance())
    assert judge([measure(changed, noisy())] * 5, rule).accepted is accepted


@pytest.mark.parametrize(("difference", "off"), [(0.0029, False), (0.0032, True)])
def test_measure__the_limit_of_a_pixel_grows_with_its_value(difference: float, off: bool) -> None:
    own = np.full((8, 8, 4), 0.5, np.float32)
    assert (measure(own + np.float32(difference), own).share_ppm == MILLION) is off


def test_measure__another_seed_differs_nearly_everywhere() -> None:
    result = measure(noisy(2), noisy(1))
    assert result.share_ppm > 900_000
    assert not judge([result] * 3).accepted


def test_measure__alpha_counts_too() -> None:
    changed = noisy()
    changed[..., 3] = 1.0
    assert measure(changed, noisy()).share_ppm == MILLION


@pytest.mark.parametrize(
    "submitted",
    [
        noisy(shape=(32, 31)),
        noisy()[..., :3],
        noisy().astype(np.float64),
        np.zeros((0, 0, 4), np.float32),
        np.zeros(7, np.float32),
    ],
)
def test_measure__another_shape_or_type_is_a_fault_of_the_tile(submitted: Any) -> None:
    result = measure(submitted, noisy())
    assert "expected float32 of (32, 32, 4)" in result.fault
    assert not judge([result] * 3).accepted


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_measure__a_value_that_is_not_finite_is_a_fault_unless_ones_own_is_the_same(value: float) -> None:
    changed, own = noisy(), noisy()
    changed[3, 3, 0] = value
    assert measure(changed, own).fault == "it holds values that are not finite"
    own[3, 3, 0] = value
    assert measure(changed, own).equal
    assert measure(noisy(), own).share_ppm == MILLION // 1024  # a finite pixel where one's own is not


def test_measure__a_calm_tile_is_not_informative() -> None:
    ramp = np.zeros((32, 32, 4), np.float32)
    ramp[...] = np.linspace(0, 1, 32, dtype=np.float32)[:, None, None]
    assert not measure(ramp, ramp).informative
    assert measure(noisy(), noisy()).informative
    assert not measure(noisy(sigma=5e-4), noisy(sigma=5e-4)).informative
    assert not measure(noisy(shape=(2, 2)), noisy(shape=(2, 2))).informative


def test_tile_plan__a_longer_plan_begins_with_the_shorter_one() -> None:
    noise = np.random.default_rng(1).random((45, 80)).astype(np.float32)
    assert plan(count=30, noise=noise)[:10] == plan(count=10, noise=noise)


def test_tile_plan__a_tile_lies_in_one_block_of_lines_but_in_the_last_row() -> None:
    tiles = [tile for number in range(60) for tile in plan(seed=bytes([number]) * 32)]
    assert all(tile.y % 8 == 0 for tile in tiles)
    odd = [tile for number in range(60) for tile in plan(seed=bytes([number]) * 32, height=361)]
    assert {tile.y for tile in odd if tile.y % 8} == {361 - 8}


def test_guide_rows__are_other_rows_for_each_verifier_and_cover_the_frame_in_time() -> None:
    seen = set()
    for number in range(120):
        rows = guide_rows(bytes([number]) * 32, TASK, 0, 3, 1, 360)
        assert len(set(rows)) == GUIDE_ROWS
        assert list(rows) == sorted(rows)
        seen |= set(rows)
    assert seen == set(range(0, 360, 8))
    assert guide_rows(SEED, TASK, 0, 3, 1, 360) != guide_rows(SEED, TASK, 0, 4, 1, 360)
    assert guide_rows(SEED, TASK, 0, 3, 1, 20) == (0, 8, 16)


@pytest.mark.parametrize("change", [{"seed": b"short"}, {"height": 0}, {"count": 0}])
def test_guide_rows__refuse_what_has_no_rows(change: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"seed": SEED, "task": TASK, "attempt": 0, "verifier": 3, "frame": 1, "height": 360}
    with pytest.raises(ValueError, match=r"32 bytes|at least 1"):
        guide_rows(**{**fields, **change})


def test_noise_cells__are_high_where_there_is_noise_and_nought_where_nobody_looked() -> None:
    strip = np.full((8, 32, 4), 0.5, np.float32)
    strip[:, 16:24] = noisy(shape=(8, 8))
    cells = noise_cells({8: strip}, 32, 20)
    assert cells.shape == (3, 4)
    assert cells[1, 2] > 5 * max(cells[1, 0], cells[1, 1] + 1e-9)
    assert cells[1, 0] == 0
    assert not cells[[0, 2]].any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_noise_cells__whatever_a_worker_writes_is_between_nought_and_one(value: float) -> None:
    strip = noisy(shape=(8, 64))
    strip[3, 5:9, 0] = value
    cells = noise_cells({0: strip}, 64, 8)
    assert np.isfinite(cells).all()
    assert 0 <= cells.min() <= cells.max() <= 1
    assert noise_cells({0: strip[:2]}, 64, 8).max() == 0


def test_noise_cells__guide_half_of_the_tiles_and_no_more() -> None:
    strip = np.full((8, 640, 4), 0.5, np.float32)
    strip[:, 320:] = noisy(shape=(8, 320))
    tiles = plan(noise=noise_cells({160: strip}, 640, 360))
    assert all(tile.y == 160 and tile.x >= 290 for tile in tiles[1::2])
    assert tiles[::2] != tuple(tile for tile in tiles[::2] if tile.y == 160)


def test_reads_whole__one_in_sixteen() -> None:
    whole = sum(reads_whole(SEED, TASK, 0, verifier, 1) for verifier in range(3_200))
    assert 150 < whole < 250


def test_a_tile_cannot_be_known_from_the_keys_before_the_seed() -> None:
    """The seed is a hash of a block after the receipt; with any other, nothing of the plan stays."""
    plans = [set(plan(seed=hashlib.sha256(bytes([number])).digest())) for number in range(40)]
    shared = sum(len(one & other) for index, one in enumerate(plans) for other in plans[:index])
    assert shared <= 20  # of 78,000 pairs of tiles in 14,000 places, by chance 5


def test_frame_seeds_of_leaked_keys_say_nothing_about_others() -> None:
    """Every bit of a seed changes half of the time when one bit of the key does, whatever is known of other frames."""
    keys = [hashlib.sha256(bytes([number])).digest() for number in range(64)]
    flips = np.zeros(31)
    for key in keys:
        other = bytes([key[0] ^ 1]) + key[1:]
        change = frame_seed(key, 0, 1, 1) ^ frame_seed(other, 0, 1, 1)
        flips += [change >> bit & 1 for bit in range(31)]
    assert (np.abs(flips / len(keys) - 0.5) < 0.3).all()
    one = [frame_seed(key, 0, 1, 1) for key in keys]
    next_frame = [frame_seed(key, 0, 1, 2) for key in keys]
    assert abs(np.corrcoef(one, next_frame)[0, 1]) < 0.4


# -- in units of a tile's noise

IN_NOISE = load_calibration().tolerance


def renders(samples: int, seed: int) -> FloatArray:
    """(8, 8, 10) of a path tracer's ``samples``: light of 0.5, noise of 0.4 a sample; guides with noise as well."""
    chance = np.random.default_rng(seed)
    pixels = 0.5 + chance.normal(0, 0.4, (samples, 8, 8, 10)).mean(axis=0)
    return as_stored(pixels.astype(np.float32))


def fewer(samples: int, left: int) -> tuple[FloatArray, FloatArray]:
    """A frame, and the same of its first ``left`` samples only."""
    parts = 0.5 + np.random.default_rng(1).normal(0, 0.4, (samples, 8, 8, 10))
    whole, cheap = (as_stored(part.mean(axis=0).astype(np.float32)) for part in (parts, parts[:left]))
    return whole, cheap


@pytest.mark.parametrize("samples", [8, 64, 512, 4_096])
@pytest.mark.parametrize("eighths", [7, 4, 2, 1])
def test_attack_fewer_samples_than_ordered_hide_behind_a_tolerance_that_noise_is_small_beside(
    samples: int, eighths: int
) -> None:
    own, cheap = fewer(samples, samples * eighths // 8)
    found = measure(cheap, own, IN_NOISE, renders(samples, 2))
    assert found.informative
    assert found.share_ppm > 2 * IN_NOISE.max_share_ppm


@pytest.mark.parametrize("samples", [8, 64, 512, 4_096])
def test_measure__paths_that_part_on_another_kernel_are_within_the_noise(samples: int) -> None:
    own = renders(samples, 1)
    parted = own.copy()
    parted[:, ::3] += (renders(samples, 3) - own)[:, ::3] * np.float32(0.1)  # one path in a hundred, in a third
    assert measure(as_stored(parted), own, IN_NOISE, renders(samples, 2)).share_ppm < IN_NOISE.max_share_ppm // 2


def test_measure__a_tile_is_informative_where_another_seed_would_show() -> None:
    calm = np.full((8, 8, 10), 0.25, np.float32)
    assert not measure(calm, calm, IN_NOISE, calm).informative
    assert measure(renders(8, 1), renders(8, 1), IN_NOISE, renders(8, 2)).informative
    edge = calm.copy()
    edge[:, :2] = renders(8, 3)[:, :2]  # a quarter of it
    assert not measure(calm, calm, IN_NOISE, edge).informative


def test_measure__one_bright_pixel_does_not_hide_the_rest() -> None:
    own, cheap = fewer(64, 32)
    another = renders(64, 2)
    another[3, 3] = 1_000.0
    assert measure(cheap, own, IN_NOISE, another).share_ppm > IN_NOISE.max_share_ppm


def test_attack_guides_that_lead_the_denoiser_astray_are_a_difference() -> None:
    own = renders(64, 1)
    forged = own.copy()
    forged[..., 4:7] = 0.0
    for another in (None, renders(64, 2)):
        found = measure(forged, own, IN_NOISE, another)
        assert found.fails(IN_NOISE, exact=True)
        assert found.fails(IN_NOISE, exact=False)


def test_measure__guides_may_fall_to_either_side_of_half_precision() -> None:
    own = renders(64, 1)
    rounded = own.copy()
    rounded[..., 4:] = np.nextafter(own[..., 4:].astype(np.float16), np.float16(9)).astype(np.float32)
    assert measure(rounded, own, IN_NOISE, renders(64, 2)).share_ppm == 0
    coloured = own.copy()
    coloured[..., 0] = rounded[..., 4]
    assert measure(coloured, own, IN_NOISE, renders(64, 2)).share_ppm > 0


def test_as_stored__is_what_half_precision_holds_and_finite() -> None:
    pixels = np.array([[[1e9, np.nan, 0.1, 1.0, 1e9, np.nan, 0.1, -1e9, np.inf, 0.0]]], np.float32)
    stored = as_stored(pixels)
    assert stored[0, 0, :4].tobytes() == pixels[0, 0, :4].tobytes()
    assert stored[0, 0, 4:].tolist() == [65504.0, 0.0, float(np.float16(0.1)), -65504.0, 65504.0, 0.0]


def test_another_seed__is_another_and_a_seed() -> None:
    assert another_seed(SEED_LIMIT - 1) == 0
    assert all(another_seed(seed) != seed for seed in (0, 1, SEED_LIMIT - 2, SEED_LIMIT - 1))
