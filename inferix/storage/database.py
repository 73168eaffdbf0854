# SPDX-License-Identifier: Apache-2.0
"""The database by URL: SQLite for one machine, PostgreSQL for several; its schema brought up to date from code.

``sqlite:///path`` or ``postgresql+psycopg://user@host/name``. A password belongs into the URL's secret file or into
PostgreSQL's own password file, never into a log: only ``Database.name`` is printed.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlmodel import Session

from inferix.errors import Misconfigured, Unavailable

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MS = 30_000
_BUSY_RETRY = 0.02
_MIGRATION_LOCK = 0x1FE71C  # any number, the same in every program
_CONNECT_SECONDS = 10
_START_WAIT = 2.0


class Database:
    """One database. Share it between threads; open a session a piece of work."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.name = self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction that may write: committed at the end, rolled back by an exception.

        Isolation is that of READ COMMITTED on both kinds of database: each statement sees what is committed, and only
        the first write waits for other writers. A change that rests on a value read before says so in its WHERE.
        """
        with Session(self.engine, expire_on_commit=False) as session:
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads: one state of the whole database, and nobody waits for it."""
        level = "REPEATABLE READ"
        options = {"inferix_reads": True} if self._sqlite else {"isolation_level": level, "postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection, Session(connection) as session:
            yield session

    @property
    def _sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def wait_ready(self, wait: Callable[[float], object] = time.sleep) -> None:
        """Waits until the server answers, saying what for. ``wait`` sleeps; True from it means stop (Unavailable)."""
        while True:
            try:
                with self.engine.connect() as connection:
                    connection.execute(text("SELECT 1"))
                return
            except OperationalError as error:
                log.warning("waiting for the database %s: %s", self.name, error.orig)
                if wait(_START_WAIT) is True:
                    raise Unavailable(f"the database {self.name} does not answer: start it") from error

    def migrate(self) -> None:
        """Brings the schema up to date; safe when several programs start at once, and again.

        Raises Misconfigured when the database was made by a newer version of the programs.
        """
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self.engine.begin() as connection:
            if self._sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                newest = ScriptDirectory.from_config(config).get_current_head()
                raise Misconfigured(
                    f"the database {self.name} has a schema that this version ({newest}) does not know: "
                    "update the programs, or name another database"
                ) from error

    def close(self) -> None:
        """Closes its connections."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        if kind == "sqlite":
            return _sqlite_engine(url)
        if kind == "postgresql":
            arguments = {"connect_timeout": _CONNECT_SECONDS, "application_name": "inferix"}
            return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20, connect_args=arguments)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise Misconfigured(f"the database's URL is malformed or needs a driver: {type(error).__name__}") from error
    raise Misconfigured(f"a database of kind {kind}: use sqlite:///path or postgresql+psycopg://user@host/name")


def _sqlite_engine(url: str) -> Engine:
    path = make_url(url).database
    if not path or path == ":memory:":
        raise Misconfigured("an SQLite database needs a file: sqlite:////var/lib/inferix/inferix.db")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        use_wal(connection)
        for setting in (f"busy_timeout={_BUSY_MS}", "foreign_keys=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("inferix_reads"):
            connection.exec_driver_sql("BEGIN")  # one state of the database until the end

    @event.listens_for(engine, "before_cursor_execute")
    def lock(connection: Connection, cursor: sqlite3.Cursor, statement: str, *rest: Any) -> None:
        # Taken only now: a transaction that begins with a read would fail at once here if another wrote in between,
        # and one that begins with the lock would keep every other writer waiting while it only reads.
        first = statement.split(maxsplit=1)[0].upper()
        if first not in ("SELECT", "PRAGMA", "BEGIN") and not cursor.connection.in_transaction:
            cursor.execute("BEGIN IMMEDIATE")

    return engine


def use_wal(connection: sqlite3.Connection) -> None:
    """Sets the journal mode: of several that first open a new file at once, SQLite turns some away without waiting."""
    until = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_BUSY_RETRY)
