"""What was last shown of a record inside the applications."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "shown",
        sa.Column("record", BYTEWISE, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record", "side", name="pk_shown"),
    )


def downgrade() -> None:
    op.drop_table("shown")
