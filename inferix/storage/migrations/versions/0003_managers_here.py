# SPDX-License-Identifier: Apache-2.0
"""Which managers' keepers work on the database."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "manager_here",
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("node", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("operator"),
    )


def downgrade() -> None:
    """To the version before."""
    op.drop_table("manager_here")
