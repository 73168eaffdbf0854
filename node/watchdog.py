# SPDX-License-Identifier: Apache-2.0
"""A child process, its pipes, and a thread that measures its whole tree and kills it at a limit."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

GIB: Final = 1 << 30
_WATCH_SECONDS: Final = 0.2
_BLOCK: Final = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sandbox may use.

    ``wall_seconds`` counts from the start or from the last :meth:`WatchedProcess.allow`; ``processes`` counts threads
    too; ``disk_bytes`` is the size of the writable folder, a block for each name in it with the rest; ``cpu_seconds``
    are of all calls together.
    """

    memory_bytes: int = 8 * GIB
    wall_seconds: float = 3600
    cpu_seconds: int = 30 * 86400
    processes: int = 512
    disk_bytes: int = 16 * GIB


class WatchedProcess:
    """A running command in a process group of its own.

    The watchdog's thread is also the parent of the process: bubblewrap's ``--die-with-parent`` follows the thread that
    started it, so it must be one that lives as long as the command.

    :raises OSError: the command could not be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        work: Path,
        limits: Limits,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.limits = limits
        self.stopped_by: str | None = None
        self._work = work
        self._deadline = time.monotonic() + limits.wall_seconds
        self._started = threading.Event()
        self._failure: OSError | None = None
        self._process: subprocess.Popen[bytes]
        self._thread = threading.Thread(
            target=self._watch, args=(list(command), dict(environment), tuple(pass_fds)), name="watchdog", daemon=True
        )
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure

    @property
    def stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def stderr(self) -> IO[bytes]:
        assert self._process.stderr is not None
        return self._process.stderr

    def communicate(self, stdin: bytes) -> tuple[bytes, bytes]:
        """Write all of ``stdin`` and read stdout and stderr to their ends."""
        return self._process.communicate(stdin)

    def allow(self, seconds: float) -> None:
        """Set the wall clock limit anew: ``seconds`` from now."""
        self._deadline = time.monotonic() + seconds

    def kill(self) -> None:
        """End the command and everything below it, and wait until it is gone."""
        self._kill_group()
        self._thread.join()

    def wait(self) -> int:
        """Wait for the end (a limit is one); returns the exit status, 128 + n for signal n."""
        self._thread.join()
        code = self._process.returncode
        return 128 - code if code < 0 else code

    def _watch(self, command: list[str], environment: dict[str, str], pass_fds: tuple[int, ...]) -> None:
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=environment,
                cwd=self._work,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        except OSError as error:
            self._failure = error
            return
        finally:
            self._started.set()
        while self.stopped_by is None:
            try:
                self._process.wait(_WATCH_SECONDS)
                break
            except subprocess.TimeoutExpired:
                self.stopped_by = self._exceeded()
        # Also at a normal end: without a pid namespace something of the group may live on.
        self._kill_group()
        self._process.wait()
        if self.stopped_by is None and self._process.returncode in (128 + signal.SIGXCPU, -signal.SIGXCPU):
            self.stopped_by = "cpu"

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _exceeded(self) -> str | None:
        if time.monotonic() > self._deadline:
            return "wall"
        limit = tree_excess(self._process.pid, self.limits)
        if limit is None and folder_bytes(self._work, self.limits.disk_bytes) > self.limits.disk_bytes:
            return "disk"
        return limit


def tree_excess(root: int, limits: Limits) -> str | None:
    """The limit ("memory" or "processes") that a process and all below it exceed; what just ended counts not."""
    memory = tasks = 0
    queue = [root]
    while queue:
        pid = queue.pop()
        try:
            memory += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in os.listdir(f"/proc/{pid}/task"):
                tasks += 1
                queue += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
        except (OSError, IndexError, ValueError):
            continue
        if tasks + len(queue) > limits.processes:
            return "processes"
        if memory > limits.memory_bytes:
            return "memory"
    return None


def folder_bytes(folder: Path, enough: int) -> int:
    """What a folder takes of the disk: bytes of all files below, and a block for each name, links not followed.

    Stops counting above ``enough``. What cannot be looked into, by its rights or its depth, is more than that.
    """
    total = 0
    waiting = [os.fspath(folder)]
    while waiting and total <= enough:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    total += _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
                    if total > enough:
                        break
        except (FileNotFoundError, NotADirectoryError):
            continue  # it went meanwhile
        except OSError:
            return enough + 1
    return total
