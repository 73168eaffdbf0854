# SPDX-License-Identifier: Apache-2.0
"""One schema on SQLite and PostgreSQL, brought up to date from code; writers that wait for each other."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text, update
from sqlmodel import SQLModel, select

from inferix.errors import Misconfigured
from inferix.storage.database import Database, use_wal
from inferix.storage.tables import Block, NodeSeen


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path}/a.db")
    found.migrate()
    yield found
    found.close()


def test_migrate__twice__the_schema_is_that_of_the_tables(database: Database) -> None:
    database.migrate()
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_migrate__from_several_threads_at_once__one_does_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/b.db"
    errors: list[BaseException] = []

    def migrate() -> None:
        try:
            Database(url).migrate()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


class TurnedAway(sqlite3.Connection):
    """Says busy as SQLite does, without waiting, to some of those that first open a new file at once."""

    refusals = 3
    code = sqlite3.SQLITE_BUSY

    def execute(self, sql: str, *rest: object) -> sqlite3.Cursor:
        if "journal_mode" in sql and self.refusals:
            self.refusals -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self.code
            raise error
        return super().execute(sql, *rest)


def test_connect__turned_away_while_others_open_the_new_file__tries_again(tmp_path: Path) -> None:
    """Of four programs that started together on a new database, one ended with "database is locked"."""
    connection = sqlite3.connect(tmp_path / "c.db", factory=TurnedAway)
    use_wal(connection)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_connect__another_error__is_raised_at_once(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "d.db", factory=TurnedAway)
    connection.code = sqlite3.SQLITE_READONLY
    with pytest.raises(sqlite3.OperationalError):
        use_wal(connection)
    assert connection.refusals == 2


def test_migrate__a_schema_from_the_future__says_to_update(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="update the programs"):
        database.migrate()


@pytest.mark.parametrize("url", ["mysql://a/b", "sqlite://", "sqlite:///:memory:", "no url at all"])
def test_url__not_one_of_ours__misconfigured(url: str) -> None:
    with pytest.raises(Misconfigured):
        Database(url)


def test_name__hides_the_password() -> None:
    assert "secret" not in Database("postgresql+psycopg://u:secret@localhost/x").name


def test_session__an_exception__leaves_nothing(database: Database) -> None:
    def fail_after_writing() -> None:
        with database.session() as session:
            session.add(NodeSeen(node=1, seen_at=5))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_writing()
    with database.reading() as session:
        assert session.exec(select(NodeSeen)).all() == []
    with database.session() as session:
        session.add(NodeSeen(node=1, seen_at=5))
    with database.reading() as session:
        assert [row.node for row in session.exec(select(NodeSeen))] == [1]


def test_reading__while_another_writes__sees_one_state(database: Database) -> None:
    with database.reading() as before:
        assert before.exec(select(Block)).all() == []
        with database.session() as session:
            session.add(Block(number=1, hash=b"a", parent=b"b", timestamp=1))
        assert before.exec(select(Block)).all() == []


def test_session__that_only_reads__keeps_no_writer_waiting(database: Database) -> None:
    with database.session() as idle:
        idle.exec(select(NodeSeen)).all()
        started = time.monotonic()
        with database.session() as session:
            session.add(NodeSeen(node=1, seen_at=5))
        assert time.monotonic() - started < 5
        assert [row.node for row in idle.exec(select(NodeSeen))] == [1]


def test_session__writers_that_read_first__all_get_through(database: Database) -> None:
    """A deferred transaction would fail at once: its snapshot is old when it wants to write."""
    errors: list[BaseException] = []
    with database.session() as session:
        session.add(NodeSeen(node=7, seen_at=0))

    def count_up() -> None:
        try:
            for _ in range(20):
                with database.session() as session:
                    session.exec(select(NodeSeen)).all()
                    session.connection().execute(update(NodeSeen).values(seen_at=NodeSeen.seen_at + 1))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=count_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.reading() as session:
        row = session.get(NodeSeen, 7)
        assert row is not None
        assert row.seen_at == 60
