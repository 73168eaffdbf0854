# SPDX-License-Identifier: Apache-2.0
"""What this node has signed, stored and finished, on disk before anybody else hears of it.

A node that was killed at any line reads this and goes on: it signs nothing twice in two ways, sends what was not
acknowledged, and renders no frame again. One SQLite file of one key; each change is on the disk when its call returns.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inferix.errors import Corrupt, LimitExceeded, Misconfigured
from inferix.messages import Domain

VERSION: Final = "1"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS signed (
  kind TEXT NOT NULL, subject BLOB NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL, salt BLOB NOT NULL,
  document BLOB NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL DEFAULT '', time INTEGER NOT NULL,
  PRIMARY KEY (kind, subject));
CREATE TABLE IF NOT EXISTS documents (digest BLOB PRIMARY KEY, data BLOB NOT NULL, stored INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS frames (
  task BLOB NOT NULL, attempt INTEGER NOT NULL, frame INTEGER NOT NULL, origin TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (task, attempt, frame));
CREATE INDEX IF NOT EXISTS ready ON signed (state) WHERE state = 'ready';
CREATE INDEX IF NOT EXISTS unstored ON documents (stored) WHERE stored = 0;
"""

HELD, READY, SENT, REFUSED = "held", "ready", "sent", "refused"
"""State of a signed message: not to be shown yet; to be sent; acknowledged; refused by the network for good."""


class JournalStuck(LimitExceeded):
    """The file can be neither read nor written now: its disk is full, mostly. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One signed message. ``document``: digest of what must be stored before it is sent, or empty.

    ``time``: block time of the last change of state.
    """

    kind: str
    subject: bytes
    body: bytes
    signature: bytes
    salt: bytes
    document: bytes
    state: str
    note: str
    time: int


def owner_of(address: str, domain: Domain) -> str:
    """Whose a journal is: an operator's, on one network."""
    return f"{address} chain {domain.chain_id} {domain.contract}"


class Journal:
    """The file at ``path``, made if absent. ``owner``: as ``owner_of`` has it.

    Safe to use from several threads of one process. Every call raises JournalStuck while the disk is full.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self._lock = threading.RLock()
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            path.chmod(0o600)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise Corrupt(
                f"{path} cannot be used ({error}). It keeps this node from signing twice: restore it, or move it away "
                "once none of this node's tasks is open any more"
            ) from error
        self._claim("version", VERSION, path)
        self._claim("owner", owner, path)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside become durable together, or none does."""
        with self._held():
            is_inner = self._db.in_transaction
            if is_inner:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._db.execute("ROLLBACK")
                raise

    # -- signed messages

    def find(self, kind: str, subject: bytes) -> Entry | None:
        """The message of this kind about this subject."""
        return next(iter(self._entries("WHERE kind = ? AND subject = ?", kind, subject)), None)

    def has_about(self, kind: str, start: bytes) -> bool:
        """Whether there is a message of this kind whose subject begins so."""
        return bool(self._entries("WHERE kind = ? AND substr(subject, 1, ?) = ?", kind, len(start), start))

    def add(self, entry: Entry) -> None:
        """Keep a new message. Raises sqlite3.IntegrityError for a second one about the same subject."""
        with self.transaction():
            self._db.execute(
                "INSERT INTO signed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.kind,
                    entry.subject,
                    entry.body,
                    entry.signature,
                    entry.salt,
                    entry.document,
                    entry.state,
                    entry.note,
                    entry.time,
                ),
            )

    def mark(self, entry: Entry, state: str, time: int, note: str = "") -> None:
        """Change the state of a message."""
        with self.transaction():
            self._db.execute(
                "UPDATE signed SET state = ?, time = ?, note = ? WHERE kind = ? AND subject = ?",
                (state, time, note, entry.kind, entry.subject),
            )

    def sendable(self) -> list[Entry]:
        """Messages to send whose documents are stored, oldest first."""
        is_stored = "EXISTS (SELECT 1 FROM documents WHERE digest = document AND stored)"
        return self._entries(f"WHERE state = 'ready' AND (document = x'' OR {is_stored}) ORDER BY rowid")

    def latest(self, count: int) -> list[Entry]:
        """The newest messages, newest first."""
        return self._entries("ORDER BY rowid DESC LIMIT ?", count)

    # -- documents

    def keep_document(self, digest: bytes, data: bytes) -> None:
        """Keep a document until it is stored with the network."""
        with self.transaction():
            self._db.execute("INSERT OR IGNORE INTO documents (digest, data) VALUES (?, ?)", (digest, data))

    def unstored(self) -> list[tuple[bytes, bytes]]:
        """(digest, data) of the documents that still have to be stored."""
        with self._held():
            return list(self._db.execute("SELECT digest, data FROM documents WHERE stored = 0 ORDER BY rowid"))

    def mark_stored(self, digest: bytes) -> None:
        """The network has this document."""
        with self.transaction():
            self._db.execute("UPDATE documents SET stored = 1 WHERE digest = ?", (digest,))

    # -- frames of a running task

    def keep_frame(self, task: bytes, attempt: int, frame: int, origin: str, value: str) -> None:
        """Remember a finished, uploaded frame. ``origin``: what made it (build, device); ``value``: its JSON."""
        with self.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO frames VALUES (?, ?, ?, ?, ?)", (task, attempt, frame, origin, value)
            )

    def frames(self, task: bytes, attempt: int, origin: str) -> dict[int, str]:
        """JSON of the finished frames of an attempt that the same ``origin`` made."""
        with self._held():
            rows = self._db.execute(
                "SELECT frame, value FROM frames WHERE task = ? AND attempt = ? AND origin = ?", (task, attempt, origin)
            )
            return dict(rows)

    def attempts(self) -> set[tuple[bytes, int]]:
        """(task, attempt) of those with frames."""
        with self._held():
            return set(self._db.execute("SELECT DISTINCT task, attempt FROM frames"))

    def drop_frames(self, task: bytes, attempt: int) -> None:
        """Forget the frames of an attempt."""
        with self.transaction():
            self._db.execute("DELETE FROM frames WHERE task = ? AND attempt = ?", (task, attempt))

    def forget_before(self, time: int) -> None:
        """Drop documents of messages that were acknowledged before ``time``; what was signed is never forgotten."""
        with self.transaction():
            self._db.execute(
                "DELETE FROM documents WHERE stored AND digest NOT IN (SELECT document FROM signed WHERE time >= ? "
                "OR state IN ('held', 'ready'))",
                (time,),
            )

    def _entries(self, condition: str, *values: object) -> list[Entry]:
        with self._held():
            columns = "kind, subject, body, signature, salt, document, state, note, time"
            rows = self._db.execute(f"SELECT {columns} FROM signed {condition}", values)  # noqa: S608
            return [Entry(*row) for row in rows]

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The lock, and SQLite's troubles in words."""
        with self._lock:
            try:
                yield
            except sqlite3.IntegrityError:
                raise
            except sqlite3.DatabaseError as error:
                says = "free some room on its disk; nothing is signed until then"
                raise JournalStuck(f"{self._path} cannot be used now ({error}): {says}") from error

    def _claim(self, name: str, value: str, path: Path) -> None:
        with self.transaction():
            self._db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, value))
            found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0]
        if found != value:
            self._db.close()
            raise Misconfigured(f"{path} belongs to {name} {found}, not {value}: give this node a --home of its own")
