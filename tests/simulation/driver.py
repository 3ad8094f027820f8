"""SQLite as the simulation uses it: one connection for everything, on the caller's stack, where each statement may be
the last.

A killed process loses what it had not committed and nothing else, so nothing has to reach a disk: the journal that a
rollback needs is in memory, and nothing waits for the file. SQLAlchemy's part of a transaction costs ten times what
SQLite's does; here transactions are the driver's.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from syncd.store.database import explained
from syncd.store.pulse import Pulse

T = TypeVar("T")

PRAGMAS = {"foreign_keys": "ON", "synchronous": "OFF", "journal_mode": "MEMORY"}


class Direct:
    """A database as `Store` wants one.

    Args:
        before: called before each statement with its text; what it raises happens instead. COMMIT is a statement too.
    """

    def __init__(self, file: Path, before: Callable[[str], None]) -> None:
        class Cursor(sqlite3.Cursor):
            def execute(self, *given: Any) -> sqlite3.Cursor:
                before(given[0])
                return super().execute(*given)

            def executemany(self, *given: Any) -> sqlite3.Cursor:
                before(given[0])
                return super().executemany(*given)

        class Driver(sqlite3.Connection):
            def cursor(self, _: Any = None) -> Any:
                return super().cursor(Cursor)

            def close(self) -> None:
                """SQLAlchemy lets go of it after an error that is the end of a process."""

        self.pulse = Pulse()
        self.driver = sqlite3.connect(file, isolation_level=None, check_same_thread=False, factory=Driver)
        plain = sqlite3.Cursor(self.driver)
        for name, value in PRAGMAS.items():
            plain.execute(f"PRAGMA {name}={value}").fetchall()
        self._engine = create_engine(
            "sqlite+pysqlite://", creator=lambda: self.driver, poolclass=StaticPool, hide_parameters=True
        )
        self._connection = self._connected()

    def _connected(self) -> Connection:
        # What SQLAlchemy takes for its one transaction never ends; the driver's own are the ones that count.
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    async def read(self, work: Callable[[Connection], T]) -> T:
        return work(self._connection)  # nothing else happens meanwhile: every statement sees the same moment

    async def write(self, work: Callable[[Connection], T]) -> T:
        with explained():
            return self._transaction(work)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        cursor = self.driver.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            done = work(self._connection)
            cursor.execute("COMMIT")
        except BaseException:
            self.driver.rollback()
            if self._connection.invalidated:
                self._connection = self._connected()
            raise
        return done

    async def scrub(self) -> None:
        self.driver.cursor().execute("VACUUM")

    async def close(self) -> None:
        """It outlives every daemon."""

    def leave(self) -> None:
        """Let go of the file."""
        self._engine.dispose()
        sqlite3.Connection.close(self.driver)
