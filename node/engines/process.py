# SPDX-License-Identifier: Apache-2.0
"""A sandboxed process that answers JSON requests, and the three folders around it.

    work/in        the process may read; the node puts files there while it runs
    work/out       the process may write; its current folder
    work/results   out of its reach: what it wrote, copied and hashed

Nothing that comes out is trusted: names are chosen by the node, links and devices are refused, lines are bounded.
"""

import collections
import contextlib
import hashlib
import json
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from inferix.storage.files import remove_folder
from node import sandbox
from node.engines.base import BadPackage, BadResult, EngineMissing, EngineSettings, EngineStopped, Progress

_LINE_BYTES: Final = 1 << 20
_ERROR_LINES: Final = 40
_CHUNK: Final = 1 << 20
_CAUSES: Final = {
    "memory": "it needs more memory than the limit allows",
    "wall": "it took longer than the limit allows",
    "cpu": "it used more processor time than the limit allows",
    "processes": "it started more processes than the limit allows",
    "disk": "it wrote more than the limit allows",
    "crash": "the process ended by itself",
}


class JsonProcess:
    """One process; calls come one at a time. ``close`` ends it and empties in and out."""

    def __init__(
        self,
        command: Sequence[str],
        work: Path,
        settings: EngineSettings,
        read_only: Sequence[Path] = (),
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._folders = {name: work.resolve() / name for name in ("in", "out", "results")}
        self._empty()  # an earlier life may have ended without doing it
        for folder in self._folders.values():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._wall_seconds = settings.limits.wall_seconds
        self._on_progress = on_progress
        self._count = 0
        self._process = sandbox.start(
            command,
            work=self._folders["out"],
            read_only=[*read_only, self._folders["in"]],
            limits=settings.limits,
            gpu=settings.device != "cpu",
            unsafe=settings.unsafe,
        )
        self._errors: collections.deque[bytes] = collections.deque(maxlen=_ERROR_LINES)
        self._drain = threading.Thread(target=self._read_errors, name="engine stderr", daemon=True)
        self._drain.start()

    def call(self, operation: str, frame: int | None = None, **arguments: object) -> dict[str, Any]:
        """Ask for one operation and wait for its answer.

        :raises EngineStopped: the process ended or answered nonsense. BadPackage, BadResult, EngineMissing: as it says.
        """
        started = time.monotonic()
        self._process.allow(self._wall_seconds)
        named = arguments if frame is None else {"frame": frame, **arguments}
        with self._guarded(operation):
            self._process.stdin.write(json.dumps({"operation": operation, "arguments": named}).encode() + b"\n")
            self._process.stdin.flush()
        while True:
            with self._guarded(operation):
                event, error, result = _parse(self._process.stdout.readline(_LINE_BYTES), operation, frame, started)
            if error is not None:
                raise error
            if event is None:
                return result
            self._tell(event)

    def give(self, source: Path) -> str:
        """Lend a file to the process; returns the path by which it finds it.

        :raises BadResult: it is not a plain file.
        """
        if source.is_symlink() or not source.is_file():
            raise BadResult(f"{source.name} is not a file; links are not followed")
        self._count += 1
        target = self._folders["in"] / str(self._count) / source.name
        target.parent.mkdir()
        try:
            os.link(source, target)
        except OSError:  # another file system, or not ours to link
            shutil.copyfile(source, target)
        return str(target)

    def take(self, name: str, target: Path | None = None) -> tuple[Path, bytes]:
        """Move a file that the process wrote out of its reach; returns where it is and its SHA-256.

        :raises EngineStopped: it is not there, or is no plain file.
        """
        target = target or self._folders["results"] / name
        partial = target.with_name(target.name + ".partial")
        digest = hashlib.sha256()
        try:
            fd = os.open(self._folders["out"] / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(fd, "rb") as source, partial.open("wb") as copy:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise OSError("not a plain file")
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    copy.write(chunk)
            os.unlink(self._folders["out"] / name)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise EngineStopped(f"the engine did not deliver {name}: {error}", "crash") from error
        os.replace(partial, target)
        return target, digest.digest()

    def close(self) -> None:
        """End the process and all below it, forget what it was lent and what it left."""
        self._process.kill()
        self._drain.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            try:
                pipe.close()
            except OSError:
                continue  # unsent bytes to a process that is gone
        self._empty()

    def _empty(self) -> None:
        for name in ("in", "out"):
            remove_folder(self._folders[name])

    def _read_errors(self) -> None:
        while line := self._process.stderr.readline(_LINE_BYTES):
            self._errors.append(line)

    def _tell(self, event: Progress) -> None:
        try:
            if self._on_progress is not None:
                self._on_progress(event)
        except BaseException:
            self._process.kill()  # the listener wants no more of it; the answer would come to the next call
            raise

    @contextlib.contextmanager
    def _guarded(self, operation: str) -> Iterator[None]:
        """Whatever goes wrong at the pipes or with what comes out of them is the end of the process."""
        try:
            yield
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._stopped(operation) from error

    def _stopped(self, operation: str) -> EngineStopped:
        self._process.kill()
        self._drain.join()
        limit = self._process.stopped_by or "crash"
        tail = b"".join(self._errors).decode(errors="replace").strip()[-600:]
        said = f"; it last said: {tail}" if limit == "crash" and tail else ""
        return EngineStopped(f"the engine stopped during {operation}: {_CAUSES[limit]}{said}", limit)


def _parse(
    line: bytes, operation: str, frame: int | None, started: float
) -> tuple[Progress | None, Exception | None, dict[str, Any]]:
    """One line of the process: progress, or an error, or a result. Raises for anything else."""
    if not line.endswith(b"\n"):
        raise ValueError("no whole line")
    # a name in a package may be no text, and JSON carries halves of characters that nobody can send on
    answer = json.loads(json.dumps(json.loads(line), ensure_ascii=False).encode(errors="replace"))
    if "progress" in answer:
        progress = answer["progress"]
        done = min(max(float(progress["done"]), 0.0), 1.0)
        return Progress(operation, str(progress["stage"])[:100], frame, done, time.monotonic() - started), None, {}
    if "error" in answer:
        return None, _error(operation, answer["error"]), {}
    if not isinstance(answer["result"], dict):
        raise ValueError("a result is an object")
    return None, None, answer["result"]


def _error(operation: str, error: Mapping[str, Any]) -> Exception:
    code, message = str(error.get("code"))[:40], str(error.get("message"))[:1000]
    if code == "failed":
        return EngineStopped(f"{operation} failed: {message}", "crash")
    if code == "memory":
        return EngineStopped(f"{operation} failed: {_CAUSES['memory']}", "memory")
    if code == "bad_result":
        return BadResult(message)
    if code in ("no_gpu", "missing"):
        return EngineMissing(message)
    return BadPackage(message, code)
