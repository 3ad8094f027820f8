"""Bringing forward what waits. Whatever is seen, is seen in a transaction, and wakes within it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, or_, update

from syncd.model.record import Status
from syncd.store import schema
from syncd.store.base import chunks, within

_table = schema.records


def wake(connection: Connection, events: Iterable[str], now: datetime) -> int:
    """Make records due that wait for one of these (as `model.waiting` says them); returns how many.

    Synced ones wait for nothing.
    """
    woken = 0
    for chunk in chunks(events):
        statement = (
            update(_table)
            .where(within(connection, _table.c.waits_for, chunk))
            .where(_table.c.status != Status.SYNCED.value)
            .where(or_(_table.c.next_at.is_(None), _table.c.next_at > now))
            .values(next_at=now)
        )
        woken += connection.execute(statement).rowcount
    return woken
