# SPDX-License-Identifier: Apache-2.0
"""One thread that does the long work, the most urgent item first, while the loop goes on listening."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from errno import ENOSPC
from typing import Final, Generic, TypeVar

from inferix.errors import InferixError

log = logging.getLogger(__name__)

Item = TypeVar("Item")
LATER_SECONDS: Final = 2.0
FIRST_REST: Final = 5.0
LONGEST_REST: Final = 60.0


class Later(Exception):
    """Raised by work that cannot be done yet: it is tried again soon, and others go first."""


@dataclass(slots=True)
class _Waiting(Generic[Item]):
    deadline: int
    item: Item


class Executor(Generic[Item]):
    """Runs ``work(item)`` for what is submitted. ``idle`` is called now and then when there is nothing to do.

    An item that fails rests, longer each time; whoever submits asks `knows` first.
    """

    def __init__(
        self, work: Callable[[Item], None], idle: Callable[[], None], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._work = work
        self._idle = idle
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._waiting: dict[str, _Waiting[Item]] = {}
        self._running: str | None = None
        self._resting: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="work", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, key: str, deadline: int, item: Item) -> None:
        """Queue an item once."""
        with self._changed:
            if not self.knows(key) and not self._closed:
                self._waiting[key] = _Waiting(deadline, item)
                self._changed.notify_all()

    def knows(self, key: str) -> bool:
        """Whether an item is queued, being done, or resting after a failure."""
        return key in self._waiting or key == self._running or self._resting.get(key, 0.0) > self._monotonic()

    @property
    def busy(self) -> bool:
        """Whether anything is queued or being done."""
        return bool(self._waiting) or self._running is not None

    def drop(self, keep: Callable[[str], bool]) -> None:
        """Forget queued items that are not to be kept, and rests that are over."""
        with self._changed:
            self._waiting = {key: waiting for key, waiting in self._waiting.items() if keep(key)}
            now = self._monotonic()
            self._resting = {key: until for key, until in self._resting.items() if until > now or keep(key)}
            self._failures = {key: count for key, count in self._failures.items() if key in self._resting}

    def step(self, wait: float = 0.0) -> bool:
        """Do the most urgent item in this thread; False when there was none within ``wait`` seconds."""
        with self._changed:
            if not self._waiting and not self._closed:
                self._changed.wait(wait)
            if not self._waiting or self._closed:
                return False
            key = min(self._waiting, key=lambda name: self._waiting[name].deadline)
            waiting = self._waiting.pop(key)
            self._running = key
        try:
            self._do(key, waiting.item)
        finally:
            with self._changed:
                self._running = None
                self._changed.notify_all()
        return True

    def stop(self) -> None:
        """Take and begin nothing more; how what is being done ends is nobody's business any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def close(self, patience: float = 30.0) -> None:
        """Stop, and wait for what is being done."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(patience)

    def _run(self) -> None:
        while not self._closed:
            if not self.step(wait=1.0) and not self._closed:
                self._idle()

    def _do(self, key: str, item: Item) -> None:
        try:
            self._work(item)
        except Later as error:
            log.info("%s: %s; again in %.0f s", _short(key), error, LATER_SECONDS)
            with self._changed:
                self._resting[key] = self._monotonic() + LATER_SECONDS
        except InferixError as error:
            self._rest(key)
            log.log(logging.DEBUG if self._closed else logging.WARNING, "%s: %s", _short(key), error)
        except Exception as error:  # a mistake of ours must not end the node: others' money hangs on it
            self._rest(key)
            if isinstance(error, OSError) and error.errno == ENOSPC:
                log.warning("%s: %s: free some room, it is tried again", _short(key), error.strerror)
            else:
                log.exception("%s: unexpected", _short(key))
        else:
            with self._changed:
                self._failures.pop(key, None)

    def _rest(self, key: str) -> None:
        with self._changed:
            count = self._failures[key] = self._failures.get(key, 0) + 1
            self._resting[key] = self._monotonic() + min(LONGEST_REST, FIRST_REST * (1 << min(count - 1, 10)))


def _short(key: str) -> str:
    """``run 3fa85f64`` for lines: the rest of an id tells people nothing."""
    kind, _, subject = key.partition(" ")
    return f"{kind} {subject[:8]}"
