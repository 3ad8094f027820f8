"""The tables. What every column means and who writes it: `state/README.md`.

A change here needs a new revision in `state/versions/` and the new `HEAD`; a test holds that the sum of the revisions
is exactly this.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from syncd.store.columns import BytewiseText, JsonText, KeyText, PeopleText, RowNumber, UtcDateTime

HEAD = "0010"
"""The revision this release works with; known here so that a start at head need not load Alembic."""

IS_CREATE = text("op = 'create'")
"""Which intents the unique index on creates is about; also named by the insert that meets it."""

IS_OPEN = text("state = 'open'")
"""Which actions the index for turns is about."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

connections = Table(
    "connections",
    metadata,
    Column("name", Text, primary_key=True),
    Column("vendor", Text, nullable=False),
    Column("account_id", Text),
    Column("account_name", PeopleText),
    Column("condition", Text, nullable=False),
    Column("words", PeopleText, nullable=False),
    Column("since", UtcDateTime),
    Column("retry_at", UtcDateTime),
    Column("last_success", UtcDateTime),
    Column("settings", JsonText, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("cause", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("generation", Integer, nullable=False),
    Index("ix_changes_due", "kind", "priority", "due_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("event", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("event"),
    sqlite_autoincrement=True,
)

entities = Table(
    "entities",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", BytewiseText, primary_key=True),
    Column("version", Text, nullable=False),
    Column("presence", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("body", JsonText, nullable=False),
)

entity_keys = Table(
    "entity_keys",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("value", KeyText, primary_key=True),
    Column("id", BytewiseText, primary_key=True),
    ForeignKeyConstraint(["connection", "kind", "id"], ["entities.connection", "entities.kind", "entities.id"]),
    Index("ix_entity_keys_entity", "connection", "kind", "id"),
)

versions = Table(
    "versions",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("connection", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", BytewiseText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("cause", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", JsonText),
    Index("ix_versions_entity", "connection", "kind", "id", "number"),
    sqlite_autoincrement=True,
)
Index(
    "ix_versions_with_body",
    versions.c.at,
    sqlite_where=versions.c.body.is_not(None),
    postgresql_where=versions.c.body.is_not(None),
)

records = Table(
    "records",
    metadata,
    Column("id", BytewiseText, primary_key=True),
    Column("sync", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("left_id", Text),
    Column("right_id", Text),
    Column("origin", Text),
    Column("match_key", KeyText),
    Column("label", PeopleText, nullable=False),
    Column("left_base", JsonText),
    Column("right_base", JsonText),
    Column("status", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("notes", JsonText),
    Column("words", PeopleText, nullable=False),
    Column("waits_for", Text),
    Column("since", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime),
    Column("wanted", Boolean, nullable=False),
    Column("rules_digest", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    UniqueConstraint("sync", "flow", "left_id"),
    UniqueConstraint("sync", "flow", "right_id"),
    Index("ix_records_match_key", "sync", "flow", "match_key"),
    Index("ix_records_listing", "sync", "flow", "status", "code", "since", "id"),
    Index("ix_records_rules", "sync", "flow", "rules_digest"),
)
Index(
    "ix_records_next",
    records.c.next_at,
    sqlite_where=records.c.next_at.is_not(None),
    postgresql_where=records.c.next_at.is_not(None),
)
Index(
    "ix_records_waiting",
    records.c.waits_for,
    sqlite_where=records.c.waits_for.is_not(None),
    postgresql_where=records.c.waits_for.is_not(None),
)
Index(
    "ix_records_noted",
    records.c.sync,
    records.c.flow,
    records.c.notes,
    sqlite_where=records.c.notes.is_not(None),
    postgresql_where=records.c.notes.is_not(None),
)

keys = Table(
    "keys",
    metadata,
    Column("key", KeyText, primary_key=True),
    Column("record", BytewiseText, ForeignKey("records.id"), primary_key=True),
    Index("ix_keys_record", "record"),
)

counts = Table(
    "counts",
    metadata,
    Column("sync", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("n", Integer, nullable=False),
)

counts_hourly = Table(
    "counts_hourly",
    metadata,
    Column("hour", UtcDateTime, primary_key=True),
    Column("sync", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("n", Integer, nullable=False),
)

intents = Table(
    "intents",
    metadata,
    Column("id", Text, primary_key=True),
    # Deferred: within one transaction the record may be stored after its intent.
    Column("record", BytewiseText, ForeignKey("records.id", deferrable=True, initially="DEFERRED"), nullable=False),
    Column("sync", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("op", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("entity", Text),
    Column("natural_key", KeyText),
    Column("body", JsonText, nullable=False),
    Column("mirror", Boolean, nullable=False),
    Column("if_version", Text),
    Column("expected", Text),
    Column("state", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("carry", Text),
    Column("send", Text),
    Column("item", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("not_before", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("priority", Integer, nullable=False, server_default=text("3")),
    Index("ix_intents_record", "record"),
    Index("ix_intents_queue", "connection", "state", "sync", "priority", "created_at"),
    Index("ix_intents_send", "send"),
)
Index(
    "uq_intents_create",
    intents.c.connection,
    intents.c.kind,
    intents.c.natural_key,
    unique=True,
    sqlite_where=IS_CREATE,
    postgresql_where=IS_CREATE,
)

sends = Table(
    "sends",
    metadata,
    Column("id", Text, primary_key=True),
    Column("connection", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("replayable", Boolean, nullable=False),
    Column("items", JsonText, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Index("ix_sends_sent", "sent_at"),
)

activity = Table(
    "activity",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("record", BytewiseText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("event", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("side", Text),
    Column("code", Text),
    Column("words", PeopleText, nullable=False),
    Column("changes", LargeBinary),
    Column("request_id", Text),
    Index("ix_activity_record", "record", "number"),
    sqlite_autoincrement=True,
)

shown = Table(
    "shown",
    metadata,
    Column("record", BytewiseText, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("digest", Text, nullable=False),
)

doubts = Table("doubts", metadata, Column("record", BytewiseText, primary_key=True))

actions = Table(
    "actions",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("id", Text, nullable=False),
    Column("record", BytewiseText, nullable=False),
    Column("name", Text, nullable=False),
    Column("by", PeopleText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("arguments", JsonText, nullable=False),
    Column("key", PeopleText),
    Column("state", Text, nullable=False),
    Column("outcome", PeopleText, nullable=False),
    Column("ended_at", UtcDateTime),
    UniqueConstraint("id"),
    UniqueConstraint("by", "key", "record"),
    Index("ix_actions_open", "record", "number", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    sqlite_autoincrement=True,
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", PeopleText, primary_key=True),
    Column("role", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    UniqueConstraint("digest"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("sync", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("op", Text, primary_key=True),
    Column("command", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

backfills = Table(
    "backfills",
    metadata,
    Column("sync", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("phase", Text, nullable=False),
    Column("cursor", Text),
    Column("looked", Integer, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("let_in", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("decided_from", UtcDateTime),
    Column("ended_at", UtcDateTime),
)

tallies = Table(
    "tallies",
    metadata,
    Column("sync", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("at", UtcDateTime, primary_key=True),
    Column("removals", Integer, nullable=False),
    Column("creates", Integer, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("ruled", Integer, nullable=False),
    Column("documents", Integer, nullable=False),
    Column("money", Text, nullable=False),
)

breakers = Table(
    "breakers",
    metadata,
    Column("sync", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("breaker", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("figures", JsonText, nullable=False),
    Column("released_until", UtcDateTime),
)
