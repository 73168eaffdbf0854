# SPDX-License-Identifier: Apache-2.0
"""Thresholds on pictures: what follows from counts, which counts make none, and files that hold none."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferix.proofs.assembly import judge_picture, measure_picture
from inferix.proofs.calibration import Counted, load_calibration
from inferix.proofs.pictures import (
    PATH,
    Keys,
    Pictures,
    PictureTolerance,
    Redone,
    load_pictures,
    read_pictures,
    write_pictures,
)

HONEST, FORGED = Counted("by another process", 40, 0), Counted("the frame before", 40, 40)
REDONE = Redone(PictureTolerance(4, 10_000), HONEST, (FORGED,))
KEYS = Keys(100, 100_000, ((3_000, 200), (3_250, 40), (3_500, 4), (3_750, 3), (4_000, 0)))
PICTURES = Pictures(REDONE, KEYS, "by hand")


def test_the_file_in_force_holds_what_follows_from_its_counts() -> None:
    found = load_pictures()
    assert found.redone.tolerance == PictureTolerance(4, 10_000)
    assert found.redone.honest.at_most_ppm < min(item.at_least_ppm for item in found.redone.forged)
    at = round(found.keys.threshold * 1_000)
    rates = {
        threshold: item.at_most_ppm for (threshold, _), item in zip(found.keys.above, found.keys.counted(), strict=True)
    }
    assert rates[at] <= found.keys.alpha_ppm < min(rate for threshold, rate in rates.items() if threshold < at)


def test_it_has_no_part_in_the_name_of_the_calibration_of_frames() -> None:
    assert load_calibration().name == "65229d68"
    assert load_calibration().without_slight().name == "8dadfa45"  # by which the published rows were counted


def test_the_threshold_is_the_least_at_which_the_end_of_the_interval_is_small_enough() -> None:
    assert KEYS.threshold == 3.75  # 4 of 100,000 are at most 103 ppm, 3 at most 88
    assert replace(KEYS, alpha_ppm=110).threshold == 3.5
    assert replace(KEYS, alpha_ppm=37).threshold == 4.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha_ppm": 36}, "too few for a threshold"),
        ({"keys": 20_000}, "too few for a threshold"),
        ({"above": ()}, "too few for a threshold"),
        ({"above": ((4_000, 0), (3_000, 200))}, "thresholds rise"),
        ({"above": ((3_000, 0), (4_000, 200))}, "thresholds rise"),
        ({"keys": 100}, "cannot fail"),
        ({"alpha_ppm": 0}, "may not be taken for marked"),
    ],
)
def test_counts_that_make_no_threshold_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(KEYS, **change)


@pytest.mark.parametrize("forged", [(), (FORGED, Counted("JPEG", 40, 5))])
def test_a_tolerance_that_tells_nothing_is_refused(forged: tuple[Counted, ...]) -> None:
    with pytest.raises(ValueError, match="that is no test"):
        replace(REDONE, forged=forged)
    assert replace(REDONE, others=(Counted("JPEG", 40, 5),)).others, "what is not claimed may pass"


@pytest.mark.parametrize(("levels", "share"), [(-1, 10), (255, 10), (4, -1), (4, 1_000_000)])
def test_a_tolerance_within_which_everything_is_or_nothing_is_refused(levels: int, share: int) -> None:
    with pytest.raises(ValueError, match="no picture differs"):
        PictureTolerance(levels, share)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures.json", PICTURES)
    assert read_pictures(tmp_path / "pictures.json") == PICTURES
    assert read_pictures(PATH) == load_pictures()


def without(data: Any, *names: str) -> Any:
    *path, last = names
    for name in path:
        data = data[name]
    del data[last]
    return None


BROKEN: list[tuple[Any, str]] = [
    (lambda data: without(data, "keys"), "it has no 'keys'"),
    (lambda data: without(data, "redone", "honest"), "it has no 'honest'"),
    (lambda data: without(data, "source"), "source"),
    (lambda data: data.update(more=1), "more"),
    (lambda data: data["keys"].update(keys="many"), "keys.keys is 'many'"),
    (lambda data: data["keys"].update(alpha_ppm=0.5), "keys.alpha_ppm is 0.5"),
    (lambda data: data["redone"]["tolerance"].update(levels=True), "redone.tolerance.levels is True"),
    (lambda data: data["redone"]["tolerance"].update(levels=300), "no picture differs"),
    (lambda data: data["redone"]["honest"].update(failed=41), "cannot fail"),
    (lambda data: data["redone"]["honest"].update(failed=40), "that is no test"),
    (lambda data: data["keys"]["above"].append([1, 2, 3]), "too many values"),
    (lambda data: data.update(keys=[]), "keys is []"),
]


@pytest.mark.parametrize(("harm", "message"), BROKEN)
def test_a_file_that_holds_no_thresholds_says_so_and_what_to_do(tmp_path: Path, harm: Any, message: str) -> None:
    path = tmp_path / "pictures.json"
    write_pictures(path, PICTURES)
    data = json.loads(path.read_text())
    harm(data)
    path.write_text(json.dumps(data))
    with pytest.raises(
        ValueError, match="pictures.json holds no thresholds on pictures: .*; `make calibration`"
    ) as refused:
        read_pictures(path)
    assert message in str(refused.value)


def test_what_is_no_json_is_refused_and_a_file_that_is_not_there_too(tmp_path: Path) -> None:
    (tmp_path / "pictures.json").write_text("{")
    with pytest.raises(ValueError, match=r"pictures\.json holds no thresholds"):
        read_pictures(tmp_path / "pictures.json")
    with pytest.raises(OSError, match="nowhere"):
        read_pictures(tmp_path / "nowhere.json")


def test_another_tolerance_than_that_in_force_judges_otherwise() -> None:
    one = np.full((10, 10, 3), 100, np.uint8)
    other = one.copy()
    other[0] += np.uint8(4)
    assert judge_picture(measure_picture(other, one)).accepted
    strict = PictureTolerance(3, 10_000)
    assert not judge_picture(measure_picture(other, one, strict), strict).accepted
