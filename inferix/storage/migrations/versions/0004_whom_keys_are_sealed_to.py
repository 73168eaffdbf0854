# SPDX-License-Identifier: Apache-2.0
"""Whom a key is sealed to: a node that has another sealing key by now gets it anew."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.add_column("sealed_key", sa.Column("recipient", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """To the version before."""
    with op.batch_alter_table("sealed_key") as table:
        table.drop_column("recipient")
