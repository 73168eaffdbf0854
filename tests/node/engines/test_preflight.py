# SPDX-License-Identifier: Apache-2.0
"""Pre-flight: a bad package is a list of problems, never an exception, and nothing in it runs."""

import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from node.engines import BadPackage, EngineMissing, EngineSettings, Request, SceneReport
from node.engines.blender.host import BlenderEngine
from node.engines.blender.session import BlenderSession
from node.sandbox import Limits
from tests.node.engines.conftest import DEMO, SCENES, SMALL


def codes(report: SceneReport) -> list[str]:
    return [problem.code for problem in report.problems]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"BLEND", "is not a .blend file"),
        (b"\x89PNG\r\n\x1a\n", "is not a .blend file"),
        (b"PK\x03\x04", "is not a .blend file"),
    ],
)
def test_what_is_plainly_no_blend_is_refused_without_blender(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "scene.blend"
    path.write_bytes(content)
    report = BlenderEngine().inspect(path)
    assert codes(report) == ["not_blend"]
    assert message in report.problems[0].message
    assert not report.ok


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.blend", tmp_path):
        assert codes(BlenderEngine().inspect(path)) == ["not_blend"]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"BLENDER17-01v0500" + bytes(range(256)) * 40, "truncated"),
        (b"BLENDER-v293", "truncated"),
        (b"\x28\xb5\x2f\xfd" + b"garbage" * 100, "not_blend"),
        (b"\x1f\x8b" + zlib.compress(b"nothing of Blender's"), "not_blend"),
    ],
)
def test_garbage_behind_the_right_magic_is_refused(
    blender: BlenderEngine, tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "scene.blend"
    path.write_bytes(content)
    report = blender.inspect(path)
    assert codes(report)[0] in {code, "not_blend", "truncated"}
    assert "scene.blend" in report.problems[0].message
    assert not report.ok


@pytest.mark.integration
@pytest.mark.parametrize("share", [0.1, 0.6, 0.99])
def test_a_truncated_scene_is_refused(blender: BlenderEngine, tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.blend"
    path.write_bytes(DEMO.read_bytes()[: int(DEMO.stat().st_size * share)])
    report = blender.inspect(path)
    assert not report.ok
    assert codes(report)[0] in ("truncated", "not_blend")


@pytest.mark.integration
def test_a_good_scene_has_no_problem(blender: BlenderEngine) -> None:
    report = blender.inspect(DEMO, Request(1, 8, 640, 360))
    assert report.problems == ()
    assert (report.first_frame, report.last_frame, report.fps) == (1, 24, 12.0)
    assert (report.width, report.height, report.samples, report.camera) == (640, 360, 24, "Camera")
    assert report.build == blender.build()


@pytest.mark.integration
def test_a_missing_texture_is_named(blender: BlenderEngine) -> None:
    report = blender.inspect(SCENES / "missing_texture.blend")
    assert [(problem.code, problem.name) for problem in report.problems] == [
        ("missing_file", "textures/oak_planks.png")
    ]
    assert "textures/oak_planks.png is not in the package" in report.problems[0].message


@pytest.mark.integration
def test_scripts_and_python_drivers_are_named_and_simple_drivers_are_not(blender: BlenderEngine) -> None:
    report = blender.inspect(SCENES / "scripts.blend")
    assert [(problem.code, problem.name) for problem in report.problems] == [
        ("scripts", "on_load.py"),
        ("scripts", "Ball: location"),
    ]
    assert "len([1, 2]) + frame" in report.problems[1].message


@pytest.mark.integration
def test_a_script_in_the_scene_does_not_run(blender: BlenderEngine, tmp_path: Path) -> None:
    with blender.open(SCENES / "scripts.blend", tmp_path) as session:
        session.inspect()
        assert list(tmp_path.rglob("it-ran")) == []


@pytest.mark.integration
def test_no_camera_is_said(blender: BlenderEngine) -> None:
    assert codes(blender.inspect(SCENES / "no_camera.blend")) == ["no_camera"]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request(0, 4, 640, 360), ["frames_outside"]),
        (Request(20, 25, 640, 360), ["frames_outside"]),
        (Request(5, 4, 640, 360), ["frames_outside"]),
        (Request(1, 1, 0, 360), ["bad_resolution"]),
        (Request(1, 1, 640, 20_000), ["bad_resolution"]),
        (Request(24, 24, 16_384, 4), []),
    ],
)
def test_what_is_asked_has_to_be_in_the_scene(demo: BlenderSession, request_: Request, expected: list[str]) -> None:
    assert codes(demo.inspect(request_)) == expected


@pytest.mark.integration
def test_a_scene_that_needs_too_much_memory_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    engine = BlenderEngine(EngineSettings(limits=Limits(memory_bytes=120_000_000)))
    try:
        problems = codes(engine.inspect(DEMO))
    except EngineMissing:  # the limit is under what Blender itself needs to start, and that is said
        problems = ["crashed"]
    assert problems[0] in ("crashed", "too_large")


@pytest.mark.integration
def test_open_refuses_what_cannot_be_loaded(blender: BlenderEngine, tmp_path: Path) -> None:
    path = tmp_path / "cut.blend"
    path.write_bytes(DEMO.read_bytes()[:5000])
    with pytest.raises(BadPackage) as caught:
        blender.open(path, tmp_path / "work")
    assert caught.value.code in ("truncated", "not_blend")


@pytest.mark.integration
def test_pack_brings_in_what_lies_beside_the_scene(blender: BlenderEngine, tmp_path: Path) -> None:
    scene = tmp_path / "project" / "table.blend"
    scene.parent.mkdir()
    shutil.copy(SCENES / "missing_texture.blend", scene)
    report = blender.pack(scene, tmp_path / "without.blend")
    assert codes(report) == ["missing_file"]
    (scene.parent / "textures").mkdir()
    with blender.open(DEMO, tmp_path / "work") as session:
        frame = session.render(1, 1, SMALL)
        still = session.assemble_frame(1, frame.path)
    shutil.copy(still.path, scene.parent / "textures" / "oak_planks.png")
    before = scene.read_bytes()
    packed = tmp_path / "packed.blend"
    assert blender.pack(scene, packed).problems == ()
    assert packed.stat().st_size > still.path.stat().st_size
    assert scene.read_bytes() == before


ASKS = """
import sys
import bpy
target, *paths = sys.argv[1:]
for path in paths:
    kind, path = path.split(":", 1)
    if kind == "image":
        item = bpy.data.images.new(path, 4, 4)
        item.source, item.filepath = "FILE", path
    elif kind == "tiles":
        item = bpy.data.images.new(path, 4, 4, tiled=True)
        item.filepath = path
    else:
        item = bpy.data.sounds.load(path)
    item.use_fake_user = True
bpy.ops.wm.save_as_mainfile(filepath=target, relative_remap=False)
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000"
    "00907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def asking(folder: Path, *paths: str) -> Path:
    """A scene that loads these as images or sounds."""
    scene = folder / "scene.blend"
    subprocess.run([sys.executable, "-c", ASKS, str(scene), *paths], check=True, capture_output=True)
    return scene


@pytest.mark.integration
def test_attack_a_scene_does_not_pack_what_is_hidden_or_of_another_kind(blender: BlenderEngine, tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_bytes(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    (tmp_path / ".wall.png").write_bytes(PNG)
    (tmp_path / "wallet.json").write_text('{"crypto": 1}')
    (tmp_path / "keys.1001.txt").write_text("secret")
    (tmp_path / "sound.txt").write_text("secret")
    asked = ("//.ssh/id_ed25519", "//.wall.png", "//wallet.json", "//textures/../.ssh/id_ed25519")
    scene = asking(
        tmp_path, *(f"image:{path}" for path in asked), "tiles://keys.<UDIM>.txt", f"sound:{tmp_path}/sound.txt"
    )
    output = tmp_path / "packed.blend"
    report = blender.pack(scene, output)
    assert set(codes(report)) == {"private_file"} and not report.ok
    found = {problem.name: problem.message for problem in report.problems}
    assert ("hidden" in found[".ssh/id_ed25519"], "hidden" in found[".wall.png"]) == (True, True)
    assert ("is no image" in found["wallet.json"], "keys" in " ".join(found)) == (True, True)
    assert any("is no sound" in message for message in found.values())
    assert not output.exists()


@pytest.mark.integration
def test_attack_a_link_beside_the_scene_leads_to_no_hidden_file(blender: BlenderEngine, tmp_path: Path) -> None:
    (tmp_path / ".private").mkdir()
    (tmp_path / ".private" / "photo.png").write_bytes(PNG)
    (tmp_path / "wood.png").symlink_to(tmp_path / ".private" / "photo.png")
    report = blender.pack(asking(tmp_path, "image://wood.png"), tmp_path / "packed.blend")
    assert [problem.name for problem in report.problems] == ["wood.png"]


@pytest.mark.integration
def test_what_is_packed_is_named_with_its_size(blender: BlenderEngine, tmp_path: Path) -> None:
    folder = tmp_path / ".hidden" / "project"  # that the scene itself is there says nothing of what is beside it
    (folder / "textures").mkdir(parents=True)
    (folder / "textures" / "wood.png").write_bytes(PNG)
    report = blender.pack(asking(folder, "image://textures/wood.png"), tmp_path / "packed.blend")
    assert report.packed == (("textures/wood.png", len(PNG)),)
    assert "private_file" not in codes(report)
