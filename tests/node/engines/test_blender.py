# SPDX-License-Identifier: Apache-2.0
"""Blender renders, re-renders tiles and assembles: what honest nodes can rely on."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from inferix.errors import InvalidInput
from inferix.proofs.assembly import judge_picture, measure_picture
from inferix.proofs.rendering import Tile, judge, measure, noise_cells, tile_plan
from node.engines import (
    BadResult,
    EngineMissing,
    EngineSettings,
    EngineStopped,
    Progress,
    RawFrame,
    ReaderStopped,
    RenderSettings,
    Request,
    crops,
    exr,
)
from node.engines.blender.host import BlenderEngine
from node.engines.blender.session import BlenderSession
from node.engines.blocks import RawBlocks
from node.engines.crops import read_crops, read_movie_frame, read_picture
from node.sandbox import Limits
from tests.node.engines.conftest import DEMO, SCENES, SMALL

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def raw(demo: BlenderSession) -> RawFrame:
    return demo.render(3, 42, SMALL)


def test_a_frame_is_what_its_description_says(raw: RawFrame, blender: BlenderEngine) -> None:
    passes = exr.read_frame(raw.path, (SMALL.width, SMALL.height))
    assert raw.pixels_sha256 == exr.pixels_sha256(passes.combined)
    assert raw.file_sha256 == hashlib.sha256(raw.path.read_bytes()).digest()
    assert (raw.frame, raw.seed, raw.samples, raw.device_class) == (3, 42, 8, "cpu")
    assert raw.build == blender.build()
    assert raw.core_seconds > 0
    assert 0.02 < passes.combined[..., :3].mean() < 2
    assert passes.albedo.std() > 0.01
    assert passes.normal.std() > 0.01


def test_the_same_frame_again_is_the_same_file(demo: BlenderSession, raw: RawFrame) -> None:
    first = raw.path.read_bytes()
    demo.render(9, 7, RenderSettings(64, 36, 2))  # something else in between
    again = demo.render(3, 42, SMALL)
    assert (again.file_sha256, again.pixels_sha256) == (raw.file_sha256, raw.pixels_sha256)
    assert again.path.read_bytes() == first


def test_another_process_and_one_thread_give_the_same_pixels(raw: RawFrame, tmp_path: Path) -> None:
    engine = BlenderEngine(EngineSettings(threads=1))
    with engine.open(DEMO, tmp_path) as session:
        assert session.render(3, 42, SMALL).pixels_sha256 == raw.pixels_sha256


def test_another_seed_frame_or_number_of_samples_gives_other_pixels(demo: BlenderSession, raw: RawFrame) -> None:
    others = [
        demo.render(3, 43, SMALL),
        demo.render(4, 42, SMALL),
        demo.render(3, 42, RenderSettings(SMALL.width, SMALL.height, 7)),
    ]
    assert raw.pixels_sha256 not in {other.pixels_sha256 for other in others}
    demo.render(3, 42, SMALL)  # the file of frame 3, as the other tests expect it


def test_tiles_are_the_frame_bit_for_bit(demo: BlenderSession, raw: RawFrame) -> None:
    whole = exr.stored(exr.read_frame(raw.path))
    corners = [Tile(0, 0, 32, 32), Tile(128, 58, 32, 32), Tile(0, 89, 160, 1), Tile(77, 33, 1, 1), Tile(0, 0, 160, 90)]
    plan = tile_plan(b"s" * 32, b"t" * 32, 0, 1, 3, SMALL.width, SMALL.height, count=6)
    tiles = [*corners, *plan]
    for tile, pixels in zip(tiles, demo.tiles(3, 42, SMALL, tiles), strict=True):
        assert pixels.shape == (tile.height, tile.width, 10)
        assert pixels.tobytes() == exr.crop(whole, tile).tobytes(), tile


def test_an_honest_frame_is_accepted_by_a_stranger(demo: BlenderSession, raw: RawFrame, tmp_path: Path) -> None:
    plan = tile_plan(b"s" * 32, b"t" * 32, 0, 2, 3, SMALL.width, SMALL.height)
    submitted = read_crops(raw.path, SMALL, plan, tmp_path)
    verdict = judge(
        [measure(theirs, own) for theirs, own in zip(submitted, demo.tiles(3, 42, SMALL, plan), strict=True)]
    )
    assert verdict.accepted
    assert verdict.conclusive
    assert "bit for bit" in verdict.reason


def test_regression_a_still_has_the_scenes_view_transform(demo: BlenderSession, raw: RawFrame, tmp_path: Path) -> None:
    """AgX lifts the shadows; linear values saved as they are would be darker by a third."""
    linear = np.clip(exr.read_frame(raw.path).combined[..., :3], 0, 1).mean() * 255
    still = read_picture(demo.assemble_frame(3, raw.path).path, tmp_path / "work")
    assert still.mean() > 1.2 * linear


@pytest.mark.parametrize("tile", [Tile(130, 0, 32, 32), Tile(0, -1, 8, 8), Tile(0, 0, 0, 8)])
def test_a_tile_outside_the_frame_is_refused(demo: BlenderSession, tile: Tile) -> None:
    with pytest.raises(InvalidInput, match="inside 160x90"):
        demo.tiles(3, 42, SMALL, [tile])


@pytest.mark.parametrize("seed", [-1, 2**31 - 1])
def test_a_seed_that_cycles_does_not_have_is_refused(demo: BlenderSession, seed: int) -> None:
    with pytest.raises(InvalidInput, match="seed"):
        demo.render(3, seed, SMALL)


@pytest.mark.parametrize(
    "settings", [RenderSettings(0, 90, 8), RenderSettings(160, 20_000, 8), RenderSettings(160, 90, 0)]
)
def test_settings_out_of_range_are_refused(demo: BlenderSession, settings: RenderSettings) -> None:
    with pytest.raises(InvalidInput, match="pixels"):
        demo.render(3, 1, settings)


def test_a_gpu_is_not_used_without_being_given(demo: BlenderSession) -> None:
    with pytest.raises(EngineMissing, match="started with device cpu: start it with gpu"):
        demo.render(3, 1, RenderSettings(160, 90, 8, "gpu"))


def test_noise_is_found_in_the_frame_itself(demo: BlenderSession) -> None:
    with RawBlocks(demo.render(2, 42, RenderSettings(320, 180, 8)).path, (320, 180)) as blocks:
        noise = noise_cells({top: blocks.lines(top, min(8, 180 - top)) for top in range(0, 180, 8)}, 320, 180)
    assert noise.shape == (23, 40)
    assert np.isfinite(noise).all()
    assert noise[6:16, 14:26].mean() > 5 * noise[:4].mean()  # the gyroscope, and the sky above it


def test_regression_settings_that_are_so_already_are_left_alone() -> None:
    """Blender takes every assignment for a change, and works out the whole scene anew before the next tile."""
    from node.engines.blender.inside.raw import assign

    class Watched:
        samples, seed = 8, 1

        def __setattr__(self, name: str, value: object) -> None:
            changed.append((name, value))

    changed: list[tuple[str, object]] = []
    assign(Watched(), samples=8, seed=2)
    assert changed == [("seed", 2)]


def test_a_machine_has_one_name_for_what_it_computes_with(demo: BlenderSession, raw: RawFrame) -> None:
    machine = demo.machine()
    assert (machine.device_class, machine.kernel) == (raw.device_class, raw.kernel)
    instructions, processor, library = machine.kernel.split(" ")
    assert instructions and processor.count("-") >= 2 and library.startswith("glibc-")


def test_a_still_repeats_and_a_verifier_accepts_it(demo: BlenderSession, raw: RawFrame, tmp_path: Path) -> None:
    still = demo.assemble_frame(3, raw.path)
    submitted = read_picture(still.path, tmp_path / "reading")
    assert submitted.shape == (SMALL.height, SMALL.width, 3)
    assert 30 < submitted.mean() < 220
    again = demo.assemble_frame(3, raw.path)
    assert again.sha256 == still.sha256
    redone = read_picture(again.path, tmp_path / "reading")
    assert judge_picture(measure_picture(submitted, redone)).accepted
    other = demo.assemble_frame(4, demo.render(4, 42, SMALL).path)
    assert not judge_picture(measure_picture(read_picture(other.path, tmp_path / "reading"), redone)).accepted


def test_denoising_removes_noise_and_keeps_the_picture(demo: BlenderSession, raw: RawFrame) -> None:
    path, _, pixels_sha256 = demo.denoise(raw.path, "clean.exr")
    clean, noisy = exr.read_frame(path).combined, exr.read_frame(raw.path).combined
    assert exr.pixels_sha256(clean) == pixels_sha256

    def roughness(pixels: exr.FloatArray) -> float:
        return float(np.abs(np.diff(pixels[..., :3], axis=1)).mean())

    assert roughness(clean) < 0.9 * roughness(noisy)
    assert abs(clean[..., :3].mean() - noisy[..., :3].mean()) < 0.02


def test_a_film_has_stills_a_movie_and_a_contact_sheet(demo: BlenderSession, raw: RawFrame, tmp_path: Path) -> None:
    second = demo.render(4, 42, SMALL)
    film = demo.assemble([(3, raw.path), (4, second.path)], fps=12.0)
    assert [still.frame for still in film.stills] == [3, 4]
    movie = film.movie.read_bytes()
    assert movie[4:8] == b"ftyp"
    assert b"avc1" in movie
    assert hashlib.sha256(movie).digest() == film.movie_sha256
    size = (SMALL.width, SMALL.height)
    for at, still in enumerate(film.stills):
        frame = read_movie_frame(film.movie, tmp_path / "movie", at, 2, size).astype(int)
        own = [read_picture(each.path, tmp_path / "reading")[..., :3].astype(int) for each in film.stills]
        off = [np.abs(frame - each[: frame.shape[0], : frame.shape[1]]).mean() for each in own]
        assert off[at] < 8, still
    for frames, other in ((3, size), (2, (64, 64))):
        with pytest.raises(BadResult, match="frames"):
            read_movie_frame(film.movie, tmp_path / "movie", 0, frames, other)
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"x")
    with pytest.raises(BadResult, match="frames|play"):
        read_movie_frame(junk, tmp_path / "movie", 0, 2, size)
    sheet = read_picture(film.contact_sheet, tmp_path)
    assert sheet.shape[1] > 2 * SMALL.width


def test_regression_a_film_of_many_frames_does_not_end_blender(demo: BlenderSession) -> None:
    """Elements appended to one image strip had sizes of uninitialised memory: it took about five frames to show."""
    raws = [demo.render(frame, 42, RenderSettings(160, 90, 1)) for frame in range(1, 13)]
    film = demo.assemble([(raw.frame, raw.path) for raw in raws], fps=24.0)
    assert len(film.stills) == 12


def test_a_film_of_nothing_is_refused(demo: BlenderSession) -> None:
    with pytest.raises(InvalidInput, match="at least one frame"):
        demo.assemble([], fps=12.0)


def test_a_quick_look_is_a_small_png(demo: BlenderSession, tmp_path: Path) -> None:
    look = tmp_path / "look.png"
    look.write_bytes(demo.quick_look(demo.render(5, 1, RenderSettings(640, 360, 2)).path))
    height, width, _ = read_picture(look, tmp_path / "work").shape
    assert (width, height) == (320, 180)
    assert look.stat().st_size < 200_000


@pytest.mark.parametrize("content", [b"", b"not a picture", b"v/1\x01" + bytes(5_000)])
def test_a_strangers_exr_that_is_none_is_a_bad_result(demo: BlenderSession, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "frame.exr"
    path.write_bytes(content)
    with pytest.raises(BadResult):
        demo.assemble_frame(1, path)
    with pytest.raises(BadResult):
        read_crops(path, SMALL, [Tile(0, 0, 4, 4)], tmp_path / "work")


def test_an_exr_of_another_size_is_a_bad_result(raw: RawFrame, tmp_path: Path) -> None:
    with pytest.raises(BadResult, match="160x90 pixels, expected 320x180"):
        read_crops(raw.path, RenderSettings(320, 180, 8), [Tile(0, 0, 4, 4)], tmp_path)


@pytest.mark.parametrize("cut", [4, 20, 300])
def test_a_strangers_png_that_is_none_is_a_bad_result(
    demo: BlenderSession, raw: RawFrame, tmp_path: Path, cut: int
) -> None:
    path = tmp_path / "still.png"
    path.write_bytes(demo.assemble_frame(3, raw.path).path.read_bytes()[:cut])
    with pytest.raises(BadResult):
        read_picture(path, tmp_path / "work")


def test_regression_a_reader_that_a_limit_stops_blames_no_file(
    demo: BlenderSession, raw: RawFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verifier without room, or too slow, rejected an honest film, and its worker's stake was frozen."""
    film, size = demo.assemble([(3, raw.path)], fps=12.0), (SMALL.width, SMALL.height)
    monkeypatch.setattr(crops, "_LIMITS", Limits(disk_bytes=1_000))
    with pytest.raises(ReaderStopped):
        read_crops(raw.path, SMALL, [Tile(0, 0, *size)], tmp_path / "crops")
    with pytest.raises(ReaderStopped):
        read_picture(film.stills[0].path, tmp_path / "picture")
    with pytest.raises(ReaderStopped):
        read_movie_frame(film.movie, tmp_path / "movie", 0, 1, size)
    monkeypatch.setattr(crops, "_LIMITS", Limits(wall_seconds=0.01))
    with pytest.raises(ReaderStopped, match="longer than the limit"):
        read_movie_frame(film.movie, tmp_path / "movie", 0, 1, size)
    with pytest.raises(ReaderStopped, match="could not be read here"):
        read_picture(tmp_path / "gone.png", tmp_path / "picture")


def test_a_preview_foretells_the_cost(demo: BlenderSession) -> None:
    settings = RenderSettings(320, 180, 16)
    preview = demo.preview(3, SCENES / "unit.blend")
    assert (preview.unit_settings.width, preview.unit_settings.height) == (320, 180)
    measured = demo.render(3, 1, settings).core_seconds
    assert 0.4 < preview.scene.seconds(settings) / measured < 2.5
    assert 0.1 < preview.ratio(settings) < 3
    assert preview.ratio(RenderSettings(640, 360, 16)) > 2 * preview.ratio(settings)
    assert demo.inspect(Request(1, 8, 640, 360)).ok  # the package is loaded again


def test_a_benchmark_repeats_its_pixels_and_depends_on_the_seed(blender: BlenderEngine, tmp_path: Path) -> None:
    with blender.open(SCENES / "unit.blend", tmp_path) as session:
        first, again, other = session.benchmark(5), session.benchmark(5), session.benchmark(6)
    assert first.pixels_sha256 == again.pixels_sha256 != other.pixels_sha256
    assert first.core_seconds > 0.2


def test_progress_is_told_from_loading_to_saving(blender: BlenderEngine, tmp_path: Path) -> None:
    events: list[Progress] = []
    with blender.open(DEMO, tmp_path, on_progress=events.append) as session:
        session.render(2, 1, SMALL)
    assert events[0].stage == "loading"
    rendering = [event for event in events if event.operation == "render"]
    assert {"sampling", "saving"} <= {event.stage for event in rendering}
    assert {event.frame for event in rendering} == {2}
    assert [event.done for event in rendering] == sorted(event.done for event in rendering)


def test_a_frame_over_the_time_limit_is_stopped(tmp_path: Path) -> None:
    engine = BlenderEngine(EngineSettings(limits=Limits(wall_seconds=20)))
    with engine.open(DEMO, tmp_path) as session:
        with pytest.raises(EngineStopped) as caught:
            session.render(1, 1, RenderSettings(2000, 2000, 4096))
        assert caught.value.limit == "wall"


def test_a_frame_over_the_memory_limit_is_stopped(tmp_path: Path) -> None:
    engine = BlenderEngine(EngineSettings(limits=Limits(memory_bytes=700_000_000)))
    with engine.open(DEMO, tmp_path) as session, pytest.raises(EngineStopped) as caught:
        session.render(1, 1, RenderSettings(10_000, 10_000, 1))
    assert caught.value.limit in ("memory", "crash")
