# SPDX-License-Identifier: Apache-2.0
"""When a program said what: the lines of its log with the time at which each was there."""

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from inferix.errors import NotFound

EVERY: Final = 0.02


class Stamp(NamedTuple):
    """A line of a log and when it was there, seconds since the epoch."""

    time: float
    text: str


class Stamps:
    """Follows the log at ``path`` while a ``with`` block lasts, in a thread; the file may not be there yet."""

    def __init__(self, path: Path) -> None:
        self.lines: list[Stamp] = []
        self._path = path
        self._read = path.stat().st_size if path.exists() else 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stamps", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._take()

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            self._take()

    def _take(self) -> None:
        """The whole lines that are new."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        self.lines += [Stamp(time.time(), line) for line in whole.decode(errors="replace").splitlines()]


def first(lines: list[Stamp], start: str) -> float:
    """When the first line that begins so was there, blanks before it apart. Raises NotFound."""
    for line in lines:
        if line.text.lstrip().startswith(start):
            return line.time
    raise NotFound(f"no line of the log begins with {start!r}")
