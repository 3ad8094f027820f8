"""What is looked at from outside to tell whether work goes on: a few steps into indexes, however many records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, literal, select, union_all

from syncd.model.record import Status
from syncd.store import schema
from syncd.store.base import TxPart

MOST_COUNTED = 100_000  # of a longer queue it is enough to know that it is long


class WatchPart(TxPart):
    """Reads `changes` and `records`."""

    def queued(self) -> int:
        """How many entities wait to be looked at; of a very long queue as many as are counted."""
        some = select(schema.changes.c.id).limit(MOST_COUNTED).subquery()
        return self._connection.scalar(select(func.count()).select_from(some)) or 0

    def oldest_pending(self, flows: Iterable[tuple[str, str]], codes: Sequence[str]) -> dict[tuple[str, str], datetime]:
        """Since when the oldest pending record with one of these codes stands so, by sync and flow."""
        table, oldest = schema.records, dict[tuple[str, str], datetime]()
        queries = [
            select(literal(sync).label("sync"), literal(flow).label("flow"), func.min(table.c.since).label("since"))
            .where(table.c.sync == sync, table.c.flow == flow, table.c.status == Status.PENDING.value)
            .where(table.c.code == code)
            for sync, flow in flows
            for code in codes
        ]
        for sync, flow, since in self._connection.execute(union_all(*queries)) if queries else ():
            if since is not None:
                oldest[sync, flow] = min(since, oldest.get((sync, flow), since))
        return oldest
