"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("record", BYTEWISE, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("side", sa.Text()),
        sa.Column("code", sa.Text()),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("changes", sa.LargeBinary()),
        sa.Column("request_id", sa.Text()),
        sa.PrimaryKeyConstraint("number", name="pk_activity"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_activity_record", "activity", ["record", "number"])
    op.create_table(
        "changes",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "id", name="pk_changes"),
    )
    op.create_index("ix_changes_due", "changes", ["kind", "priority", "due_at"])
    op.create_table(
        "connections",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("account_name", sa.Text()),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("since", TIME),
        sa.Column("retry_at", TIME),
        sa.Column("last_success", TIME),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_connections"),
    )
    op.create_table(
        "counts",
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sync", "flow", "status", "code", name="pk_counts"),
    )
    op.create_table(
        "cursors",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("connection", "name", name="pk_cursors"),
    )
    op.create_table(
        "entities",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", BYTEWISE, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("presence", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "id", name="pk_entities"),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "records",
        sa.Column("id", BYTEWISE, nullable=False),
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("left_id", sa.Text()),
        sa.Column("right_id", sa.Text()),
        sa.Column("origin", sa.Text()),
        sa.Column("match_key", BYTEWISE),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("left_base", sa.Text()),
        sa.Column("right_base", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text()),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("waits_for", sa.Text()),
        sa.Column("since", TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", TIME),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("rules_digest", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_records"),
        sa.UniqueConstraint("sync", "flow", "left_id", name="uq_records_sync_flow_left_id"),
        sa.UniqueConstraint("sync", "flow", "right_id", name="uq_records_sync_flow_right_id"),
    )
    op.create_index("ix_records_listing", "records", ["sync", "flow", "status", "code", "since", "id"])
    op.create_index("ix_records_match_key", "records", ["sync", "flow", "match_key"])
    op.create_index(
        "ix_records_next",
        "records",
        ["next_at"],
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index(
        "ix_records_noted",
        "records",
        ["sync", "flow", "notes"],
        sqlite_where=sa.text("notes IS NOT NULL"),
        postgresql_where=sa.text("notes IS NOT NULL"),
    )
    op.create_index("ix_records_rules", "records", ["sync", "flow", "rules_digest"])
    op.create_index(
        "ix_records_waiting",
        "records",
        ["waits_for"],
        sqlite_where=sa.text("waits_for IS NOT NULL"),
        postgresql_where=sa.text("waits_for IS NOT NULL"),
    )
    op.create_table(
        "sends",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("replayable", sa.Boolean(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sends"),
    )
    op.create_index("ix_sends_sent", "sends", ["sent_at"])
    op.create_table(
        "versions",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", BYTEWISE, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.Text()),
        sa.PrimaryKeyConstraint("number", name="pk_versions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_versions_entity", "versions", ["connection", "kind", "id", "number"])
    op.create_index(
        "ix_versions_with_body",
        "versions",
        ["at"],
        sqlite_where=sa.text("body IS NOT NULL"),
        postgresql_where=sa.text("body IS NOT NULL"),
    )
    op.create_table(
        "entity_keys",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", BYTEWISE, nullable=False),
        sa.Column("id", BYTEWISE, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection", "kind", "id"],
            ["entities.connection", "entities.kind", "entities.id"],
            name="fk_entity_keys_connection",
        ),
        sa.PrimaryKeyConstraint("connection", "kind", "field", "value", "id", name="pk_entity_keys"),
    )
    op.create_index("ix_entity_keys_entity", "entity_keys", ["connection", "kind", "id"])
    op.create_table(
        "intents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("record", BYTEWISE, nullable=False),
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text()),
        sa.Column("natural_key", BYTEWISE),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("mirror", sa.Boolean(), nullable=False),
        sa.Column("if_version", sa.Text()),
        sa.Column("expected", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("carry", sa.Text()),
        sa.Column("send", sa.Text()),
        sa.Column("item", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.Column("not_before", TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record"], ["records.id"], name="fk_intents_record", initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name="pk_intents"),
    )
    op.create_index("ix_intents_queue", "intents", ["connection", "state", "created_at"])
    op.create_index("ix_intents_record", "intents", ["record"])
    op.create_index("ix_intents_send", "intents", ["send"])
    op.create_index(
        "uq_intents_create",
        "intents",
        ["connection", "kind", "natural_key"],
        unique=True,
        sqlite_where=sa.text("op = 'create'"),
        postgresql_where=sa.text("op = 'create'"),
    )
    op.create_table(
        "keys",
        sa.Column("key", BYTEWISE, nullable=False),
        sa.Column("record", BYTEWISE, nullable=False),
        sa.ForeignKeyConstraint(["record"], ["records.id"], name="fk_keys_record"),
        sa.PrimaryKeyConstraint("key", "record", name="pk_keys"),
    )
    op.create_index("ix_keys_record", "keys", ["record"])


def downgrade() -> None:
    for table in (
        "keys",
        "intents",
        "entity_keys",
        "versions",
        "sends",
        "records",
        "meta",
        "entities",
        "cursors",
        "counts",
        "connections",
        "changes",
        "activity",
    ):
        op.drop_table(table)
