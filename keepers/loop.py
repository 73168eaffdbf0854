# SPDX-License-Identifier: Apache-2.0
"""The loop that every keeper runs in: one cycle at a time, on a schedule, with a health that says how it goes.

An error that this project knows (an endpoint down, a contract that refuses, no room on a disk) is logged, counted and
answered by a longer pause. Any other error is a bug: the whole program stops with it, and whoever supervises it starts
it again.
"""

import errno
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from sqlalchemy.exc import OperationalError

from inferix.errors import InferixError, Misconfigured, Unavailable
from inferix.storage.files import write_atomic

log = logging.getLogger(__name__)

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_REPEAT_EVERY = 20  # the same error is logged again after so many cycles


@dataclass
class Health:
    """How a loop goes; times are of the wall clock, seconds."""

    cycles: int = 0
    errors: int = 0
    errors_in_a_row: int = 0
    last_success: float = 0.0
    last_error: str = ""


class Loop:
    """``cycle`` every ``seconds``; it returns soon and keeps what it must remember in the database."""

    def __init__(self, name: str, seconds: float, cycle: Callable[[], object]) -> None:
        self.name = name
        self.seconds = seconds
        self.health = Health()
        self._cycle = cycle
        self._rests_until = 0.0

    def run_once(self) -> None:
        """One cycle, unless the loop rests after an error. Raises what is not a known error."""
        if time.monotonic() < self._rests_until:
            return
        self.health.cycles += 1
        try:
            self._cycle()
        except Misconfigured:
            raise
        except (InferixError, OperationalError) as error:
            self._known(error)
            return
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self._known(error)
            return
        if self.health.errors_in_a_row:
            log.info("%s: well again after %d errors", self.name, self.health.errors_in_a_row)
        self.health.errors_in_a_row = 0
        self.health.last_success = time.time()

    def _known(self, error: InferixError | OperationalError | OSError) -> None:
        health, text = self.health, f"{type(error).__name__}: {_words(error)}"
        health.errors += 1
        health.errors_in_a_row += 1
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(health.errors_in_a_row - 1, 10))
        if isinstance(error, Unavailable) and error.retry_after is not None:
            pause = min(_LONGEST_PAUSE, max(pause, error.retry_after))
        if text != health.last_error or health.errors_in_a_row % _REPEAT_EVERY == 1:
            log.warning("%s: %s (%d in a row; next try in %.0f s)", self.name, text, health.errors_in_a_row, pause)
        health.last_error = text[:500]
        self._rests_until = time.monotonic() + pause


def _words(error: InferixError | OperationalError | OSError) -> str:
    """The error without the statement and the link that SQLAlchemy adds."""
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename or 'free some room'}"
    return str(error.orig) if isinstance(error, OperationalError) else str(error)


def run(loops: Sequence[Loop], stop: threading.Event, health_file: Path | None = None) -> None:
    """Runs loops until ``stop`` is set, then lets running cycles end. Raises the first unknown error of a loop.

    ``health_file``: gets every loop's health as JSON, every few seconds.
    """
    fatal: list[BaseException] = []

    def guarded(loop: Loop) -> Callable[[], None]:
        def once() -> None:
            if stop.is_set():
                return
            try:
                loop.run_once()
            except BaseException as error:
                log.critical("%s stops the program: %s: %s", loop.name, type(error).__name__, error)
                fatal.append(error)
                stop.set()

        return once

    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a cycle longer than its pause is no news
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(len(loops) + 1)}, timezone="UTC")
    pulse = [Loop("health", 5.0, lambda: write_health(loops, health_file))] if health_file is not None else []
    for loop in [*loops, *pulse]:
        scheduler.add_job(
            guarded(loop),
            "interval",
            seconds=loop.seconds,
            id=loop.name,
            next_run_time=datetime.now(UTC),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    scheduler.start()
    try:
        stop.wait()
    finally:
        stop.set()
        scheduler.shutdown(wait=True)
    if fatal:
        raise fatal[0]


def write_health(loops: Sequence[Loop], path: Path) -> None:
    """Every loop's health by name, as JSON."""
    text = json.dumps({loop.name: asdict(loop.health) for loop in loops}, indent=1)
    write_atomic(path, [text.encode()])
