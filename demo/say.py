# SPDX-License-Identifier: Apache-2.0
"""What the demo says: one line an event, and a line that moves while something is waited for."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from inferix.errors import Unavailable

T = TypeVar("T")
_chapters: dict[str, float] = {}
_START = time.monotonic()
_POLL = 0.25


def elapsed() -> float:
    """Seconds since the demo began."""
    return time.monotonic() - _START


def chapter(title: str) -> None:
    """A new part of the story."""
    _clear()
    _chapters[title] = elapsed()
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}", flush=True)


def chapters() -> dict[str, float]:
    """When each chapter began, seconds since the demo did."""
    return dict(_chapters)


def line(text: str) -> None:
    """One thing that has happened."""
    _clear()
    print(f"{elapsed():7.1f} s  {text}", flush=True)


def until(probe: Callable[[], T | None], what: str | Callable[[], str], seconds: float = 120.0) -> T:
    """Waits until ``probe`` gives something true and returns it; says what it waits for all the time."""

    def waiting() -> str:
        return what if isinstance(what, str) else what()

    started = last = time.monotonic()
    while True:
        found = probe()
        if found:
            _clear()
            return found
        now = time.monotonic()
        if now - started > seconds:
            _clear()
            raise Unavailable(f"waited {seconds:.0f} s for {waiting()}, in vain: the logs are in out/demo/state/logs")
        if sys.stdout.isatty():
            print(f"\r\033[K{elapsed():7.1f} s  waiting for {waiting()} ({now - started:.0f} s)", end="", flush=True)
        elif now - last >= 5:
            last = now
            print(f"{elapsed():7.1f} s  waiting for {waiting()} ({now - started:.0f} s)", flush=True)
        time.sleep(_POLL)


def _clear() -> None:
    if sys.stdout.isatty():
        print("\r\033[K", end="")
