# SPDX-License-Identifier: Apache-2.0
"""What a cheat can expect, against simulation and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferix.proofs.calibration import MILLION, Rule, Tolerance
from inferix.proofs.deterrence import (
    audit_ppm,
    expected_value_of_cheating,
    rejection_ppm,
    tiles_needed,
    verdict_ppm,
)
from inferix.proofs.rendering import TileMeasure, judge
from inferix.units import NanoUsd

RULE = Rule(False, True, 3_000, 900_000, 1_000, 1_000, 3, Tolerance(), "test")
PPM, MONEY = st.integers(0, MILLION), st.integers(0, 10**15).map(NanoUsd)
USD = 10**9


@pytest.mark.parametrize(("failing", "informative"), [(900_000, MILLION), (225_000, MILLION), (90_000, 500_000)])
def test_rejection__is_what_the_test_really_does(failing: int, informative: int) -> None:
    generator, rejected, trials = np.random.default_rng(5), 0, 3_000
    for _ in range(trials):
        tiles = [
            TileMeasure(MILLION, True, False, 1.0)
            if generator.random() * MILLION < failing
            else TileMeasure(0, bool(generator.random() * MILLION < informative), True, 0.0)
            for _ in range(30)
        ]
        rejected += not judge(tiles, RULE).accepted
    expected = rejection_ppm(RULE, failing, (MILLION - failing) * informative // MILLION) / MILLION
    assert rejected / trials == pytest.approx(expected, abs=0.03)


def test_rejection__honest_frames_seldom_forged_ones_nearly_always() -> None:
    assert rejection_ppm(RULE, 3_000) <= 1_000
    assert rejection_ppm(RULE, 900_000) >= 999_000
    assert rejection_ppm(RULE, 0) == 0
    assert rejection_ppm(RULE, 450_000, 50_000) >= 999_000  # half of it calm


def test_regression_rejection__takes_two_failing_tiles_however_much_one_weighs() -> None:
    heavy = replace(RULE, honest_ppm=20)
    assert heavy.evidence(1, 0) >= heavy.to_reject
    assert rejection_ppm(heavy, 100_000, 0, tiles=3) == 28_000, "two of three, the others calm"
    assert rejection_ppm(heavy, MILLION, 0, tiles=3) == MILLION


@pytest.mark.parametrize(
    ("one", "seats", "needed", "all_of_them"),
    [
        (500_000, 1, 1, 500_000),
        (500_000, 5, 3, 500_000),
        (900_000, 2, 2, 810_000),
        (MILLION, 5, 3, MILLION),
        (0, 5, 3, 0),
    ],
)
def test_verdict__needs_enough_of_the_committee(one: int, seats: int, needed: int, all_of_them: int) -> None:
    assert verdict_ppm(one, seats, needed) == all_of_them


def test_verdict__votes_that_cannot_be_had_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be had"):
        verdict_ppm(1, 3, 4)


def test_expected_value__by_hand() -> None:
    assert (
        expected_value_of_cheating(MILLION, 900_000, NanoUsd(144 * USD), NanoUsd(USD), NanoUsd(0)) == -129_500_000_000
    )
    assert expected_value_of_cheating(0, MILLION, NanoUsd(USD), NanoUsd(5), NanoUsd(2)) == 3
    assert expected_value_of_cheating(1, 1, NanoUsd(0), NanoUsd(1), NanoUsd(0)) == 1  # up, in the cheat's favour


@given(PPM, PPM, MONEY, MONEY, MONEY)
def test_expected_value__falls_with_stake_and_checks_and_is_whole(
    p: int, d: int, stake: NanoUsd, reward: NanoUsd, cost: NanoUsd
) -> None:
    value = expected_value_of_cheating(p, d, stake, reward, cost)
    assert isinstance(value, int)
    assert expected_value_of_cheating(p, d, NanoUsd(stake + USD), reward, cost) <= value
    assert expected_value_of_cheating(min(p + 1_000, MILLION), d, stake, reward, cost) <= value
    assert -stake - cost <= value <= reward - cost


@given(PPM, MONEY, MONEY, MONEY)
def test_audit__the_rate_that_is_said_is_enough_and_one_less_is_not(
    d: int, stake: NanoUsd, reward: NanoUsd, cost: NanoUsd
) -> None:
    rate = audit_ppm(d, stake, reward, cost)
    if rate is None:
        assert expected_value_of_cheating(MILLION, d, stake, reward, cost) > 0
        return
    assert expected_value_of_cheating(rate, d, stake, reward, cost) <= 0
    if rate > 0:
        assert expected_value_of_cheating(rate - 1, d, stake, reward, cost) > 0


@pytest.mark.parametrize(
    ("part", "tile", "wanted", "tiles"),
    [
        (MILLION, 900_000, 990_000, 2),
        (250_000, 800_000, 990_000, 21),
        (100_000, MILLION, 990_000, 44),
        (0, MILLION, 1, None),
        (0, 0, 0, 0),
    ],
)
def test_tiles_needed__by_the_formula(part: int, tile: int, wanted: int, tiles: int | None) -> None:
    assert tiles_needed(part, tile, wanted) == tiles


@pytest.mark.parametrize("chance", [-1, MILLION + 1])
def test_chances_outside_of_a_million_are_refused(chance: int) -> None:
    for call in (
        lambda: expected_value_of_cheating(chance, 1, NanoUsd(0), NanoUsd(0), NanoUsd(0)),
        lambda: rejection_ppm(RULE, chance),
        lambda: rejection_ppm(RULE, 600_000, 500_000),
        lambda: tiles_needed(1, chance, 1),
        lambda: verdict_ppm(chance, 5, 3),
    ):
        with pytest.raises(ValueError, match="parts per million"):
            call()
    with pytest.raises(ValueError, match="not negative"):
        expected_value_of_cheating(1, 1, NanoUsd(-1), NanoUsd(0), NanoUsd(0))
