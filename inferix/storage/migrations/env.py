# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: upgrades through the connection that ``Database.migrate`` hands over."""

from alembic import context
from sqlmodel import SQLModel

from inferix.storage import tables as _tables  # noqa: F401 - fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
