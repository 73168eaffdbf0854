# SPDX-License-Identifier: Apache-2.0
"""Results on disk, a line of JSON each, written when a case is done: a run that was stopped goes on where it was.

Rows that were published, in files of their own, count as well: who has them need not render their frames again.
"""

import json
import lzma
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Journal:
    """Append only; a line that was cut off in the middle (a machine that lost power) is cut off for good.

    ``published``: a folder of further rows, there or not.
    """

    def __init__(self, path: Path, published: Path | None = None) -> None:
        self._path = path
        self._published = published
        path.parent.mkdir(parents=True, exist_ok=True)
        self._mend()

    def rows(self) -> list[Row]:
        """All rows: those published, then one's own in the order in which they were written. None twice."""
        published = list(self._read_published())
        known = {row["case"] for row in published}
        return published + [row for row in self._read() if row["case"] not in known]

    def done(self) -> set[int]:
        """Numbers of the cases that need not be done again."""
        return {row["case"] for row in self.rows()}

    def publish(self) -> int:
        """Write one's own rows beside those published, in a file of their own; how many."""
        assert self._published is not None
        known = {row["case"] for row in self._read_published()}
        rows = [row for row in self._read() if row["case"] not in known]
        if rows:
            self._published.mkdir(parents=True, exist_ok=True)
            path = self._published / f"{len(self._files()):02}.jsonl.xz"
            lines = "".join(_line(row) for row in sorted(rows, key=lambda row: row["case"]))
            path.write_bytes(lzma.compress(lines.encode(), preset=9 | lzma.PRESET_EXTREME))
        return len(rows)

    def add(self, row: Row) -> None:
        """Write a row; it is on disk when this returns."""
        with self._path.open("a") as file:
            file.write(_line(row))
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> Iterator[Row]:
        if self._path.exists():
            with self._path.open() as file:
                for line in file:
                    yield json.loads(line)

    def _files(self) -> list[Path]:
        return sorted(self._published.glob("*.jsonl.xz")) if self._published is not None else []

    def _read_published(self) -> Iterator[Row]:
        for path in self._files():
            with lzma.open(path, "rt") as file:
                for line in file:
                    yield json.loads(line)

    def _mend(self) -> None:
        data = self._path.read_bytes() if self._path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            self._path.write_bytes(whole)


def _line(row: Row) -> str:
    return json.dumps(row, separators=(",", ":")) + "\n"
