"""Activity, and the pruning of everything that is only history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row as SqlRow
from sqlalchemy import delete, func, select, update

from syncd.model.record import Activity
from syncd.model.references import Side
from syncd.store import schema
from syncd.store.base import TxPart
from syncd.store.codec import Reading, changes_from_plain, changes_to_plain
from syncd.store.many import Row, added
from syncd.store.rows import Retention

_table = schema.activity
_ADD = added(_table)
_BATCH = 2000  # rows a pruning transaction touches at most of each table: some ten milliseconds

_MOST = 1000  # entries that are looked at to say which records moved


class ActivityPart(TxPart):
    """Table `activity`; old rows of `activity` and `versions`."""

    def add_activity(self, activity: Sequence[Activity]) -> None:
        """Append, in this order. Field values go under the seal."""
        _ADD.run(self._connection, [self._row_of(entry) for entry in activity])

    def activity(self, record_id: str, limit: int = 100, before: int | None = None) -> list[tuple[int, Activity]]:
        """A record's account, newest first, with the number of each entry: the `before` of the following page."""
        query = select(_table).where(_table.c.record == record_id).order_by(_table.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(_table.c.number < before)
        return [(row.number, self._activity_of(row)) for row in self._connection.execute(query)]

    def moved_since(self, number: int | None) -> tuple[int, list[str]]:
        """The records that something happened to after the entry of this number, and the number of the last entry.

        Without a number nothing has happened yet. At most `_MOST` records: whoever looks that rarely looks at all.
        """
        last = self._connection.scalar(select(func.max(_table.c.number))) or 0
        if number is None:
            return last, []
        recent = select(_table.c.record).where(_table.c.number > number).order_by(_table.c.number.desc()).limit(_MOST)
        return last, list(dict.fromkeys(self._connection.scalars(recent)))

    def last_activity(self) -> int:
        """The number of the newest entry; 0 when there is none."""
        return self._connection.scalar(select(func.max(_table.c.number))) or 0

    def count_activity(self, event: str, after: int) -> dict[tuple[str, str], int]:
        """How many records something has happened to since the entry of that number, by sync and flow."""
        records = schema.records
        place = (records.c.sync, records.c.flow)
        query = (
            select(*place, func.count(_table.c.record.distinct()))
            .join_from(_table, records, _table.c.record == records.c.id)
            .where(_table.c.number > after, _table.c.event == event)
            .group_by(*place)
        )
        return {(sync, flow): n for sync, flow, n in self._connection.execute(query)}

    def prune(self, now: datetime, retention: Retention) -> int:
        """Forget one batch of what is older than its retention.

        Returns:
            How many rows were touched; call again, in another transaction, until there are none.
        """
        return (
            self._empty_versions(now - retention.version_content)
            + self._drop_oldest(schema.versions, now - retention.versions)
            + self._drop_oldest(_table, now - retention.activity)
            + self._drop_hours(now - retention.counts_hourly)
        )

    def _empty_versions(self, until: datetime) -> int:
        table = schema.versions
        old = select(table.c.number).where(table.c.at < until, table.c.body.is_not(None)).order_by(table.c.at)
        numbers = list(self._connection.scalars(old.limit(_BATCH)))
        self._connection.execute(update(table).where(table.c.number.in_(numbers)).values(body=None))
        return len(numbers)

    def _drop_oldest(self, table: Any, until: datetime) -> int:
        """Rows are numbered in the order of time, so the first ones are the oldest and need no index of their own."""
        query = select(table.c.number, table.c.at).order_by(table.c.number).limit(_BATCH)
        numbers = [row.number for row in self._connection.execute(query) if row.at < until]
        self._connection.execute(delete(table).where(table.c.number.in_(numbers)))
        return len(numbers)

    def _drop_hours(self, until: datetime) -> int:
        table = schema.counts_hourly
        return self._connection.execute(delete(table).where(table.c.hour < until)).rowcount

    def _row_of(self, entry: Activity) -> Row:
        changes = self._seal.close(msgspec.json.encode(changes_to_plain(entry.changes))) if entry.changes else None
        return {
            "record": entry.record,
            "at": entry.at,
            "event": entry.event,
            "by": entry.by,
            "side": None if entry.side is None else entry.side.value,
            "code": entry.code,
            "words": entry.words,
            "changes": changes,
            "request_id": entry.request_id,
        }

    def _activity_of(self, row: SqlRow[Any]) -> Activity:
        with Reading("account of", row.record):
            raw = [] if row.changes is None else msgspec.json.decode(self._seal.open(row.changes))
            return Activity(
                record=row.record,
                at=row.at,
                event=row.event,
                by=row.by,
                side=None if row.side is None else Side(row.side),
                code=row.code,
                words=row.words,
                changes=changes_from_plain(raw),
                request_id=row.request_id,
            )
