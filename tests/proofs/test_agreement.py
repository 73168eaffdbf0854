# SPDX-License-Identifier: Apache-2.0
"""Samples of machines that agree, nearly agree and do not; files that are none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inferix.errors import Corrupt, InvalidInput
from inferix.proofs.calibration import Counted, Tolerance, load_calibration
from inferix.proofs.rendering import FloatArray
from inferix.proofs.rendering.agreement import (
    CLASSES,
    HONEST,
    TILES,
    Agreement,
    Sample,
    Shot,
    better_known,
    calibrated,
    compare,
    pairs_of,
    read_sample,
)

TOLERANCE = Tolerance(4_000, 16_000, 320_000)
SHOT = Shot("ab" * 32, "room.blend", 1, 480, 270, 64)


def sample(kernel: str = "avx2", *, off: float = 0.0, alike: bool = False, build: str = "5.0.1") -> Sample:
    """Noise of a shot, each class's its own unless ``alike``; ``off`` is added to every value."""
    tiles = {}
    for seed, kind in enumerate(CLASSES):
        chance = np.random.default_rng(0 if alike else seed)
        made: FloatArray = chance.random((TILES, 8, 8, 10), np.float32) + np.float32(off)
        tiles[kind] = made
    return Sample(build, "cpu", kernel, {SHOT: tiles})


def test_one_kernel_is_compared_bit_for_bit() -> None:
    found = compare(sample(), sample(), TOLERANCE)
    assert (found.kind, found.honest.failed, found.equal) == ("exact", 0, TILES)
    assert all(item.failed == item.tiles == 2 * TILES for item in found.forged)


def test_one_kernel_that_does_not_repeat_itself_fails_although_nobody_sees_it() -> None:
    found = compare(sample(), sample(off=1e-6), TOLERANCE)
    assert (found.kind, found.honest.failed, found.worst_ppm) == ("exact", TILES, 0)


def test_two_kernels_are_compared_within_the_tolerance() -> None:
    near = compare(sample(), sample("sse4.2", off=0.001), TOLERANCE)
    assert (near.kind, near.honest.failed, near.equal) == ("tolerance", 0, 0)
    far = compare(sample(), sample("sse4.2", off=0.5), TOLERANCE)
    assert far.honest.failed == TILES


def test_two_device_classes_of_one_gpu_are_a_pair_although_its_model_is_one_name() -> None:
    optix, cuda = (
        replace(sample("nvidia h200", off=off), device_class=name) for name, off in (("optix", 0.0), ("cuda", 0.001))
    )
    found = compare(optix, cuda, TOLERANCE)
    assert (found.kind, found.classes, found.honest.failed) == ("tolerance", ("optix", "cuda"), 0)
    [pair] = pairs_of([found], "by hand")
    assert (pair.one, pair.other) == ("cuda", "optix")
    rule = calibrated(load_calibration(), [pair], "by hand").rule("optix", "cuda")
    assert rule.calibrated and not load_calibration().rule("optix", "cuda").calibrated
    assert compare(optix, optix, TOLERANCE).kind == "exact"


def test_kernels_without_a_name_are_never_taken_for_the_same() -> None:
    assert compare(sample(""), sample(""), TOLERANCE).kind == "tolerance"


def test_another_build_or_other_frames_are_not_compared() -> None:
    with pytest.raises(InvalidInput, match="compared with itself only"):
        compare(sample(), sample(build="4.5.0"), TOLERANCE)
    other = replace(sample(), tiles={replace(SHOT, frame=2): sample().tiles[SHOT]})
    with pytest.raises(InvalidInput, match="no frame is in both"):
        compare(sample(), other, TOLERANCE)


def test_pairs_of_a_class_are_counted_together_and_take_the_old_ones_place() -> None:
    found = [compare(sample(), sample(kernel, off=0.001), TOLERANCE) for kernel in ("sse4.2", "neon")]
    (pair,) = pairs_of(found, "here")
    assert (pair.one, pair.other, pair.kind, pair.honest.tiles) == ("cpu", "cpu", "tolerance", 2 * TILES)
    assert {item.name for item in pair.forged} == set(CLASSES) - {HONEST}
    few = Counted(HONEST, 2 * TILES, 0)
    old = replace(load_calibration(), pairs=tuple(replace(pair, honest=few) for pair in load_calibration().pairs))
    new = calibrated(old, [pair], "here")
    assert len(new.pairs) == len(old.pairs)
    assert pair in new.pairs
    assert new.name != old.name
    assert new.rule("cpu", "cpu").calibrated


def test_regression_fewer_tiles_do_not_take_the_place_of_more() -> None:
    found = [compare(sample(), sample("sse4.2", off=0.001), TOLERANCE), compare(sample(), sample(), TOLERANCE)]
    for pair in pairs_of(found, "here"):
        assert better_known(load_calibration(), pair) is not None
        with pytest.raises(
            InvalidInput, match=rf"cpu and cpu are calibrated by \d+ honest tiles, and here are {TILES}"
        ):
            calibrated(load_calibration(), [pair], "here")
        other = replace(pair, other="optix")
        assert other in calibrated(load_calibration(), [other], "here").pairs


def test_a_forgery_that_agrees_as_well_is_not_claimed_and_alone_makes_no_test() -> None:
    def pairs(one: Sample) -> list[Agreement]:
        return [compare(one, replace(one, kernel="sse4.2"), TOLERANCE)]

    some = sample()
    mixed = replace(some, tiles={SHOT: {**some.tiles[SHOT], "1/2 samples": some.tiles[SHOT][HONEST]}})
    (pair,) = pairs_of(pairs(mixed), "here")
    assert [item.name for item in pair.others] == ["1/2 samples"]
    with pytest.raises(InvalidInput, match="stays uncalibrated"):
        pairs_of(pairs(sample(alike=True)), "here")


def test_a_sample_comes_back_from_its_file(tmp_path: Path) -> None:
    made = sample()
    made.write(tmp_path / "cpu.npz")
    read = read_sample(tmp_path / "cpu.npz")
    assert (read.build, read.device_class, read.kernel, list(read.tiles)) == ("5.0.1", "cpu", "avx2", [SHOT])
    assert all(np.array_equal(read.tiles[SHOT][kind], made.tiles[SHOT][kind]) for kind in CLASSES)


def test_what_is_no_sample_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_sample(path)
    path.write_bytes(b"not a sample")
    with pytest.raises(Corrupt, match="no sample"):
        read_sample(path)
    np.savez(path, about=np.zeros(3, np.uint8))
    with pytest.raises(Corrupt, match="no sample"):
        read_sample(path)
    short = replace(sample(), tiles={SHOT: {kind: tiles[:5] for kind, tiles in sample().tiles[SHOT].items()}})
    short.write(path)
    with pytest.raises(Corrupt, match="shape"):
        read_sample(path)
    np.savez(path, about=np.array([object()], dtype=object), allow_pickle=True)
    with pytest.raises(Corrupt, match="no sample"):
        read_sample(path)
