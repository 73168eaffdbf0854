# SPDX-License-Identifier: Apache-2.0
"""Counted tiles, the thresholds that follow from them, and the file that both are kept in."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from inferix.proofs.calibration import (
    Calibration,
    Counted,
    Pair,
    Slight,
    Tolerance,
    load_calibration,
    read_calibration,
    write_calibration,
)

FORGED = (Counted("other seed", 1_000, 1_000), Counted("half of the samples", 1_000, 950))
TOLERANCE = Pair("cpu", "cpu", "tolerance", Counted("another kernel", 1_000, 1), FORGED, (), "by hand")
EXACT = replace(TOLERANCE, kind="exact", honest=Counted("the same kernel", 1_000, 0))
CALIBRATION = Calibration(16, Tolerance(), 1_000, 1_000, 3, (EXACT, TOLERANCE), "by hand")


@pytest.mark.parametrize(
    ("failed", "tiles", "most", "least"),
    [
        (0, 360, 10_195, 0),
        (0, 3_000, 1_229, 0),
        (1, 1_000, 5_559, 25),
        (10, 10, 1_000_000, 691_502),
        (5, 10, 812_914, 187_086),
    ],
)
def test_counted__bounds_are_those_of_clopper_and_pearson(failed: int, tiles: int, most: int, least: int) -> None:
    found = Counted("x", tiles, failed)
    assert found.at_most_ppm == pytest.approx(most, abs=2)
    assert found.at_least_ppm == pytest.approx(least, abs=2)


def test_counted__nothing_counted_is_known_to_be_anything() -> None:
    assert (Counted("x", 0, 0).at_most_ppm, Counted("x", 0, 0).at_least_ppm) == (1_000_000, 0)


@pytest.mark.parametrize(("failed", "tiles"), [(2, 1), (-1, 5)])
def test_counted__more_failures_than_tiles_are_refused(failed: int, tiles: int) -> None:
    with pytest.raises(ValueError, match="cannot fail"):
        Counted("x", tiles, failed)


def test_pair__thresholds_are_made_for_the_weakest_forgery_that_is_claimed() -> None:
    assert TOLERANCE.forged_ppm == FORGED[1].at_least_ppm
    assert replace(TOLERANCE, others=(Counted("bounces", 100, 3),)).forged_ppm == TOLERANCE.forged_ppm


def test_rule__the_same_kernel_is_exact_another_one_within_the_tolerance() -> None:
    same, other = (CALIBRATION.rule("cpu", "cpu", same_kernel=same) for same in (True, False))
    assert (same.exact, same.calibrated) == (True, True)
    assert (other.exact, other.calibrated) == (False, True)
    assert same.name == f"exact {CALIBRATION.name}"
    assert other.name == f"tolerance {CALIBRATION.name}"


@pytest.mark.parametrize(
    ("worker", "verifier", "same_build"), [("cpu", "cpu", False), ("optix", "cpu", True), ("optix", "optix", True)]
)
def test_rule__what_was_never_counted_blames_nobody(worker: str, verifier: str, same_build: bool) -> None:
    found = CALIBRATION.rule(worker, verifier, same_build=same_build, same_kernel=True)
    assert (found.exact, found.calibrated) == (False, False)


def test_rule__a_pair_counts_both_ways() -> None:
    both = replace(CALIBRATION, pairs=(TOLERANCE, replace(TOLERANCE, one="optix", other="cpu")))
    assert both.rule("cpu", "optix").calibrated and both.rule("optix", "cpu").calibrated
    assert not both.rule("optix", "optix").calibrated


def test_rule__a_small_sample_makes_a_cautious_test() -> None:
    few = replace(TOLERANCE, honest=Counted("another kernel", 20, 0))
    cautious = replace(CALIBRATION, pairs=(few,)).rule("cpu", "cpu")
    bold = CALIBRATION.rule("cpu", "cpu")
    assert cautious.failures_to_reject(10) > bold.failures_to_reject(10)


def test_write__what_was_written_is_read_again_with_the_same_name(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    write_calibration(path, CALIBRATION)
    assert read_calibration(path) == CALIBRATION
    assert read_calibration(path).name == CALIBRATION.name
    write_calibration(path, replace(CALIBRATION, alpha_ppm=2_000))
    assert read_calibration(path).name != CALIBRATION.name


def test_write__what_makes_no_test_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    blind = replace(TOLERANCE, forged=(Counted("bounces", 100, 0),))
    with pytest.raises(ValueError, match="no test"):
        write_calibration(path, replace(CALIBRATION, pairs=(blind,)))
    assert not path.exists()


@pytest.mark.parametrize(
    "change", [{"pairs": []}, {"pairs": [{}]}, {"extra": 1}, {"tolerance": {}, "alpha_ppm": 0}, {"pairs": 3}]
)
def test_read__another_file_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "calibration.json"
    write_calibration(path, CALIBRATION)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError):
        read_calibration(path)


def test_the_calibration_that_is_used_compares_cpus_both_ways() -> None:
    used = load_calibration()
    assert used.rule("cpu", "cpu", same_kernel=True).exact
    assert used.rule("cpu", "cpu").calibrated
    assert used.source and all(pair.source for pair in used.pairs)


def test_slight__is_counted_for_a_pair_kept_in_the_file_and_part_of_the_name(tmp_path: Path) -> None:
    slight = Slight(5_000, needed=4, tiles=10, frames=72, worst=Counted("honest", 50, 1))
    with_it = replace(CALIBRATION, pairs=(EXACT, replace(TOLERANCE, slight=slight)))
    write_calibration(tmp_path / "calibration.json", with_it)
    found = read_calibration(tmp_path / "calibration.json")
    assert found == with_it
    assert found.rule("cpu", "cpu").slight == slight
    assert found.rule("cpu", "cpu", same_kernel=True).slight is None
    assert found.name != CALIBRATION.name == found.without_slight().name


@pytest.mark.parametrize(("needed", "tiles", "most"), [(3, 10, 3), (1, 10, 0), (11, 10, 3)])
def test_slight__what_honest_frames_have_or_one_tile_or_more_than_there_are_is_refused(
    needed: int, tiles: int, most: int
) -> None:
    with pytest.raises(ValueError, match="no test"):
        Slight(160_000, needed=needed, tiles=tiles, frames=100, worst=Counted("honest", 50, most))


def test_slight__what_is_in_force_was_counted_between_two_kernels() -> None:
    calibration = load_calibration()
    slight = calibration.rule("cpu", "cpu").slight
    assert slight is not None
    assert slight.share_ppm < calibration.tolerance.max_share_ppm
    assert (slight.tiles, slight.frames > 0) == (10, True)


def test_slight__is_judged_neither_of_a_pair_never_compared_nor_of_a_frame_whose_tiles_overlap() -> None:
    calibration = load_calibration()
    assert calibration.rule("cpu", "cuda").slight is None
    assert calibration.rule("cpu", "cpu", same_build=False).slight is None
    rule = calibration.rule("cpu", "cpu")
    assert rule.of_frame(8, 8).slight is None
    assert rule.of_frame(64, 48) == rule
    assert replace(rule.of_frame(8, 8), slight=rule.slight) == rule


def test_against__who_accepted_answers_for_twice_the_tolerance_who_rejected_for_half_of_it() -> None:
    rule = load_calibration().rule("cpu", "cpu")
    accepted, rejected = rule.against(accepted=True), rule.against(accepted=False)
    assert accepted.slight and rejected.slight and rule.slight
    assert [each.tolerance.noise_ppm for each in (accepted, rule, rejected)] == [700_000, 350_000, 175_000]
    assert [each.tolerance.max_share_ppm for each in (accepted, rule, rejected)] == [480_000, 320_000, 160_000]
    assert [each.share_ppm for each in (accepted.slight, rule.slight, rejected.slight)] == [240_000, 160_000, 80_000]
    assert accepted.name == rule.name == rejected.name
    exact = load_calibration().rule("cpu", "cpu", same_kernel=True)
    assert exact.against(accepted=True) == exact.against(accepted=False) == exact
