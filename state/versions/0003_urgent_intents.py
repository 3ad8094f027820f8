"""How urgent a write is, so that a person's goes before a backlog."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("intents", sa.Column("priority", sa.Integer(), nullable=False, server_default=sa.text("3")))
    op.drop_index("ix_intents_queue", "intents")
    op.create_index("ix_intents_queue", "intents", ["connection", "state", "sync", "priority", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_intents_queue", "intents")
    op.create_index("ix_intents_queue", "intents", ["connection", "state", "created_at"])
    op.drop_column("intents", "priority")
