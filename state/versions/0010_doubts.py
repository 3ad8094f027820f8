"""Records whose bases are from a state that was put back."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "doubts", sa.Column("record", BYTEWISE, nullable=False), sa.PrimaryKeyConstraint("record", name="pk_doubts")
    )


def downgrade() -> None:
    op.drop_table("doubts")
