# SPDX-License-Identifier: Apache-2.0
"""Indexes for what is asked every second: transactions under way and lately paid for, nonces that expire."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.drop_index(op.f("ix_transaction__state"), table_name="transaction_")
    op.drop_index(op.f("ix_transaction__lane"), table_name="transaction_")
    op.create_index("ix_transaction__lane_state", "transaction_", ["lane", "state"], unique=False)
    op.create_index("ix_transaction__lane_updated", "transaction_", ["lane", "updated_at_wall"], unique=False)
    op.create_index(op.f("ix_siwe_nonce_expires_wall"), "siwe_nonce", ["expires_wall"], unique=False)


def downgrade() -> None:
    """To the version before."""
    op.drop_index(op.f("ix_siwe_nonce_expires_wall"), table_name="siwe_nonce")
    op.drop_index("ix_transaction__lane_updated", table_name="transaction_")
    op.drop_index("ix_transaction__lane_state", table_name="transaction_")
    op.create_index(op.f("ix_transaction__lane"), "transaction_", ["lane"], unique=False)
    op.create_index(op.f("ix_transaction__state"), "transaction_", ["state"], unique=False)
