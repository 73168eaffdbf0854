# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL as the programs use it: the same schema, the same journal, the same state as on SQLite."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel, select

from inferix.chain.journal import Entry, EntryState
from inferix.storage.database import Database
from inferix.storage.event_json import args_to_json
from inferix.storage.follower import Follower
from inferix.storage.journal import SqlJournal
from inferix.storage.tables import Block, Event, MirrorState, NodeSeen
from tests.replay.chain import DOMAIN, GENESIS, Chain


@pytest.fixture
def database(fresh_postgres_url: str) -> Iterator[Database]:
    found = Database(fresh_postgres_url)
    found.wait_ready()
    found.migrate()
    yield found
    found.close()


def test_migrate__several_at_once__the_schema_is_that_of_the_tables(fresh_postgres_url: str) -> None:
    errors: list[BaseException] = []

    def migrate() -> None:
        try:
            Database(fresh_postgres_url).migrate()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Database(fresh_postgres_url).engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_reading__one_state_and_no_writes(database: Database) -> None:
    with database.reading() as before:
        assert before.exec(select(NodeSeen)).all() == []
        with database.session() as session:
            session.add(NodeSeen(node=1, seen_at=5))
        assert before.exec(select(NodeSeen)).all() == []
        with pytest.raises(Exception, match="read-only"):
            before.connection().execute(text("DELETE FROM node_seen"))
    with database.reading() as after:
        assert [row.node for row in after.exec(select(NodeSeen))] == [1]


def test_journal__one_entry_an_action_and_a_nonce__whoever_is_first(database: Database) -> None:
    journal = SqlJournal(database)
    entry = Entry("a", "0xabc", 0, b"raw", (b"h" * 32,), EntryState.NEW, 1, 7, 100)
    assert journal.insert(entry)
    assert not journal.insert(replace(entry, nonce=1)), "the action is taken"
    assert not journal.insert(replace(entry, key="b")), "the nonce is taken"
    assert journal.insert(replace(entry, key="b", nonce=1))
    sent = replace(entry, state=EntryState.SENT)
    assert journal.swap(entry, sent)
    assert not journal.swap(entry, replace(entry, error="late")), "it moved on meanwhile"
    assert not journal.swap(sent, replace(sent, nonce=1)), "the nonce is taken"
    assert [found.key for found in journal.live("0xabc")] == ["a", "b"]
    assert journal.nonces("0xabc", 1) == {1}
    assert (journal.spent_gwei("0xabc", 100), journal.spent_gwei("0xabc", 101)) == (14, 0)
    assert journal.get("a") == sent


def test_follower__the_state_of_the_events__and_anew_after_a_rollback(database: Database) -> None:
    chain = Chain()
    chain.start()
    job = chain.order()
    last = chain.events[-1]
    with database.session() as session:
        session.add(MirrorState(chain_id=1, contract="0x"))
        for event in chain.events:
            row = Event(
                block=event.block, log_index=event.log_index, timestamp=event.timestamp, contract=event.contract,
                name=event.name, args=args_to_json(event.args), transaction=event.transaction,
            )  # fmt: skip
            session.add(row)
        session.add(Block(number=last.block, hash=b"h", parent=b"p", timestamp=last.timestamp))
    follower = Follower(database, DOMAIN, GENESIS)
    with follower.reading() as network:
        assert job in network.jobs
        assert network.nodes == chain.network.nodes
        assert network.accounts == chain.network.accounts
    with database.session() as session:
        state = session.get(MirrorState, 1)
        assert state is not None
        state.rollbacks = 1
        session.add(state)
        session.delete(session.exec(select(Event).where(Event.name == "OrdersPosted")).one())
    assert job not in follower.poll().jobs
