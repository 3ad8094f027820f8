"""Changes: hints to look at an entity soon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, delete, func, or_, select, update

from syncd.model.record import Change, IntentState, Priority
from syncd.model.references import EntityRef, Kind
from syncd.store import schema
from syncd.store.base import Row, TxPart, same, unindexed

_KEY = ("connection", "kind", "id", "generation")


class ChangesPart(TxPart):
    """Table `changes`."""

    def put_changes(self, changes: Sequence[Change]) -> None:
        """Add hints. One that is there already counts up and keeps the most urgent priority and the earliest time."""
        table, new = schema.changes, self._insert(schema.changes).excluded
        self._upsert(
            table,
            [{**_key(change), "cause": change.cause, "priority": change.priority.value, "due_at": change.due_at}
             for change in changes],
            {
                "generation": table.c.generation + 1,
                "priority": case((new.priority < table.c.priority, new.priority), else_=table.c.priority),
                "due_at": case((new.due_at < table.c.due_at, new.due_at), else_=table.c.due_at),
            },
        )  # fmt: skip

    def due_changes(self, connections: Sequence[str], now: datetime, limit: int) -> list[Change]:
        """What is due, the most urgent and oldest first."""
        table = schema.changes
        query = (
            select(table)
            .where(unindexed(table.c.connection).in_(connections), table.c.due_at <= now)
            .order_by(table.c.priority, table.c.due_at)
            .limit(limit)
        )
        return [
            Change(
                ref=EntityRef(row.connection, Kind(row.kind), row.id),
                cause=row.cause,
                priority=Priority(row.priority),
                due_at=row.due_at,
                generation=row.generation,
            )
            for row in self._connection.execute(query)
        ]

    def finish_changes(self, changes: Sequence[Change]) -> None:
        """Remove hints that were followed, unless a newer hint has arrived since they were claimed."""
        self._each(delete(schema.changes).where(*same(schema.changes, _KEY)), map(_claim, changes))

    def postpone_changes(self, changes: Sequence[Change], due_at: datetime) -> None:
        """Look again later, unless a newer hint has arrived since they were claimed."""
        statement = update(schema.changes).where(*same(schema.changes, _KEY)).values(due_at=due_at)
        self._each(statement, map(_claim, changes))

    def next_due(self, connections: Sequence[str]) -> datetime | None:
        """When something has to be done next; may lie in the past.

        Counts changes and intents of these connections, and records of all syncs. An intent that is out counts only
        with a time of its own.
        """
        changes, intents, records = schema.changes, schema.intents, schema.records
        queries = [select(func.min(records.c.next_at)).where(records.c.next_at.is_not(None))]
        for priority in Priority:  # one step into the index each; a minimum over all of them would read the table
            queries.append(
                select(changes.c.due_at)
                .where(changes.c.priority == priority.value, unindexed(changes.c.connection).in_(connections))
                .order_by(changes.c.due_at)
                .limit(1)
            )
        queries.append(
            select(func.min(func.coalesce(intents.c.not_before, intents.c.created_at)))
            .where(intents.c.connection.in_(connections))
            .where(or_(intents.c.state == IntentState.OPEN.value, intents.c.not_before.is_not(None)))
        )
        times = [self._connection.scalar(query) for query in queries]
        return min((time for time in times if time is not None), default=None)


def _key(change: Change) -> Row:
    ref = change.ref
    return {"connection": ref.connection, "kind": ref.kind.value, "id": ref.id, "generation": change.generation}


def _claim(change: Change) -> Row:
    return {f"key_{name}": value for name, value in _key(change).items()}
