# SPDX-License-Identifier: Apache-2.0
"""Lines of a raw frame without the rest of it; whatever is not a raw frame is refused before it is unpacked."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferix.proofs.rendering import Tile
from node.engines import BadResult, ReaderStopped, exr
from node.engines.blocks import RawBlocks

WIDTH, HEIGHT = 50, 40  # two whole blocks and a half
SIZE = (WIDTH, HEIGHT)


def pixels(kind: str = "noise") -> exr.FloatArray:
    if kind == "flat":
        return np.full((HEIGHT, WIDTH, 4), 0.25, np.float32)
    return np.random.default_rng(1).normal(0, 100, (HEIGHT, WIDTH, 4)).astype(np.float32)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return written(tmp_path / "raw.exr", pixels())


def written(path: Path, image: exr.FloatArray) -> Path:
    exr.write_frame(path, exr.Passes(image, image[..., :3], image[..., :3]))
    return path


@pytest.mark.parametrize("kind", ["noise", "flat"])  # noise is stored as it is, because it does not pack
def test_lines_and_tiles_are_those_that_openexr_reads(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path / "raw.exr", pixels(kind))
    passes = exr.read_frame(path)
    whole = exr.stored(passes)
    assert whole[..., 4:].any()
    with RawBlocks(path, SIZE) as blocks:
        for top, count in ((0, 16), (16, 16), (32, 8), (0, 40), (39, 1), (10, 20)):
            assert blocks.lines(top, count).tobytes() == whole[top : top + count].tobytes()
        for tile in (Tile(0, 0, 16, 16), Tile(34, 24, 16, 16), Tile(49, 39, 1, 1)):
            assert blocks.crop(tile).tobytes() == exr.crop(whole, tile).tobytes()
        assert blocks.pixels_sha256() == exr.pixels_sha256(passes.combined)


@pytest.mark.parametrize(("top", "count"), [(-1, 4), (0, 41), (40, 1), (3, 0)])
def test_lines_outside_the_frame_are_refused(raw: Path, top: int, count: int) -> None:
    with RawBlocks(raw, SIZE) as blocks, pytest.raises(ValueError, match="not inside"):
        blocks.lines(top, count)


@pytest.mark.parametrize("tile", [Tile(35, 0, 16, 16), Tile(-1, 0, 4, 4), Tile(0, 0, 0, 4), Tile(0, 30, 16, 16)])
def test_a_tile_outside_the_frame_is_refused(raw: Path, tile: Tile) -> None:
    with RawBlocks(raw, SIZE) as blocks, pytest.raises(ValueError, match="not inside"):
        blocks.crop(tile)


def refused(path: Path, says: str, size: tuple[int, int] = SIZE) -> None:
    with pytest.raises(BadResult, match=says), RawBlocks(path, size) as blocks:
        blocks.pixels_sha256()


def test_another_size_is_refused(raw: Path) -> None:
    refused(raw, "it has 50x40 pixels, expected 40x50", (40, 50))


def test_what_is_no_raw_frame_is_refused(tmp_path: Path, raw: Path) -> None:
    other = tmp_path / "other.exr"
    for data, says in ((b"", "scan lines"), (b"x" * 900, "scan lines"), (raw.read_bytes()[:30], "cut off")):
        other.write_bytes(data)
        refused(other, says)


def test_regression_a_file_that_cannot_be_opened_here_blames_nobody(tmp_path: Path, raw: Path) -> None:
    link = tmp_path / "link.exr"
    link.symlink_to(raw)
    for path in (tmp_path / "none.exr", link):
        with pytest.raises(ReaderStopped, match="could not be read here"):
            RawBlocks(path, SIZE)


@pytest.mark.parametrize("compression", [OpenEXR.NO_COMPRESSION, OpenEXR.PIZ_COMPRESSION, OpenEXR.ZIPS_COMPRESSION])
def test_another_compression_is_refused(tmp_path: Path, compression: object) -> None:
    path = tmp_path / "other.exr"
    header = {"compression": compression, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"Combined.R": np.zeros((HEIGHT, WIDTH), np.float32)}).write(str(path))
    refused(path, "lossless ZIP")


def test_other_passes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.exr"
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"Combined.R": np.zeros((HEIGHT, WIDTH), np.float32)}).write(str(path))
    refused(path, "raw passes")


def _attribute(data: bytearray, name: bytes, kind: bytes) -> int:
    """Where an attribute's value begins."""
    return data.index(name + b"\0" + kind + b"\0") + len(name) + len(kind) + 2 + 4


@pytest.mark.parametrize("value", [float("nan"), 0.0, 2.0])
@pytest.mark.parametrize("name", [b"pixelAspectRatio", b"screenWindowWidth"])
def test_attack_a_header_that_openexr_refuses_is_refused_here(raw: Path, name: bytes, value: float) -> None:
    """Its pixels were accepted and paid for, and whoever was to make the film of them was late."""
    data = bytearray(raw.read_bytes())
    struct.pack_into("<f", data, _attribute(data, name, b"float"), value)
    raw.write_bytes(data)
    refused(raw, f"its header differs in {name.decode()}")


@pytest.mark.parametrize("kind", [b"flo\0t", b"int\0\0"])
def test_attack_an_attribute_of_another_kind_is_refused(raw: Path, kind: bytes) -> None:
    data = raw.read_bytes().replace(b"pixelAspectRatio\0float", b"pixelAspectRatio\0" + kind)
    raw.write_bytes(data)
    refused(raw, "is not an EXR raw frame")


def test_an_attribute_more_is_refused(raw: Path) -> None:
    data = bytearray(raw.read_bytes())
    at = data.index(b"compression\0compression")
    data[at:at] = b"comments\0string\0" + struct.pack("<I", 2) + b"me"
    raw.write_bytes(data)
    refused(raw, "differs in comments")


def _table(data: bytes) -> int:
    """Where the table of the blocks' places begins."""
    return data.index(b"scanlineimage") + len("scanlineimage") + 1


def _block(data: bytes, number: int) -> int:
    return int(struct.unpack_from("<Q", data, _table(data) + 8 * number)[0])


def _place_outside(data: bytearray) -> None:
    struct.pack_into("<Q", data, _table(data), 2**63)


def _place_in_header(data: bytearray) -> None:
    struct.pack_into("<Q", data, _table(data) + 8, 4)


def _other_line(data: bytearray) -> None:
    struct.pack_into("<i", data, _block(data, 1), 17)


def _huge(data: bytearray) -> None:
    struct.pack_into("<I", data, _block(data, 1) + 4, 2**31)


def _negative_line(data: bytearray) -> None:
    struct.pack_into("<i", data, _block(data, 0), -1)


def _garbage(data: bytearray) -> None:
    at = _block(data, 1) + 8
    data[at : at + 20] = b"\xff" * 20


def _checksum(data: bytearray) -> None:
    at = _block(data, 1)
    data[at + 8 + struct.unpack_from("<I", data, at + 4)[0] - 1] ^= 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_place_outside, "outside the file"),
        (_place_in_header, "outside the file"),
        (_other_line, "says it is line 17"),
        (_negative_line, "says it is line -1"),
        (_huge, "in 2147483648 bytes"),
        (_garbage, "does not unpack"),
        (_checksum, "does not unpack"),
        (lambda data: data.__delitem__(slice(len(data) - 9, None)), "cut off"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: Callable[[bytearray], None], says: str) -> None:
    path = written(tmp_path / "raw.exr", pixels("flat"))
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    refused(path, says)


@pytest.mark.parametrize("length", [10, 10**7])
def test_a_block_that_unpacks_to_another_size_is_refused(tmp_path: Path, length: int) -> None:
    """A bomb: 10 MB of noughts in 10 KB. No more than a block's own size is ever unpacked."""
    path = written(tmp_path / "raw.exr", pixels())
    data = bytearray(path.read_bytes())
    bomb = zlib.compress(bytes(length), 9)
    at = _block(data, 0)
    data[at + 4 : at + 8] = struct.pack("<I", len(bomb))
    data[at + 8 : at + 8 + len(bomb)] = bomb
    path.write_bytes(data)
    refused(path, "another size")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 10**6), value=st.integers(0, 255), keep=st.integers(0, 10**6))
def test_no_change_of_a_file_does_more_than_refuse_it(tmp_path: Path, place: int, value: int, keep: int) -> None:
    path = written(tmp_path / "raw.exr", pixels("flat"))
    data = bytearray(path.read_bytes())
    data[place % len(data)] = value
    path.write_bytes(data[: max(keep % (2 * len(data)), 1)])
    try:
        with RawBlocks(path, SIZE) as blocks:
            assert blocks.lines(0, HEIGHT).shape == (HEIGHT, WIDTH, 10)
    except BadResult:
        pass
