# SPDX-License-Identifier: Apache-2.0
"""Runs a stranger's work: no network, nothing of the machine to read but programs, one folder to write, limits on all.

Isolation is bubblewrap's (namespaces, no capabilities, no environment, no terminal) and a system call filter. Limits
are held twice: rlimits inside, where the kernel refuses at once, and a watchdog outside that measures the whole process
tree and kills it. Paths are the same inside and outside.
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inferix.errors import InferixError, LimitExceeded, Misconfigured
from node import seccomp
from node.watchdog import GIB, Limits, WatchedProcess

__all__ = [
    "DEFAULT_LIMITS",
    "GIB",
    "Completed",
    "Limits",
    "SandboxLimit",
    "SandboxStopped",
    "SandboxUnavailable",
    "WatchedProcess",
    "check",
    "python_folders",
    "run",
    "start",
]

DEFAULT_LIMITS: Final = Limits()
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_SETTINGS: Final = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
_GPU_DEVICES: Final = ("nvidia*", "dri", "kfd")
_PRLIMIT: Final = "/usr/bin/prlimit"
_ERROR_TAIL: Final = 2000  # bytes of stderr that an error carries


class SandboxUnavailable(Misconfigured):
    """Bubblewrap is missing or refused; the message says how to mend it."""


class SandboxStopped(InferixError):
    """What ran in the sandbox ended before its work did.

    ``limit``: crash, memory, wall, cpu, processes or disk. ``output``: the end of what it wrote to stderr.
    """

    def __init__(self, message: str, limit: str, output: str = "") -> None:
        super().__init__(message)
        self.limit = limit
        self.output = output


class SandboxLimit(SandboxStopped, LimitExceeded):
    """It was stopped at a limit."""


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended: its exit status and all of its output."""

    returncode: int
    stdout: bytes
    stderr: bytes


def python_folders() -> tuple[Path, ...]:
    """What this Python needs to start: its own files and the virtual environment's."""
    return tuple(dict.fromkeys(Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)))


def check() -> None:
    """Return when commands can be isolated on this machine.

    :raises SandboxUnavailable: otherwise.
    """
    _bwrap()


def start(
    command: Sequence[str],
    *,
    work: Path,
    read_only: Sequence[Path] = (),
    limits: Limits = DEFAULT_LIMITS,
    fork: bool = False,
    gpu: bool = False,
    unsafe: bool = False,
) -> WatchedProcess:
    """Start ``command`` with ``work`` as its only writable folder, its home and its current folder.

    ``read_only``: files and folders that it may read besides the machine's programs. ``fork``: it may start processes,
    not only threads. ``gpu``: it gets the GPU devices. ``unsafe``: no isolation at all, limits only; for whoever trusts
    the input and says so.

    :raises SandboxUnavailable: bubblewrap is missing or refused.
    """
    work = work.resolve()
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(work), "TMPDIR": str(work), "LANG": "C.UTF-8"}
    limited = [*_rlimits(limits, unsafe), "--", *command]
    if unsafe:
        return _watched(limited, environment, work, limits)
    bwrap, help_text = _bwrap()
    arguments = [bwrap, *_isolation(help_text), *_read_only([path.resolve() for path in read_only])]
    arguments += _gpu_devices() if gpu else []
    arguments += ["--bind", str(work), str(work), "--chdir", str(work), "--remount-ro", "/dev", "--remount-ro", "/"]
    for name, value in environment.items():
        arguments += ["--setenv", name, value]
    filter_fd = _filter_fd(fork)
    if filter_fd is None:
        return _watched([*arguments, "--", *limited], {}, work, limits)
    try:
        return _watched([*arguments, "--seccomp", str(filter_fd), "--", *limited], {}, work, limits, (filter_fd,))
    finally:
        os.close(filter_fd)


def run(
    command: Sequence[str],
    *,
    work: Path,
    stdin: bytes = b"",
    read_only: Sequence[Path] = (),
    limits: Limits = DEFAULT_LIMITS,
    fork: bool = False,
    gpu: bool = False,
    unsafe: bool = False,
) -> Completed:
    """Run ``command`` to its end; arguments as in :func:`start`.

    :raises SandboxLimit: a limit stopped it. An exit status other than 0 is no error here.
    """
    process = start(command, work=work, read_only=read_only, limits=limits, fork=fork, gpu=gpu, unsafe=unsafe)
    stdout, stderr = process.communicate(stdin)
    code = process.wait()
    if process.stopped_by:
        tail = stderr[-_ERROR_TAIL:].decode(errors="replace")
        raise SandboxLimit(f"stopped at the {process.stopped_by} limit", process.stopped_by, tail)
    return Completed(code, stdout, stderr)


@functools.cache
def _bwrap() -> tuple[str, str]:
    """Path of bubblewrap and its help text, after one trial run."""
    path = shutil.which("bwrap", path=os.environ.get("PATH", "") + os.pathsep + os.defpath)
    if path is None:
        raise SandboxUnavailable(
            "bubblewrap is not installed: `apt-get install bubblewrap` (or dnf, pacman), then start again"
        )
    trial = subprocess.run(
        [path, *_isolation(""), *_read_only(()), "--", _PRLIMIT, "--version"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    if trial.returncode != 0:
        raise SandboxUnavailable(
            f"bubblewrap cannot isolate a process here ({trial.stderr.strip() or trial.returncode}). "
            "Allow user namespaces: "
            "`sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000`; on Ubuntu 24.04 "
            "and later also `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`; in a container start it with "
            "`--security-opt seccomp=unconfined --security-opt systempaths=unconfined`"
        )
    return path, subprocess.run([path, "--help"], capture_output=True, text=True, timeout=30).stdout


def _watched(
    command: Sequence[str], environment: dict[str, str], work: Path, limits: Limits, pass_fds: Sequence[int] = ()
) -> WatchedProcess:
    try:
        return WatchedProcess(command, environment, work, limits, pass_fds)
    except OSError as error:
        raise SandboxUnavailable(f"the sandbox did not start: {error}; {_PRLIMIT} comes with util-linux") from error


def _isolation(help_text: str) -> list[str]:
    arguments = ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    arguments += ["--new-session", "--die-with-parent", "--clearenv", "--hostname", "sandbox"]
    return arguments + (["--disable-userns"] if "--disable-userns" in help_text else [])


def _read_only(paths: Sequence[Path]) -> list[str]:
    """The machine's programs and ``paths``; /bin and company are links on a merged system, folders on an old one."""
    arguments: list[str] = []
    for name in _SYSTEM:
        folder = Path(name)
        if folder.is_symlink():
            arguments += ["--symlink", os.readlink(folder), name]
        elif folder.is_dir():
            arguments += ["--ro-bind", name, name]
    for name in _SETTINGS:
        arguments += ["--ro-bind-try", name, name]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for path in paths:
        if not path.is_relative_to("/usr"):
            arguments += ["--ro-bind", str(path), str(path)]
    return arguments


def _gpu_devices() -> list[str]:
    devices = sorted(path for pattern in _GPU_DEVICES for path in Path("/dev").glob(pattern))
    arguments = [part for device in devices for part in ("--dev-bind", str(device), str(device))]
    return [*arguments, "--ro-bind-try", "/sys", "/sys"] if devices else []


def _rlimits(limits: Limits, unsafe: bool) -> list[str]:
    """RLIMIT_DATA, not RLIMIT_AS: renderers and GPU drivers reserve far more address space than they ever touch."""
    arguments = [_PRLIMIT, "--core=0", f"--data={limits.memory_bytes}", f"--fsize={limits.disk_bytes}", "--nofile=4096"]
    arguments += [f"--cpu={limits.cpu_seconds}:{limits.cpu_seconds + 1}"]  # SIGXCPU first, so that the cause is known
    # Outside a user namespace this one counts everything else that the user runs, too.
    return arguments if unsafe else [*arguments, f"--nproc={limits.processes}"]


def _filter_fd(fork: bool) -> int | None:
    """A file descriptor from which bubblewrap reads the system call filter, or None where there is none."""
    program = seccomp.program(fork)
    if program is None:
        return None
    fd = os.memfd_create("seccomp")
    os.write(fd, program)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
