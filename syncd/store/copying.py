"""A copy of the state as it is at one moment, in a SQLite file of its own: to try things out on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, insert, make_url, select

from syncd.store import migrate
from syncd.store.database import maintenance_engine
from syncd.store.schema import activity, deliveries, metadata, versions

ROWS = 1000
HISTORY = (activity, deliveries, versions)  # nothing is decided by them


def copy_state(connection: Connection, path: Path) -> None:
    """Copy everything this transaction sees to a new file; the writer of a SQLite file is not held up meanwhile."""
    raw = connection.connection.driver_connection
    if isinstance(raw, sqlite3.Connection):
        with closing(sqlite3.connect(path)) as target:
            raw.backup(target)
        return
    engine = maintenance_engine(make_url(f"sqlite:///{path}"))
    with engine.begin() as target:
        migrate.upgrade(target)
        for table in metadata.sorted_tables:
            if table in HISTORY:
                continue
            for rows in connection.execute(select(table)).mappings().partitions(ROWS):
                target.execute(insert(table), [dict(row) for row in rows])
    engine.dispose()
