# SPDX-License-Identifier: Apache-2.0
"""A worker's production: raw frames of a render task, the film of an assemble task, the frame of a benchmark.

Each file is sealed, stored and pinned before the next is made, and written down: a task that was interrupted goes on at
its next frame.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Final

from inferix.errors import InferixError, Misconfigured, Unavailable
from inferix.machines import machine_name
from inferix.models.document import Value
from inferix.models.result import FileRef, Film, FrameResult, Result
from inferix.models.roles import TaskKind
from inferix.models.work import BenchmarkDuty
from inferix.storage.files import remove_folder
from node.assignment import Assignment, fetch_input, raw_frames
from node.engines import BadPackage, EngineStopped, Machine, RawFrame, RenderSettings, Session
from node.parts import Parts

log = logging.getLogger(__name__)

MAX_SCENE: Final = 1 << 30


class AnotherMachine(Misconfigured):
    """This is not the machine that this node was drawn as: results of it are rejected."""


class _Done(Value):
    """A finished frame in the journal."""

    frame: FrameResult
    device_class: str
    kernel: str = ""


def open_package(assignment: Assignment, parts: Parts) -> tuple[Session | None, str]:
    """The session of the job's package, or None and why it cannot be rendered: the client's fault.

    :raises EngineStopped: the engine itself failed; nobody's fault that could be told from here.
    """
    fetch_input(assignment, parts.vault, parts.sessions)
    try:
        session = parts.sessions.session(assignment.task.job, assignment.engine_choice())
        report = session.inspect(assignment.engine_request())
    except BadPackage as error:
        return None, str(error)
    problems = [f"{problem.code}: {problem.message}" for problem in report.problems if problem.severity == "error"]
    return (None, "; ".join(problems)) if problems else (session, "")


def render_task(assignment: Assignment, parts: Parts, check: Callable[[], None]) -> tuple[Result, Callable[[], None]]:
    """Render, seal and store every frame; no frames when the package cannot be rendered.

    ``check`` is called before each frame and raises when the work is to stop. What comes with the result is called once
    the receipt is signed: it sends the last quick look, which must hold up nothing.
    """
    session, problem = open_package(assignment, parts)
    if session is None:
        log.warning("%s: the client's package cannot be rendered (%s); reporting that", assignment.label, problem)
        return _result(assignment, parts, Machine(parts.device, "")), lambda: None
    machine = session.machine()
    check_machine(assignment, machine)
    task, canary = assignment.task, " canary" if assignment.is_canary else ""
    origin = f"{parts.engine.build()} {machine.device_class} {machine.kernel}{canary}"
    kept = parts.journal.frames(task.id, assignment.attempt, origin)
    if kept:
        log.info("%s: %d of %d frames are stored already", assignment.label, len(kept), len(task.frames()))
    raw: RawFrame | None = None
    for frame in task.frames():
        check()
        if frame not in kept:
            _show(assignment, parts, session, raw)
            raw, kept[frame] = _render_frame(assignment, parts, session, frame, origin)
    done = [_Done.model_validate_json(kept[frame]) for frame in task.frames()]
    others = {Machine(item.device_class, item.kernel) for item in done} - {machine}
    if others:
        raise AnotherMachine(f"{assignment.label}: {others.pop()} made some of its frames, this is {machine}")
    result = _result(assignment, parts, machine, [item.frame for item in done])
    return result, lambda: _show(assignment, parts, session, raw)


def check_machine(assignment: Assignment, machine: Machine) -> None:
    """Whether this is what the node was drawn as. Raises AnotherMachine, which says what to do."""
    name, drawn = machine_name(machine.device_class, machine.kernel), assignment.item.machine
    if drawn and name != drawn:
        raise AnotherMachine(
            f"{assignment.label}: this machine is {name} ({machine.kernel or 'kernel unknown'}), the node was drawn as "
            f"{drawn}: what it makes would be rejected. Have it measured anew (NodeRegistry.request_benchmark), or go "
            "back to what was measured"
        )


def _render_frame(
    assignment: Assignment, parts: Parts, session: Session, frame: int, origin: str
) -> tuple[RawFrame, str]:
    """Render, store and write down one frame: the frame, and what the journal keeps of it."""
    seed = assignment.seed(parts.identity.node, frame)
    raw = session.render(frame, seed, assignment.engine_settings(parts.device))
    ref = parts.vault.store_file(raw.path, assignment.result_key())
    if ref.sha256 != raw.file_sha256:
        raise Unavailable(
            f"frame {frame} changed on this disk before it was stored: check the disk; rendering it again"
        )
    done = _Done(frame=_frame_result(raw, ref), device_class=raw.device_class, kernel=raw.kernel).model_dump_json()
    parts.journal.keep_frame(assignment.task.id, assignment.attempt, frame, origin, done)
    log.info("%s: frame %d in %.1f s, stored %s bytes", assignment.label, frame, raw.seconds, f"{ref.size:,}")
    return raw, done


def _show(assignment: Assignment, parts: Parts, session: Session, raw: RawFrame | None) -> None:
    """Send a sealed quick look of a frame and remove the frame here; a look that fails holds up nothing."""
    if raw is None:
        return
    preview = None
    try:
        preview = parts.vault.store_bytes(session.quick_look(raw.path), assignment.preview_key())
    except EngineStopped:
        raise
    except InferixError as error:
        log.info("%s: no quick look of frame %d: %s", assignment.label, raw.frame, error)
    parts.progress.frame_done(raw.frame, preview)
    raw.path.unlink(missing_ok=True)


def assemble_task(assignment: Assignment, parts: Parts) -> Result:
    """Fetch the accepted raw frames, finish them, store stills, film and contact sheet."""
    session, problem = open_package(assignment, parts)
    if session is None:
        raise Unavailable(f"the package of accepted frames does not open here: {problem}")
    folder = parts.sessions.files(assignment.task.job)
    frames = []
    for frame, (ref, key) in raw_frames(assignment, parts.vault).items():
        path = folder / f"{ref.sha256.hex()}.exr"
        parts.vault.fetch_file(ref, key, assignment.raw_limit(), path)
        frames.append((frame, path))
    log.info("%s: fetched %d raw frames", assignment.label, len(frames))
    machine = session.machine()
    check_machine(assignment, machine)
    made = session.assemble(frames, assignment.settings.fps_milli / 1_000)
    key = assignment.result_key()
    film = Film(
        stills=[parts.vault.store_file(still.path, key) for still in made.stills],
        movie=parts.vault.store_file(made.movie, key),
        contact_sheet=parts.vault.store_file(made.contact_sheet, key),
    )
    remove_folder(folder)
    log.info("%s: stored the film, %s bytes", assignment.label, f"{film.movie.size:,}")
    return _result(assignment, parts, machine, film=film)


def benchmark(duty: BenchmarkDuty, parts: Parts) -> Result:
    """The raw pass of the sample scene's first frame at its own settings; the scene and its result are no secrets."""
    job = benchmark_job(duty.scene)
    package = parts.sessions.package(job)
    if not package.exists():
        parts.vault.fetch_plain(duty.scene, MAX_SCENE, package)
    parts.progress.begin(None)
    session = parts.sessions.session(job)
    scene = session.inspect()
    raw = session.render(
        scene.first_frame, duty.seed, RenderSettings(scene.width, scene.height, scene.samples, parts.device)
    )
    log.info("benchmark: %.1f s on %s", raw.seconds, raw.device_class)
    frame = _frame_result(raw, parts.vault.store_plain(raw.path))
    return Result(
        kind=TaskKind.RENDER,
        task=duty.challenge,
        attempt=0,
        node=parts.identity.node,
        engine=parts.engine.name,
        build=raw.build,
        device_class=raw.device_class,
        kernel=raw.kernel,
        frames=[frame],
    )


def benchmark_job(scene: str) -> bytes:
    """What stands for a job's id in the session pool."""
    return hashlib.sha256(b"inferix/benchmark" + scene.encode()).digest()


def _frame_result(raw: RawFrame, ref: FileRef) -> FrameResult:
    return FrameResult(frame=raw.frame, raw=ref, pixels=raw.pixels_sha256, milliseconds=int(1_000 * raw.seconds))


def _result(
    assignment: Assignment,
    parts: Parts,
    machine: Machine,
    frames: Sequence[FrameResult] = (),
    film: Film | None = None,
) -> Result:
    return Result(
        kind=assignment.task.kind,
        task=assignment.task.id,
        attempt=assignment.attempt,
        node=parts.identity.node,
        engine=parts.engine.name,
        build=parts.engine.build(),
        device_class=machine.device_class,
        kernel=machine.kernel,
        frames=list(frames),
        film=film,
    )
