"""How far the backfills of history have come."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "backfills",
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text()),
        sa.Column("looked", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("let_in", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("decided_from", TIME),
        sa.Column("ended_at", TIME),
        sa.PrimaryKeyConstraint("sync", "flow", name="pk_backfills"),
    )


def downgrade() -> None:
    op.drop_table("backfills")
