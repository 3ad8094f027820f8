"""Stored moments after the machine's clock was set: what is still to come keeps its distance from now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, select, update

from syncd.model.record import IntentState
from syncd.store import schema
from syncd.store.base import TxPart


class TimesPart(TxPart):
    """Moves what waits along with the clock."""

    def shift(self, step: timedelta, now: datetime) -> None:
        """The clock was set forward by `step` (backward if negative); `now` is what it says since.

        What is due later would come late after a step backward, so it moves too; after a step forward it comes early,
        which does no harm. How long ago an unanswered request left is a bound that must hold either way.
        """
        if step < timedelta():
            for table, column in (("changes", "due_at"), ("records", "next_at"), ("intents", "not_before")):
                self._move(schema.metadata.tables[table], column, step, after=now)
        else:
            self._move(schema.intents, "not_before", step, after=None)
        self._move(schema.intents, "sent_at", step, after=None)
        self._move(schema.sends, "sent_at", step, after=None)

    def _move(self, table: Table, column: str, step: timedelta, *, after: datetime | None) -> None:
        """Of intents and sends only those whose outcome is not known."""
        keys, moved = list(table.primary_key.columns), table.c[column]
        query = select(*keys, moved.label("moment")).where(moved.is_not(None))
        if after is not None:
            query = query.where(moved > after)
        elif table is schema.intents:
            query = query.where(table.c.state != IntentState.OPEN.value)
        else:
            out = select(schema.intents.c.send).where(schema.intents.c.state != IntentState.OPEN.value)
            query = query.where(table.c.id.in_(out))
        rows: list[dict[str, Any]] = [
            {**{f"key_{key.name}": row[number] for number, key in enumerate(keys)}, "moment": row.moment + step}
            for row in self._connection.execute(query)
        ]
        if rows:
            wanted = [key == bindparam(f"key_{key.name}") for key in keys]
            self._connection.execute(update(table).where(*wanted).values({column: bindparam("moment")}), rows)
