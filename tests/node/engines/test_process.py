# SPDX-License-Identifier: Apache-2.0
"""The border between the node and a process that a hostile package may have taken over."""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node import sandbox
from node.engines import BadPackage, BadResult, EngineMissing, EngineSettings, EngineStopped, Progress
from node.engines.process import JsonProcess
from node.sandbox import Limits

pytestmark = pytest.mark.integration

Launch = Callable[..., JsonProcess]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start a process whose code is given; it finds ``sys``, ``os`` and ``json`` imported."""
    running: list[JsonProcess] = []

    def begin(
        code: str, limits: Limits | None = None, on_progress: Callable[[Progress], None] | None = None
    ) -> JsonProcess:
        command = [sys.executable, "-I", "-c", "import json, os, sys, time\n" + code]
        settings = EngineSettings(limits=limits or Limits())
        running.append(JsonProcess(command, tmp_path / "work", settings, sandbox.python_folders(), on_progress))
        return running[-1]

    yield begin
    for process in running:
        process.close()


def answering(answer: object) -> str:
    return f"for line in sys.stdin: print({json.dumps(json.dumps(answer))}, flush=True)"


def test_a_call_carries_its_arguments_and_gives_the_result(launch: Launch) -> None:
    process = launch("for line in sys.stdin: print(json.dumps({'result': json.loads(line)}), flush=True)")
    answer = process.call("render", 3, seed=5)
    assert answer == {"operation": "render", "arguments": {"frame": 3, "seed": 5}}


def test_regression_what_is_no_text_is_replaced(launch: Launch) -> None:
    problem = {"message": "tex\udcff.png is not in the package"}
    assert launch(answering({"result": {"problems": [problem]}})).call("inspect") == {
        "problems": [{"message": "tex?.png is not in the package"}]
    }
    with pytest.raises(BadPackage, match=r"^tex\?\.png is damaged$"):
        launch(answering({"error": {"code": "not_blend", "message": "tex\udcff.png is damaged"}})).call("open")


def test_progress_is_told_with_bounds(launch: Launch) -> None:
    seen: list[Progress] = []
    code = (
        "sys.stdin.readline(); print(json.dumps({'progress': {'stage': 'x' * 500, 'done': 7}}))\n"
        "print(json.dumps({'result': {}}))"
    )
    assert launch(code, on_progress=seen.append).call("render", 4) == {}
    assert [(event.operation, event.frame, len(event.stage), event.done) for event in seen] == [("render", 4, 100, 1.0)]


def test_a_listener_that_raises_ends_the_process(launch: Launch) -> None:
    def cancel(event: Progress) -> None:
        raise ValueError("enough")

    process = launch(answering({"progress": {"stage": "x", "done": 0}}), on_progress=cancel)
    with pytest.raises(ValueError, match="enough"):
        process.call("render")
    with pytest.raises(EngineStopped):
        process.call("render")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("no_camera", BadPackage),
        ("bad_result", BadResult),
        ("no_gpu", EngineMissing),
        ("failed", EngineStopped),
        ("memory", EngineStopped),
    ],
)
def test_an_error_becomes_the_kind_that_says_who_is_to_blame(launch: Launch, code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"so it is|more memory"):
        launch(answering({"error": {"code": code, "message": "so it is"}})).call("render")


@pytest.mark.parametrize(
    "code",
    [
        "sys.exit(3)",
        "print('not json')",
        "print('[1, 2]')",
        "print('{\"result\": 5}')",
        "print('{}')",
        "print('{\"progress\": {}}')",
        "print('{\"progress\": 3}')",
        "print('{\"error\": 3}')",
        "os.abort()",
        "print('x' * 3_000_000)",
        "sys.stdout.write('{\"result\": {}}')",
    ],
)
def test_nonsense_ends_the_process_and_is_a_stop(launch: Launch, code: str) -> None:
    process = launch(f"sys.stdin.readline(); {code}", on_progress=lambda event: None)
    with pytest.raises(EngineStopped) as caught:
        process.call("render")
    assert caught.value.limit == "crash"


def test_what_it_last_said_is_told(launch: Launch) -> None:
    with pytest.raises(EngineStopped, match="the cat ate it"):
        launch("sys.stdin.readline(); sys.exit('the cat ate it')").call("render")


def test_a_call_that_takes_too_long_is_stopped_and_the_next_one_fails_at_once(launch: Launch) -> None:
    process = launch("time.sleep(60)", limits=Limits(wall_seconds=0.5))
    with pytest.raises(EngineStopped) as caught:
        process.call("render")
    assert caught.value.limit == "wall"
    with pytest.raises(EngineStopped):
        process.call("render")


def test_time_between_calls_does_not_count(launch: Launch) -> None:
    process = launch(answering({"result": {}}), limits=Limits(wall_seconds=4))
    for _ in range(3):
        process.call("render")
        time.sleep(1.5)


def test_a_file_goes_in_read_only_and_comes_out_hashed(launch: Launch, tmp_path: Path) -> None:
    source = tmp_path / "scene.blend"
    source.write_bytes(b"scene")
    code = (
        "for line in sys.stdin:\n"
        "    path = json.loads(line)['arguments']['path']\n"
        "    open('copy', 'wb').write(open(path, 'rb').read())\n"
        "    try: open(path, 'wb'); said = 'written'\n"
        "    except OSError as error: said = error.strerror\n"
        "    print(json.dumps({'result': {'said': said}}), flush=True)"
    )
    process = launch(code)
    assert process.call("copy", path=process.give(source))["said"] == "Read-only file system"
    path, digest = process.take("copy")
    assert path == tmp_path / "work" / "results" / "copy"
    assert path.read_bytes() == b"scene"
    assert digest == hashlib.sha256(b"scene").digest()


@pytest.mark.parametrize("trick", ["os.symlink('/etc/passwd', 'f')", "os.mkfifo('f')", "os.mkdir('f')", "pass"])
def test_only_a_plain_file_comes_out(launch: Launch, trick: str) -> None:
    process = launch(f"sys.stdin.readline(); {trick}; print('{{\"result\": {{}}}}', flush=True); time.sleep(60)")
    process.call("render")
    with pytest.raises(EngineStopped, match="did not deliver f"):
        process.take("f")


def test_a_link_does_not_go_in(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "link.blend").symlink_to("/etc/passwd")
    process = launch("time.sleep(60)")
    for path in (tmp_path / "link.blend", tmp_path, tmp_path / "missing"):
        with pytest.raises(BadResult, match="is not a file"):
            process.give(path)


def test_what_an_earlier_life_left_is_no_obstacle(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "work" / "in" / "1").mkdir(parents=True)
    (tmp_path / "work" / "out").mkdir()
    (tmp_path / "work" / "out" / "frame.exr").write_bytes(b"old")
    (tmp_path / "scene.blend").write_bytes(b"scene")
    process = launch("time.sleep(60)")
    process.give(tmp_path / "scene.blend")
    with pytest.raises(EngineStopped, match="did not deliver"):
        process.take("frame.exr")


def test_a_missing_library_is_said_with_what_to_install(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    code = f"sys.path.insert(0, {str(root)!r}); from node.engines.blender.inside import main; main()"
    command = [sys.executable, "-I", "-c", f"import sys; sys.modules['bpy'] = None; {code}"]
    folders = (*sandbox.python_folders(), root / "node", root / "inferix")
    process = JsonProcess(command, tmp_path, EngineSettings(), folders)
    try:
        with pytest.raises(EngineMissing, match="apt-get install libx11-6"):
            process.call("build")
    finally:
        process.close()


def test_closing_twice_is_closing_once_and_empties_the_folders(launch: Launch, tmp_path: Path) -> None:
    process = launch("open('rest', 'w'); sys.stdin.readline(); print('{\"result\": {}}', flush=True); time.sleep(60)")
    process.call("render")
    process.close()
    process.close()
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["results"]
