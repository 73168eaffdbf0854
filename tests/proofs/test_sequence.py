# SPDX-License-Identifier: Apache-2.0
"""Tile after tile until it is sure: what is needed, what is refused, and how often either is wrong."""

import numpy as np
import pytest

from inferix.proofs.calibration import Counted, Rule, Slight, Tolerance
from inferix.proofs.rendering import TileMeasure, TileTest, confirms, judge

CLEAN, CALM = TileMeasure(0, True, True, 0.0), TileMeasure(0, False, True, 0.0)
FAILED = TileMeasure(900_000, True, False, 0.4)
NEAR = TileMeasure(0, True, False, 1e-5)  # within the tolerance, not the same bits
SOMEWHAT = TileMeasure(10_000, True, False, 0.1)  # above what is slight below, and below what fails
FEW = Slight(share_ppm=5_000, needed=4, tiles=10, frames=1_000, worst=Counted("honest", 50, 3))
FAULT = TileMeasure(1_000_000, True, False, float("inf"), "it holds values that are not finite")


def rule(
    *,
    exact: bool = False,
    honest_ppm: int = 3_000,
    forged_ppm: int = 900_000,
    minimum: int = 3,
    slight: Slight | None = None,
) -> Rule:
    return Rule(exact, True, honest_ppm, forged_ppm, 1_000, 1_000, minimum, Tolerance(), "test", slight)


def test_judge__as_many_clean_tiles_as_it_takes_accept_and_the_rest_is_not_looked_at() -> None:
    verdict = judge([CLEAN] * 10, rule())
    assert (verdict.accepted, verdict.conclusive, verdict.used) == (
        True,
        True,
        4,
    )  # log(1000) / log(1 / 0.1), rounded up
    assert verdict.reason == "4 tiles agree with their re-render, 4 of them bit for bit"


def test_judge__never_before_the_minimum() -> None:
    sure = rule(forged_ppm=999_999, honest_ppm=1)
    assert judge([CLEAN] * 2, sure).conclusive is False
    assert judge([CLEAN] * 10, sure).used == 3
    assert judge([FAILED] * 10, sure).used == 3
    assert judge([CLEAN] * 10, rule(forged_ppm=999_999, minimum=7)).used == 7


def test_judge__a_forged_frame_is_rejected_at_once_and_its_tiles_are_named() -> None:
    verdict = judge([FAILED] * 10, rule())
    assert (verdict.accepted, verdict.conclusive, verdict.failed, verdict.used) == (False, True, (0, 1, 2), 3)
    assert "3 of 3 tiles differ from their re-render: up to 90.0 % of the pixels are off" in verdict.reason


def test_judge__one_failing_tile_rejects_nobody_but_nothing_is_accepted_early_after_it() -> None:
    verdict = judge([CLEAN, FAILED, *[CLEAN] * 8], rule())
    assert (verdict.accepted, verdict.conclusive, verdict.failed, verdict.used) == (True, True, (1,), 10)
    assert judge([CLEAN, FAILED, *[CLEAN] * 7, FAILED], rule()).accepted is False


def test_regression_one_failing_tile_rejects_nobody_however_much_it_weighs() -> None:
    heavy = rule(honest_ppm=20)  # of many honest tiles: one that fails is evidence enough by its weight
    assert heavy.evidence(1, 1) >= heavy.to_reject
    assert judge([FAILED, *[CALM] * 29], heavy).accepted
    verdict = judge([FAILED, CALM, CALM, FAILED], heavy)
    assert (verdict.accepted, verdict.failed, verdict.used) == (False, (0, 3), 4)


def test_judge__a_frame_forged_in_part_is_rejected_where_one_of_the_first_tiles_fails() -> None:
    assert not judge([CLEAN, FAILED, CLEAN, CLEAN, CLEAN, FAILED, FAILED], rule()).accepted
    assert judge([CLEAN, CLEAN, CLEAN, CLEAN, FAILED, FAILED], rule()).accepted  # it was sure before


def test_judge__calm_tiles_say_nothing_for_a_worker() -> None:
    verdict = judge([CALM] * 8 + [CLEAN] * 2, rule())
    assert (verdict.accepted, verdict.conclusive, verdict.used) == (True, False, 10)
    assert "only 2 of them have noise" in verdict.reason
    assert judge([CALM] * 8 + [CLEAN] * 4, rule()).conclusive
    calm_but_off = TileMeasure(500_000, False, False, 0.1)
    assert not judge([calm_but_off] * 3, rule()).accepted


def test_judge__the_same_kernel_has_to_repeat_every_bit_another_one_need_not() -> None:
    assert judge([NEAR] * 10, rule()).accepted
    verdict = judge([NEAR] * 10, rule(exact=True))
    assert not verdict.accepted
    assert "not a bit may be" in verdict.reason
    assert judge([CLEAN] * 10, rule(exact=True)).accepted


def test_judge__faults_fail_whatever_the_rule() -> None:
    for exact in (False, True):
        assert "not finite" in judge([FAULT] * 3, rule(exact=exact)).reason


def test_judge__without_a_rule_of_its_own_takes_the_calibration() -> None:
    assert judge([CLEAN] * 10).accepted
    assert not judge([FAILED] * 10).accepted


def test_judge__a_few_pixels_off_in_every_tile_are_rejected_where_such_tiles_were_counted() -> None:
    by = rule(slight=FEW)
    verdict = judge([SOMEWHAT] * 30, by)
    assert (verdict.accepted, verdict.conclusive, verdict.used, verdict.failed) == (False, True, 4, (0, 1, 2, 3))
    assert verdict.reason == "4 of 4 tiles have more than 0.5 % of their pixels off"
    assert judge([SOMEWHAT] * 30, rule()).accepted  # the sequential test alone


def test_judge__as_many_slight_tiles_as_an_honest_frame_has_reject_nobody_but_ten_are_looked_at() -> None:
    by = rule(slight=FEW)
    verdict = judge([SOMEWHAT, *[CLEAN] * 4, SOMEWHAT, SOMEWHAT, *[CLEAN] * 23], by)
    assert (verdict.accepted, verdict.conclusive, verdict.used) == (True, True, 10)
    assert judge([CLEAN] * 30, by).used == judge([CLEAN] * 30, rule()).used == 4
    assert judge([*[SOMEWHAT] * 3, *[CLEAN] * 7, *[SOMEWHAT] * 20], by).accepted  # it was sure before


def test_judge__a_small_frame_of_slight_tiles_is_not_told() -> None:
    verdict = judge([SOMEWHAT, *[CLEAN] * 5], rule(slight=FEW))
    assert (verdict.accepted, verdict.conclusive) == (True, False)
    assert "too few to tell" in verdict.reason


def test_judge__slight_tiles_and_one_that_fails_are_named_together() -> None:
    verdict = judge([SOMEWHAT, FAILED, CLEAN, SOMEWHAT, CLEAN, SOMEWHAT], rule(slight=FEW))
    assert (verdict.accepted, verdict.failed) == (False, (0, 1, 3, 5))


def test_confirms__slight_tiles_that_another_names_count_as_they_do_for_it() -> None:
    by = rule(slight=FEW)
    assert confirms([SOMEWHAT] * 4, by)
    assert not confirms([SOMEWHAT] * 3, by)
    assert not confirms([SOMEWHAT] * 30, rule())
    assert not confirms([SOMEWHAT] * 8, by, [SOMEWHAT] * 3)  # the others come later in the draw
    assert confirms([FAILED] * 8, by, [])


def test_tile_test__of_slight_tiles_wants_what_it_takes_at_least() -> None:
    test = TileTest(rule(slight=FEW))
    for measure, wanted in ((SOMEWHAT, 3), (SOMEWHAT, 2), (CLEAN, 2), *[(CLEAN, 2)] * 5, (CLEAN, 1), (CLEAN, 0)):
        test.add(measure)
        assert test.wanted == wanted
    assert test.verdict().accepted


def test_judge__nothing_measured_is_neither_accepted_nor_conclusive() -> None:
    verdict = judge([], rule())
    assert (verdict.accepted, verdict.conclusive) == (False, False)


def test_tile_test__wants_what_it_takes_at_least_and_refuses_more() -> None:
    test = TileTest(rule())
    assert test.wanted == 4
    test.add(CLEAN)
    assert test.wanted == 3
    test.add(FAILED)
    assert test.wanted == 1
    test.add(FAILED)
    assert (test.decided, test.wanted) == (True, 0)
    with pytest.raises(ValueError, match="has ended"):
        test.add(CLEAN)


@pytest.mark.parametrize(
    ("honest", "forged"), [(0, 900_000), (500_000, 500_000), (600_000, 500_000), (1_000, 1_000_000)]
)
def test_rule__rates_that_tell_nothing_are_refused(honest: int, forged: int) -> None:
    with pytest.raises(ValueError, match="no test"):
        rule(honest_ppm=honest, forged_ppm=forged)


def simulate(chance: float, trials: int, informative: float, seed: int = 7) -> tuple[float, float]:
    """Share of frames rejected, and tiles used for each."""
    generator = np.random.default_rng(seed)
    applied, rejected, used = rule(), 0, 0
    for _ in range(trials):
        tiles = [
            (FAILED if generator.random() < chance else CLEAN) if generator.random() < informative else CALM
            for _ in range(30)
        ]
        verdict = judge(tiles, applied)
        rejected += not verdict.accepted
        used += verdict.used
    return rejected / trials, used / trials


def test_error_rates_are_those_that_were_asked_for() -> None:
    false_rejection, honest_used = simulate(0.003, 4_000, 1.0)
    false_acceptance, _ = simulate(0.9, 4_000, 1.0)
    assert false_rejection <= 0.002
    assert 1 - false_acceptance <= 0.002
    assert honest_used < 4.5
    half_calm, _ = simulate(0.9, 2_000, 0.5)
    assert 1 - half_calm <= 0.004


def test_of_a_frame_forged_in_part_the_detection_grows_with_the_part() -> None:
    quarter, half = (simulate(0.9 * part, 1_500, 1.0)[0] for part in (0.25, 0.5))
    assert 0.5 < quarter < half < 1
