# SPDX-License-Identifier: Apache-2.0
"""Run one step of the set-up: silent while it is quick, one line of what it does now when it takes over two seconds."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
QUIET_SECONDS = 2.0
PLAIN_INTERVAL = 15.0  # between lines when the output is not a terminal


def run(label: str, argv: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Run argv to its end. All it prints goes to .tools/log/; if it fails, the last lines are shown and we end.

    label says what is being done, in the words of the one who waits for it.
    """
    log = TOOLS / "log" / ("-".join(label.lower().split()) + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with log.open("w", encoding="utf-8", errors="replace") as sink:
        child = subprocess.Popen(
            [str(part) for part in argv],
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
        progress = _Progress(label, started)
        reader = threading.Thread(target=_copy, args=(child.stdout, sink, progress), daemon=True)
        reader.start()
        try:
            while reader.is_alive():
                reader.join(0.25)
                progress.show()
            code = child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
            raise
    progress.finish(failed=code != 0)
    if code != 0:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        sys.exit(
            "\n".join(["", *tail, "", f"{label}: failed (exit {code}). The whole output is in {log.relative_to(ROOT)}"])
        )


def _copy(source: IO[str], sink: IO[str], progress: "_Progress") -> None:
    for line in source:
        sink.write(line)
        progress.now = line.strip() or progress.now


class _Progress:
    """One line: what is done, what exactly just now, seconds so far."""

    def __init__(self, label: str, started: float) -> None:
        self.label, self.started, self.now = label, started, ""
        self.terminal = sys.stderr.isatty()
        self.shown = started
        self.visible = False

    def show(self) -> None:
        clock = time.monotonic()
        elapsed = clock - self.started
        if elapsed < QUIET_SECONDS or not (self.terminal or not self.visible or clock - self.shown >= PLAIN_INTERVAL):
            return
        self.visible, self.shown = True, clock
        width = shutil.get_terminal_size((100, 24)).columns - 1
        line = f"{self.label} ({elapsed:.0f} s)  {self.now}"[:width]
        sys.stderr.write(f"\r\033[K{line}" if self.terminal else f"{line}\n")
        sys.stderr.flush()

    def finish(self, failed: bool) -> None:
        if not self.visible:
            return
        end = "failed" if failed else "done"
        line = f"{self.label}: {end} in {time.monotonic() - self.started:.0f} s"
        sys.stderr.write(f"\r\033[K{line}\n" if self.terminal else f"{line}\n")


def digest(*parts: Path | str) -> str:
    """SHA-256 over files (name and content) and texts, in the order given: what a step depends on."""
    total = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode()
        name = part.name if isinstance(part, Path) else ""
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def up_to_date(stamp: Path, wanted: str) -> bool:
    """Whether the step that left this stamp was done with the very same inputs."""
    try:
        return stamp.read_text() == wanted
    except FileNotFoundError:
        return False


def mark_done(stamp: Path, wanted: str) -> None:
    """Remember that a step is done; the file appears whole or not at all."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    draft = stamp.with_suffix(".new")
    draft.write_text(wanted)
    draft.replace(stamp)
