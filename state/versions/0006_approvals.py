"""What an applied plan allows, and that syncs which have run already need nobody's approval."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("sync", "place", "op", "command", name="pk_approvals"),
    )
    op.execute(
        "INSERT INTO meta (key, value) SELECT DISTINCT 'approved:' || sync || ':', '1' FROM records WHERE true "
        "ON CONFLICT (key) DO NOTHING"
    )


def downgrade() -> None:
    op.drop_table("approvals")
