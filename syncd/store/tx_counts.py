"""Counts of records by status and code, kept in step with every save, so that nothing ever has to count them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select

from syncd.model.record import Status
from syncd.store import schema
from syncd.store.base import TxPart
from syncd.store.many import Many, each, same, upserted
from syncd.store.rows import NOTE, CountDifference, CountRow, HourRow

_Group = tuple[str, str, str, str]
_ADD_HOUR = Many(lambda insert, _: insert(schema.counts_hourly).on_conflict_do_nothing())
_SHIFT = upserted(schema.counts, lambda new: {"n": schema.counts.c.n + new.n})
_GROUP = ("sync", "flow", "status", "code")
_GROUP_KEY = tuple(f"key_{name}" for name in _GROUP)
_DROP_EMPTY = each(delete(schema.counts).where(*same(schema.counts, _GROUP), schema.counts.c.n == 0))


class Standing(NamedTuple):
    """The part of a record that is counted."""

    sync: str
    flow: str
    status: str
    code: str
    notes: tuple[str, ...]


class CountsPart(TxPart):
    """Tables `counts` and `counts_hourly`."""

    def counts(self) -> list[CountRow]:
        """All counts above zero, sorted; the status of a row that counts a note is `note`."""
        table = schema.counts
        query = select(table).where(table.c.n != 0)
        return sorted(CountRow(*row) for row in self._connection.execute(query))

    def recount(self) -> list[CountDifference]:
        """Count for real and say where the maintained counts differ. Reads an index of all records."""
        records = schema.records
        group = (records.c.sync, records.c.flow, records.c.status, records.c.code)
        actual: Counter[_Group] = Counter()
        for row in self._connection.execute(select(*group, func.count()).group_by(*group)):
            actual[row[0], row[1], row[2], row[3]] = row[4]
        noted = (records.c.sync, records.c.flow, records.c.notes)
        query = select(*noted, func.count()).where(records.c.notes.is_not(None)).group_by(*noted)
        for sync, flow, notes, n in self._connection.execute(query):
            for note in notes:
                actual[sync, flow, NOTE, note] += n
        maintained = {(row.sync, row.flow, row.status, row.code): row.n for row in self.counts()}
        return [
            CountDifference(*found, maintained.get(found, 0), actual[found])
            for found in sorted({*maintained, *actual})
            if maintained.get(found, 0) != actual[found]
        ]

    def note_hour(self, hour: datetime) -> None:
        """Keep how many records stand in each status now, for this hour; what it holds already stays."""
        totals: Counter[tuple[str, str, str]] = Counter()
        for row in self.counts():
            if row.status != NOTE:
                totals[row.sync, row.flow, row.status] += row.n
        rows = [
            {"hour": hour, "sync": sync, "flow": flow, "status": status, "n": n}
            for (sync, flow, status), n in sorted(totals.items())
        ]
        _ADD_HOUR.run(self._connection, rows)

    def hourly(self, since: datetime, hours: Sequence[datetime] = ()) -> list[HourRow]:
        """What is kept of the hours from then on, oldest first; only of these hours where some are given.

        A status that nothing stood in has no row.
        """
        table = schema.counts_hourly
        query = select(table).where(table.c.hour >= since).order_by(table.c.hour)
        if hours:
            query = query.where(table.c.hour.in_(hours))
        return [HourRow(*row) for row in self._connection.execute(query)]

    def _count(self, before: Iterable[Standing], after: Iterable[Standing]) -> None:
        """Add one summed delta for a batch of saves."""
        delta: Counter[_Group] = Counter()
        delta.update(group for standing in after for group in _groups(standing))
        delta.subtract(group for standing in before for group in _groups(standing))
        moved = [(group, n) for group, n in sorted(delta.items()) if n]
        _SHIFT.run(self._connection, [{**dict(zip(_GROUP, group, strict=True)), "n": n} for group, n in moved])
        _DROP_EMPTY.run(self._connection, [dict(zip(_GROUP_KEY, group, strict=True)) for group, n in moved if n < 0])


def _groups(standing: Standing) -> Iterable[_Group]:
    yield standing.sync, standing.flow, standing.status, standing.code
    for note in set(standing.notes):
        yield standing.sync, standing.flow, NOTE, note


assert NOTE not in set(Status)
