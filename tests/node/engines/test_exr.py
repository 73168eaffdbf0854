# SPDX-License-Identifier: Apache-2.0
"""The raw frame's file format, and files that are none."""

import hashlib
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from inferix.proofs.rendering import Tile
from node.engines import exr
from node.engines.exr import BadExr, Passes


def passes(width: int = 40, height: int = 24) -> Passes:
    generator = np.random.default_rng(7)
    combined = generator.normal(0.5, 0.2, (height, width, 4)).astype(np.float32)
    guides = generator.random((2, height, width, 3)).astype(np.float32)
    return Passes(combined, guides[0], guides[1])


@pytest.fixture
def frame(tmp_path: Path) -> Path:
    path = tmp_path / "frame.exr"
    exr.write_frame(path, passes())
    return path


def test_the_combined_pass_comes_back_bit_for_bit_and_the_guides_as_halves(frame: Path) -> None:
    read = exr.read_frame(frame, (40, 24))
    assert read.combined.tobytes() == passes().combined.tobytes()
    assert np.abs(read.albedo - passes().albedo).max() < 1e-3
    assert np.abs(read.normal - passes().normal).max() < 1e-3
    assert read.size == (40, 24)


def test_equal_passes_make_equal_files(frame: Path, tmp_path: Path) -> None:
    exr.write_frame(tmp_path / "again.exr", passes())
    assert (tmp_path / "again.exr").read_bytes() == frame.read_bytes()


def test_values_that_are_not_finite_survive_in_the_combined_pass(tmp_path: Path) -> None:
    odd = passes()
    odd.combined[0, 0, :3] = (np.inf, np.nan, -np.inf)
    odd.albedo[0, 0] = np.inf
    exr.write_frame(tmp_path / "odd.exr", odd)
    read = exr.read_frame(tmp_path / "odd.exr")
    assert read.combined.tobytes() == odd.combined.tobytes()
    assert np.isfinite(read.albedo).all()


def test_the_pixels_hash_is_over_little_endian_floats_from_the_top() -> None:
    combined = passes().combined
    assert exr.pixels_sha256(combined) == hashlib.sha256(combined.astype("<f4").tobytes()).digest()
    assert exr.pixels_sha256(combined[::-1]) != exr.pixels_sha256(combined)


@pytest.mark.parametrize("layer", ["ViewLayer.", "a layer.with.dots.", ""])
def test_channels_go_by_pass_and_letter_whatever_their_layer_is_called(tmp_path: Path, layer: str) -> None:
    path, flat = tmp_path / "layers.exr", np.full((4, 6), 0.5, np.float32)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    names = ("Combined.R", "Diffuse Direct.R", "Depth.Z")
    parts = [OpenEXR.Part({**header, "name": name}, {layer + name: flat * at}) for at, name in enumerate(names)]
    OpenEXR.File(parts).write(str(path))
    read = exr.read_channels(path)
    assert {name: float(pixels[0, 0]) for name, pixels in read.items()} == dict(zip(names, (0, 0.5, 1), strict=True))


def test_a_crop_is_the_pixels_of_the_tile() -> None:
    combined = passes().combined
    assert (exr.crop(combined, Tile(3, 5, 10, 4)) == combined[5:9, 3:13]).all()


@pytest.mark.parametrize("tile", [Tile(31, 0, 10, 4), Tile(0, 21, 4, 4), Tile(-1, 0, 4, 4), Tile(0, 0, 41, 1)])
def test_a_tile_outside_is_refused(tile: Tile) -> None:
    with pytest.raises(BadExr, match="not inside a frame of 40x24"):
        exr.crop(passes().combined, tile)


def test_another_size_is_refused(frame: Path) -> None:
    with pytest.raises(BadExr, match="40x24 pixels, expected 40x25"):
        exr.read_frame(frame, (40, 25))


@pytest.mark.parametrize("content", [b"", b"not a picture", b"v/1\x01" + bytes(500)])
def test_what_is_no_exr_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.exr"
    path.write_bytes(content)
    with pytest.raises(BadExr, match=r"bad\.exr"):
        exr.read_frame(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(frame: Path, share: float) -> None:
    content = frame.read_bytes()
    frame.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BadExr):
        exr.read_frame(frame, (40, 24))


def test_a_missing_channel_or_another_compression_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.exr"
    pixels = np.zeros((4, 4), np.float32)
    OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION}, {"Combined.R": pixels}).write(str(path))
    with pytest.raises(BadExr, match="expected one, the raw passes"):
        exr.read_frame(path)
    names = [*exr._COMBINED, *exr._ALBEDO, *exr._NORMAL]
    OpenEXR.File({"compression": OpenEXR.DWAA_COMPRESSION}, dict.fromkeys(names, pixels)).write(str(path))
    with pytest.raises(BadExr, match="expected lossless ZIP"):
        exr.read_frame(path)


def test_a_combined_pass_of_halves_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.exr"
    pixels = np.zeros((4, 4), np.float16)
    names = [*exr._COMBINED, *exr._ALBEDO, *exr._NORMAL]
    OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION}, dict.fromkeys(names, pixels)).write(str(path))
    with pytest.raises(BadExr, match="not float32"):
        exr.read_frame(path)
