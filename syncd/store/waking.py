"""Bringing forward what waits. Whatever is seen, is seen in a transaction, and wakes within it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select, update

from syncd.model.record import Status
from syncd.store import schema
from syncd.store.asked import Asked
from syncd.store.base import chunks
from syncd.store.many import each, same

_table = schema.records
_WAITING = Asked(
    lambda within: (
        select(_table.c.id)
        .where(within(_table.c.waits_for), _table.c.status != Status.SYNCED.value)
        .where(or_(_table.c.next_at.is_(None), _table.c.next_at > bindparam("now")))
    )
)
_WAKE = each(update(_table).where(*same(_table, ("id",))).values(next_at=bindparam("now")))


def wake(connection: Connection, events: Iterable[str], now: datetime) -> int:
    """Make records due that wait for one of these (as `model.waiting` says them); returns how many.

    Synced ones wait for nothing.
    """
    woken = 0
    for chunk in chunks(events):
        waiting = _WAITING.rows(connection, listed=chunk, now=now)
        _WAKE.run(connection, [{"key_id": row.id, "now": now} for row in waiting])
        woken += len(waiting)
    return woken
