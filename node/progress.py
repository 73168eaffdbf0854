# SPDX-License-Identifier: Apache-2.0
"""Says how far a task is: a line here at most every few seconds, and the same to the network, which may not listen."""

import logging
import time
from collections.abc import Callable
from typing import Final

from inferix.errors import InferixError
from node.api import Api
from node.assignment import Assignment
from node.engines import Progress

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 2.0
QUIET_SECONDS: Final = 30.0


class ProgressReport:
    """Follows the engine through one task at a time. What the network does not take is dropped: it is only for show."""

    def __init__(self, api: Api, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._monotonic = monotonic
        self._assignment: Assignment | None = None
        self._next = 0.0
        self._quiet_until = 0.0

    def begin(self, assignment: Assignment | None) -> None:
        """Whose progress the next reports are; None: nobody's, only lines here."""
        self._assignment = assignment
        self._next = self._monotonic() + EVERY_SECONDS

    def __call__(self, progress: Progress) -> None:
        """What the engine says; passed on every two seconds at most."""
        if self._monotonic() < self._next:
            return
        self._next = self._monotonic() + EVERY_SECONDS
        frame = "" if progress.frame is None else f" frame {progress.frame}"
        name = self._assignment.label + ": " if self._assignment else ""
        log.info("%s%s%s %3.0f %% (%.0f s)", name, progress.stage, frame, 100 * progress.done, progress.seconds)
        if progress.frame is not None and progress.operation == "render":
            self._tell(progress.frame, int(1_000 * progress.done), None)

    def frame_done(self, frame: int, preview: str | None) -> None:
        """A frame is finished; ``preview``: CID of its sealed quick look."""
        self._tell(frame, 1_000, preview)

    def _tell(self, frame: int, permille: int, preview: str | None) -> None:
        if self._assignment is None or self._monotonic() < self._quiet_until:
            return
        try:
            self._api.progress(self._assignment.task.id, self._assignment.attempt, frame, permille, preview)
        except InferixError as error:
            self._quiet_until = self._monotonic() + QUIET_SECONDS
            log.info("live progress is not taken (%s); the work goes on", error)
