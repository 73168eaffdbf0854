# SPDX-License-Identifier: Apache-2.0
"""Processor seconds of programs and of everything below them, as the kernel counts them. Linux only (proc(5)).

Processes are read again and again, because those that end take their count along: a sandbox that is killed is waited
for by nobody who could be asked. What a process uses between its last reading and its end is missed.
"""

import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from devnet.processes import Identity

TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """A process at one moment: who it is, whose child, and its clock ticks in user and kernel mode, all threads."""

    identity: Identity
    parent: int
    ticks: int


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a program's work: its own process, or the sandboxed ones below it."""

    program: str
    sandboxed: bool


def parse_stat(text: str) -> Usage:
    """A process from its line in ``/proc/<pid>/stat``. Raises ValueError."""
    start, _, end = text.rpartition(")")  # the name may hold blanks and brackets
    fields = end.split()
    if len(fields) < 20:
        raise ValueError(f"this is no line of /proc/<pid>/stat: {text[:60]!r}")
    identity = Identity(int(start.split(None, 1)[0]), int(fields[19]))
    return Usage(identity, int(fields[1]), int(fields[11]) + int(fields[12]))


def read_all() -> list[Usage]:
    """Every process of this machine that can be seen."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                found.append(parse_stat(Path(f"/proc/{entry}/stat").read_text(errors="replace")))
            except OSError:
                continue  # it has just ended
    return found


def below(usages: Iterable[Usage], root: int) -> dict[Identity, tuple[int, bool]]:
    """The descendants of ``root``: each with the child of ``root`` that it is or descends from, and which of the two
    (True: it descends)."""
    parents = {usage.identity.pid: usage for usage in usages}
    found: dict[Identity, tuple[int, bool]] = {}
    for usage in parents.values():
        at, depth = usage, 1
        while at.parent != root and at.parent in parents and depth < len(parents):
            at, depth = parents[at.parent], depth + 1
        if at.parent == root and usage.identity.pid != root:
            found[usage.identity] = at.identity.pid, at is not usage
    return found


@dataclass
class Tally:
    """Ticks of each process since the first reading. ``top``: its ancestor that is a child of the root, or itself."""

    _top: dict[Identity, tuple[int, bool]] = field(default_factory=dict)
    _first: dict[Identity, int] = field(default_factory=dict)
    _last: dict[Identity, int] = field(default_factory=dict)
    _readings: int = 0

    def add(self, usages: Iterable[Usage], root: int) -> None:
        """A reading of everything below ``root``."""
        usages = list(usages)
        found = below(usages, root)
        for usage in usages:
            identity = usage.identity
            if identity in found:
                self._top.setdefault(identity, found[identity])
                self._first.setdefault(identity, 0 if self._readings else usage.ticks)
                self._last[identity] = usage.ticks
        self._readings += 1

    def seconds(self, names: Mapping[int, str], other: str) -> dict[Part, float]:
        """Processor seconds by part. ``names``: programs by pid, children of the root; ``other``: all the rest."""
        sums: dict[Part, int] = {}
        for identity, (top, inside) in self._top.items():
            part = Part(names.get(top, other), inside)
            sums[part] = sums.get(part, 0) + self._last[identity] - self._first[identity]
        return {part: ticks / TICKS for part, ticks in sums.items()}


class Meter:
    """Counts everything below this process while a ``with`` block lasts, in a thread; this process counts not.

    ``every``: seconds between two readings; one takes a few milliseconds.
    """

    def __init__(self, every: float = 0.25) -> None:
        self._tally = Tally()
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="core seconds", daemon=True)

    def __enter__(self) -> Self:
        self._read()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._read()

    def seconds(self, names: Mapping[int, str], other: str = "other") -> dict[Part, float]:
        """Processor seconds by part, as `Tally.seconds`; call it after the block."""
        return self._tally.seconds(names, other)

    def total(self) -> float:
        """Processor seconds of all parts; call it after the block."""
        return sum(self.seconds({}).values())

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self._read()

    def _read(self) -> None:
        self._tally.add(read_all(), os.getpid())
