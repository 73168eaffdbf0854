# SPDX-License-Identifier: Apache-2.0
"""Results on disk, a line of JSON each, written when a case is done: a run that was stopped goes on where it was."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Journal:
    """Append only; a line that was cut off in the middle (a machine that lost power) is cut off for good."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._mend()

    def rows(self) -> list[Row]:
        """All rows, in the order in which they were written."""
        return list(self._read())

    def done(self) -> set[int]:
        """Numbers of the cases that need not be done again."""
        return {row["case"] for row in self._read()}

    def add(self, row: Row) -> None:
        """Write a row; it is on disk when this returns."""
        with self._path.open("a") as file:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> Iterator[Row]:
        if self._path.exists():
            with self._path.open() as file:
                for line in file:
                    yield json.loads(line)

    def _mend(self) -> None:
        data = self._path.read_bytes() if self._path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            self._path.write_bytes(whole)
