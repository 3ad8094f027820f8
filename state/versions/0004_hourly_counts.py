"""How many records stood where, hour by hour."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "counts_hourly",
        sa.Column("hour", TIME, nullable=False),
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "sync", "flow", "status", name="pk_counts_hourly"),
    )


def downgrade() -> None:
    op.drop_table("counts_hourly")
