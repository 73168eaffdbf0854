# SPDX-License-Identifier: Apache-2.0
"""The sender's journal in the database: ``inferix.chain.journal.Journal`` over the table ``Transaction``."""

from typing import Any

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from inferix.chain.journal import Entry, EntryState
from inferix.storage.database import Database
from inferix.storage.tables import Transaction

_HASH = 32
_LIVE = (EntryState.NEW.value, EntryState.SENT.value)


class SqlJournal:
    """Entries as rows; what may be done once is held by the table's unique keys, so processes need no other lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> Entry | None:
        """The entry of an action."""
        with self._database.reading() as session:
            row = session.get(Transaction, key)
            return _entry(row) if row else None

    def live(self, account: str) -> list[Entry]:
        """Entries of an account that are new or sent, by nonce; first those without one."""
        wanted = select(Transaction).where(Transaction.lane == account, col(Transaction.state).in_(_LIVE))
        with self._database.reading() as session:
            found = [_entry(row) for row in session.exec(wanted)]
        # Sorted here: asked to, SQLite walks all nonces that there ever were.
        return sorted(found, key=lambda entry: -1 if entry.nonce is None else entry.nonce)

    def insert(self, entry: Entry) -> bool:
        """Keeps a new entry; False when its key or (account, nonce) is taken."""
        try:
            with self._database.session() as session:
                session.add(Transaction(key=entry.key, lane=entry.account, **_values(entry)))
        except IntegrityError:
            return False
        return True

    def swap(self, old: Entry, new: Entry) -> bool:
        """Replaces an entry; False when it is no longer ``old`` or the new (account, nonce) is taken."""
        change = update(Transaction).where(*_is(old)).values(lane=new.account, **_values(new))
        try:
            with self._database.session() as session:
                return session.connection().execute(change).rowcount == 1
        except IntegrityError:
            return False

    def nonces(self, account: str, start: int) -> set[int]:
        """The nonces from ``start`` on that entries hold."""
        wanted = select(Transaction.nonce).where(Transaction.lane == account, col(Transaction.nonce) >= start)
        with self._database.reading() as session:
            return {nonce for nonce in session.exec(wanted) if nonce is not None}

    def spent_gwei(self, account: str, since: int) -> int:
        """Sum of the costs of entries updated at or after a wall-clock second."""
        wanted = select(func.sum(Transaction.cost_gwei)).where(
            Transaction.lane == account, Transaction.updated_at_wall >= since
        )
        with self._database.reading() as session:
            return int(session.exec(wanted).one() or 0)


def _is(entry: Entry) -> list[ColumnElement[bool]]:
    return [
        col(Transaction.key) == entry.key,
        col(Transaction.state) == entry.state.value,
        col(Transaction.hashes) == b"".join(entry.hashes),
        col(Transaction.attempts) == entry.attempts,
    ]


def _values(entry: Entry) -> dict[str, Any]:
    return {
        "nonce": entry.nonce,
        "raw": entry.raw,
        "hashes": b"".join(entry.hashes),
        "state": entry.state.value,
        "attempts": entry.attempts,
        "gas_used": entry.gas_used,
        "cost_gwei": entry.cost_gwei,
        "block": entry.block,
        "error": entry.error[:300],
        "updated_at_wall": entry.updated_at,
    }


def _entry(row: Transaction) -> Entry:
    return Entry(
        key=row.key,
        account=row.lane,
        nonce=row.nonce,
        raw=row.raw or b"",
        hashes=tuple(row.hashes[at : at + _HASH] for at in range(0, len(row.hashes), _HASH)),
        state=EntryState(row.state),
        attempts=row.attempts,
        cost_gwei=row.cost_gwei,
        updated_at=row.updated_at_wall,
        block=row.block,
        gas_used=row.gas_used,
        error=row.error,
    )
