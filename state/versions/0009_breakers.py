"""What circuit breakers count and hold."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("removals", sa.Integer(), nullable=False),
        sa.Column("creates", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("ruled", sa.Integer(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("money", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sync", "flow", "at", name="pk_tallies"),
    )
    op.create_table(
        "breakers",
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("breaker", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("released_until", TIME),
        sa.PrimaryKeyConstraint("sync", "flow", "breaker", name="pk_breakers"),
    )


def downgrade() -> None:
    op.drop_table("breakers")
    op.drop_table("tallies")
