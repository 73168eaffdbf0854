# SPDX-License-Identifier: Apache-2.0
"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "block",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "challenge",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("node", sa.Integer(), nullable=False),
        sa.Column("scene", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sent_at_wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("answered_at_wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("ib", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_challenge_node"), "challenge", ["node"], unique=False)
    op.create_index(op.f("ix_challenge_state"), "challenge", ["state"], unique=False)
    op.create_table(
        "document",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("transaction", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("block", "log_index"),
    )
    op.create_index(op.f("ix_event_block"), "event", ["block"], unique=False)
    op.create_index(op.f("ix_event_contract"), "event", ["contract"], unique=False)
    op.create_index(op.f("ix_event_name"), "event", ["name"], unique=False)
    op.create_table(
        "message",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("node", sa.Integer(), nullable=False),
        sa.Column("task", sa.LargeBinary(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=True),
        sa.Column("anchored_in", sa.Integer(), nullable=True),
        sa.Column("refused", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index(op.f("ix_message_anchored_in"), "message", ["anchored_in"], unique=False)
    op.create_index(op.f("ix_message_kind"), "message", ["kind"], unique=False)
    op.create_index(op.f("ix_message_node"), "message", ["node"], unique=False)
    op.create_index(op.f("ix_message_task"), "message", ["task"], unique=False)
    op.create_table(
        "mirror",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("rollbacks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "node_seen",
        sa.Column("node", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("node"),
    )
    op.create_table(
        "progress",
        sa.Column("task", sa.LargeBinary(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("node", sa.Integer(), nullable=False),
        sa.Column("permille", sa.Integer(), nullable=False),
        sa.Column("preview", sa.String(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("task", "attempt", "frame"),
    )
    op.create_table(
        "quote",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("work", sa.BigInteger(), nullable=False),
        sa.Column("low_price", sa.BigInteger(), nullable=False),
        sa.Column("high_price", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_quote_owner"), "quote", ["owner"], unique=False)
    op.create_index(op.f("ix_quote_state"), "quote", ["state"], unique=False)
    op.create_table(
        "sealed_key",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("node", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "node"),
    )
    op.create_table(
        "session",
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("expires_wall", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_index(op.f("ix_session_address"), "session", ["address"], unique=False)
    op.create_table(
        "signed_order",
        sa.Column("job", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("transaction", sa.LargeBinary(), nullable=True),
        sa.Column("refused", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index(op.f("ix_signed_order_account"), "signed_order", ["account"], unique=False)
    op.create_table(
        "siwe_nonce",
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("expires_wall", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("nonce"),
    )
    op.create_table(
        "transaction_",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("nonce", sa.Integer(), nullable=True),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("gas_used", sa.BigInteger(), nullable=False),
        sa.Column("cost_gwei", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("updated_at_wall", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("lane", "nonce"),
    )
    op.create_index(op.f("ix_transaction__lane"), "transaction_", ["lane"], unique=False)
    op.create_index(op.f("ix_transaction__state"), "transaction_", ["state"], unique=False)
    op.create_table(
        "wanted_cancel",
        sa.Column("job", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("transaction", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("job"),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("wanted_cancel")
    op.drop_index(op.f("ix_transaction__state"), table_name="transaction_")
    op.drop_index(op.f("ix_transaction__lane"), table_name="transaction_")
    op.drop_table("transaction_")
    op.drop_table("siwe_nonce")
    op.drop_index(op.f("ix_signed_order_account"), table_name="signed_order")
    op.drop_table("signed_order")
    op.drop_index(op.f("ix_session_address"), table_name="session")
    op.drop_table("session")
    op.drop_table("sealed_key")
    op.drop_index(op.f("ix_quote_state"), table_name="quote")
    op.drop_index(op.f("ix_quote_owner"), table_name="quote")
    op.drop_table("quote")
    op.drop_table("progress")
    op.drop_table("node_seen")
    op.drop_table("mirror")
    op.drop_index(op.f("ix_message_task"), table_name="message")
    op.drop_index(op.f("ix_message_node"), table_name="message")
    op.drop_index(op.f("ix_message_kind"), table_name="message")
    op.drop_index(op.f("ix_message_anchored_in"), table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_event_name"), table_name="event")
    op.drop_index(op.f("ix_event_contract"), table_name="event")
    op.drop_index(op.f("ix_event_block"), table_name="event")
    op.drop_table("event")
    op.drop_table("document")
    op.drop_index(op.f("ix_challenge_state"), table_name="challenge")
    op.drop_index(op.f("ix_challenge_node"), table_name="challenge")
    op.drop_table("challenge")
    op.drop_table("block")
