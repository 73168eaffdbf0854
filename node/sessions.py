# SPDX-License-Identifier: Apache-2.0
"""Engine sessions, one a job, kept warm between its tasks: loading a scene can cost more than a frame of it.

    <folder>/<job>/package    the client's input, decrypted
    <folder>/<job>/session    the engine's own folder
    <folder>/<job>/files      results of others, while they are checked

The folder holds clients' secrets in the clear: it is private, emptied at the start, and a job's part goes with its
session.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inferix.storage.files import remove_folder
from node.engines import SCENES_OWN, Choice, Engine, Progress, Session

log = logging.getLogger(__name__)

IDLE_SECONDS: Final = 300.0
MAX_SESSIONS: Final = 2


@dataclass(slots=True)
class _Room:
    folder: Path
    used: float
    session: Session | None = None


class SessionPool:
    """Sessions of one engine. ``idle``: seconds until an unused one is closed; ``limit``: how many stay open."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        idle: float = IDLE_SECONDS,
        limit: int = MAX_SESSIONS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.on_progress: Callable[[Progress], None] = lambda _progress: None
        self._folder = folder
        self._idle = idle
        self._limit = limit
        self._monotonic = monotonic
        self._rooms: dict[str, _Room] = {}
        self._lock = threading.Lock()
        self._closed = False
        remove_folder(folder)
        folder.mkdir(parents=True, mode=0o700)

    def package(self, job: bytes) -> Path:
        """Where the decrypted input of a job lies, or is to be put."""
        return self._room(job).folder / "package"

    def files(self, job: bytes) -> Path:
        """A folder for results of others."""
        folder = self._room(job).folder / "files"
        folder.mkdir(exist_ok=True)
        return folder

    def session(self, job: bytes, choice: Choice = SCENES_OWN) -> Session:
        """The warm session of a job whose package is in its place; opened if need be, with the job's choice.

        :raises BadPackage: the engine cannot load it.
        """
        room = self._room(job)
        if room.session is None:
            self._make_place(room)
            started = self._monotonic()
            session = self.engine.open(room.folder / "package", room.folder / "session", self._progress, choice)
            log.info("opened job %s in %s (%.1f s)", job.hex()[:8], self.engine.name, self._monotonic() - started)
            with self._lock:
                if self._closed:
                    session.close()
                room.session = session
        room.used = self._monotonic()
        return room.session

    def drop(self, job: bytes) -> None:
        """End a job's session, after a crash; its package stays."""
        room = self._room(job)
        if room.session is not None:
            room.session.close()
            room.session = None

    def close_idle(self) -> None:
        """End sessions that nobody has used for a while, and remove their files."""
        now = self._monotonic()
        for name, room in list(self._rooms.items()):
            if now - room.used >= self._idle:
                self._leave(name)

    def stop(self) -> None:
        """End every process at once, from another thread: a call under way there ends with EngineStopped."""
        with self._lock:
            self._closed = True
            sessions = [room.session for room in self._rooms.values() if room.session is not None]
        for session in sessions:
            session.close()

    def close(self) -> None:
        """End all sessions and remove all files."""
        self.stop()
        for name in list(self._rooms):
            self._leave(name)
        remove_folder(self._folder)

    def _progress(self, progress: Progress) -> None:
        self.on_progress(progress)

    def _room(self, job: bytes) -> _Room:
        name = job.hex()
        with self._lock:
            room = self._rooms.get(name)
            if room is None:
                room = self._rooms[name] = _Room(self._folder / name[:32], self._monotonic())
                room.folder.mkdir(exist_ok=True, mode=0o700)
            room.used = self._monotonic()
            return room

    def _make_place(self, wanted: _Room) -> None:
        """Close the longest unused sessions until one more fits."""
        open_rooms = sorted(
            (room.used, name) for name, room in self._rooms.items() if room.session and room is not wanted
        )
        for _, name in open_rooms[: max(0, len(open_rooms) - self._limit + 1)]:
            self._leave(name)

    def _leave(self, name: str) -> None:
        with self._lock:
            room = self._rooms.pop(name)
        if room.session is not None:
            room.session.close()
            log.info("closed job %s", name[:8])
        remove_folder(room.folder)
