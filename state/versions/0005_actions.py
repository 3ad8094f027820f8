"""What people ask of records, and the access tokens of those who may."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("record", BYTEWISE, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ended_at", TIME),
        sa.PrimaryKeyConstraint("number", name="pk_actions"),
        sa.UniqueConstraint("id", name="uq_actions_id"),
        sa.UniqueConstraint("by", "key", "record", name="uq_actions_by_key_record"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_actions_open", "actions", ["record", "number"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("name", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )


def downgrade() -> None:
    op.drop_table("tokens")
    op.drop_table("actions")
