# SPDX-License-Identifier: Apache-2.0
"""Child processes that are never left behind: own process group, killed with their parent, whole families stopped.

Linux only (prctl(2), proc(5)). Start children from the main thread: the kernel ties a child to the thread that made it.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from inferix.errors import Misconfigured, Unavailable

ROOT = Path(__file__).resolve().parent.parent
POLL_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)

Ready = TypeVar("Ready")


class StartFailed(Unavailable):
    """A service did not come up; the message ends with the last lines of its log."""


class NotInstalled(Misconfigured):
    """The program is not on this machine; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process not to be taken for a later one of the same number: pid, and start time in clock ticks since boot."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        found = _stat(self.pid)
        return found is not None and found.identity == self and found.state not in "ZX"

    def kill(self) -> None:
        """SIGKILL, if it is still the same process."""
        if self.alive:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                return


@dataclass(frozen=True, slots=True)
class _Stat:
    identity: Identity
    state: str
    parent: int
    group: int


@dataclass(frozen=True, slots=True)
class Child:
    """A running program, its log, and how it wants to be asked to stop."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0

    @property
    def pid(self) -> int:
        """Process number, which is also that of its group."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the program itself (not its children) still runs."""
        return self.process.poll() is None

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of what it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_ready(self, probe: Callable[[], Ready | None], deadline_seconds: float = 30.0) -> Ready:
        """Ask probe until it returns something true; return that. StartFailed if the program ends or time is up."""
        until = time.monotonic() + deadline_seconds
        while not (found := probe()):
            if not self.running:
                raise StartFailed(
                    f"{self.name} ended with {self.process.returncode} while starting:\n{self.log_tail()}"
                )
            if time.monotonic() > until:
                raise StartFailed(f"{self.name} was not ready after {deadline_seconds:.0f} s:\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)
        return found

    def stop(self) -> None:
        """Ask the whole group to stop, wait, then kill what is left of it and of its descendants. Safe to repeat."""
        if self.process.returncode is not None:
            return
        members = family(self.pid)
        try:
            _signal_group(self.pid, self.stop_signal)
            self.process.wait(self.grace_seconds)
        except subprocess.TimeoutExpired:
            pass  # it had its time; killed below
        finally:  # a second Ctrl-C must not leave anything behind
            self._kill(members)

    def kill(self) -> None:
        """SIGKILL to the whole family at once, as a power cut would."""
        self._kill(family(self.pid))

    def _kill(self, members: set[Identity]) -> None:
        members |= family(self.pid)
        for member in members:
            member.kill()
        self.process.wait()
        until = time.monotonic() + 2.0
        while any(member.alive for member in members) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)


def start(
    name: str,
    argv: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    grace_seconds: float = 10.0,
) -> Child:
    """Start a program with no input and all its output appended to log.

    user: run as this account (needs root). The child dies by SIGKILL when the calling thread ends, however that
    happens; programs that have children of their own must see to them in the same way.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_tie_to(os.getpid()),
            **identity_arguments(user),
        )
    return Child(name, process, log, stop_signal, grace_seconds)


@contextmanager
def running(child: Child) -> Iterator[Child]:
    """The child for the length of a with block; stopped at its end, whatever ends it."""
    try:
        yield child
    finally:
        child.stop()


def identity_arguments(user: str | None) -> dict[str, Any]:
    """Arguments for subprocess that run a program as another account with none of our groups; {} for None."""
    if user is None:
        return {}
    account = pwd.getpwnam(user)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def find_program(name: str, how_to_get: str, folders: Sequence[Path] = ()) -> Path:
    """Where a program is: in .tools/bin, in the folders given, or on PATH. NotInstalled tells how to get it."""
    path = os.pathsep.join(map(str, (ROOT / ".tools/bin", *folders, os.environ.get("PATH", os.defpath))))
    found = shutil.which(name, path=path)
    if found is None:
        raise NotInstalled(f"{name} is not installed: {how_to_get}")
    return Path(found)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free just now. Prefer programs that choose their own (port 0) and say which."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def exit_on_sigterm() -> None:
    """Make SIGTERM end this program as Ctrl-C does, through every finally, with exit status 143.

    Ctrl-C too: a shell that starts a program in the background makes it deaf to SIGINT.
    """
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    if frame is not None and frame.f_globals.get("__name__") == "logging":
        # Perhaps in the hook that logging has at every fork, where an exception is printed and lost: in a moment again.
        signal.signal(signal.SIGALRM, lambda _, later: _stop(number, later))
        signal.setitimer(signal.ITIMER_REAL, POLL_SECONDS)
    elif number == signal.SIGINT:
        raise KeyboardInterrupt
    else:
        sys.exit(128 + number)


def family(pid: int) -> set[Identity]:
    """The live processes that are pid, in its group, or descend from it."""
    everyone = [found for entry in os.listdir("/proc") if entry.isdigit() and (found := _stat(int(entry)))]
    pids = {pid} | {found.identity.pid for found in everyone if found.group == pid}
    grown = True
    while grown:
        children = {found.identity.pid for found in everyone if found.parent in pids}
        grown = not children <= pids
        pids |= children
    return {found.identity for found in everyone if found.identity.pid in pids and found.state not in "ZX"}


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets; see proc(5)
    return _Stat(Identity(pid, int(fields[19])), fields[0], int(fields[1]), int(fields[2]))


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _tie_to(parent: int) -> Callable[[], None]:
    """What the child does between fork and exec: ask the kernel for SIGKILL when its parent ends."""

    def tie() -> None:
        if _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(127)  # the parent ended in between

    return tie
