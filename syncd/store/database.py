"""The two ways a transaction body runs.

In life it runs in a thread, off the event loop. In a deterministic simulation it runs `Inline`,
on the caller's own stack: no threads, no moment at which anything else could happen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import anyio
import anyio.to_thread
from sqlalchemy import URL, Connection, Engine, RootTransaction, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool, StaticPool

from syncd.store.errors import StoreFull, StoreLocked
from syncd.store.pulse import Pulse

T = TypeVar("T")

_QUIET: dict[str, Any] = {"hide_parameters": True}
"""Errors are logged; the values in them are people's data."""

LOCKED = "another process has the database locked"
_PG_DISK_FULL = "53100"
_READERS = 4
_BUSY_SECONDS = 10  # how long SQLite waits for another process's transaction
_LOOK_SECONDS = 1  # how long the writer does before it says that it waits
_PATIENCE = 30  # and how many times it begins anew: whoever copies or repairs a large file is through by then


class Database(Protocol):
    """Runs transaction bodies; commits when one returns, rolls back when it raises."""

    @property
    def pulse(self) -> Pulse: ...

    async def read(self, work: Callable[[Connection], T]) -> T: ...

    async def write(self, work: Callable[[Connection], T]) -> T: ...

    async def scrub(self) -> None: ...

    async def close(self) -> None: ...


class Life:
    """One writer at a time and several readers, on their own connections, each transaction in a thread.

    A whole transaction is one trip to a thread. SQLAlchemy's asyncio makes one trip a statement, which costs more than
    the statement does, and loads its ORM.
    """

    def __init__(self, url: URL) -> None:
        self.pulse = Pulse()
        if url.get_backend_name() == "sqlite":
            driver, anywhere = url.set(drivername="sqlite+pysqlite"), {"check_same_thread": False}
            self._writer = create_engine(driver, **_pool(1), connect_args=anywhere)
            self._readers = create_engine(driver, **_pool(_READERS), connect_args=anywhere)
            prepare_sqlite(self._writer, begin="BEGIN IMMEDIATE", busy_timeout=str(_LOOK_SECONDS * 1000))
            prepare_sqlite(self._readers, begin="BEGIN", query_only="ON")
        else:
            driver = url.set(drivername="postgresql+psycopg")
            self._writer = create_engine(driver, **_pool(1))
            self._readers = create_engine(
                driver,
                **_pool(_READERS),
                isolation_level="REPEATABLE READ",  # a reader sees one moment, as on SQLite
                execution_options={"postgresql_readonly": True},
            )
        self._writing = anyio.CapacityLimiter(1)
        self._reading = anyio.CapacityLimiter(_READERS)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await _run(self._readers, work, self._reading)

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await _run(self._writer, work, self._writing, self.pulse)

    async def scrub(self) -> None:
        if self._writer.dialect.name == "sqlite":  # PostgreSQL does it by itself
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_rewrite, self._writer, limiter=self._writing)

    async def close(self) -> None:
        self._readers.dispose()
        self._writer.dispose()


def _pool(size: int) -> dict[str, Any]:
    return {"poolclass": QueuePool, "pool_size": size, "max_overflow": 0, **_QUIET}


async def _run(
    engine: Engine, work: Callable[[Connection], T], limiter: anyio.CapacityLimiter, pulse: Pulse | None = None
) -> T:
    def transaction() -> T:
        with explained(), engine.connect() as connection, _begun(connection, pulse):
            return work(connection)

    # A cancelled caller must not leave a connection in the middle of something: transactions are short, so finish.
    with anyio.CancelScope(shield=True):
        result = await anyio.to_thread.run_sync(transaction, limiter=limiter)
    return result  # noqa: RET504 - the type checker does not know that a shield swallows nothing


@contextmanager
def _begun(connection: Connection, pulse: Pulse | None) -> Iterator[None]:
    """A transaction. The writer's is begun again and again while another process holds the write lock: nothing of its
    body has run by then.

    Raises:
        StoreLocked: it was held for too long.
    """
    if pulse is None:
        with connection.begin():
            yield
        return
    transaction = _begin(connection, pulse)
    try:
        with transaction:
            yield
    finally:
        pulse.beat()


def _begin(connection: Connection, pulse: Pulse) -> RootTransaction:
    for _ in range(_PATIENCE):
        try:
            begun = connection.begin()
        except OperationalError as error:
            if not _is_locked(error):
                raise
            pulse.beat(waiting=True)
        else:
            pulse.beat()
            return begun
    raise StoreLocked(LOCKED)


@contextmanager
def explained() -> Iterator[None]:
    """Around a transaction.

    Raises:
        StoreFull, StoreLocked: nothing of it is stored, and the next one may go through.
    """
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        if _is_full(error):
            raise StoreFull("there is no room on the disk that holds the state") from error
        if isinstance(error, OperationalError) and _is_locked(error):
            raise StoreLocked(LOCKED) from error
        raise


def _is_full(error: OperationalError | sqlite3.OperationalError) -> bool:
    own = error.orig if isinstance(error, OperationalError) else error
    if isinstance(own, sqlite3.OperationalError):
        return own.sqlite_errorname == "SQLITE_FULL"
    return getattr(own, "sqlstate", None) == _PG_DISK_FULL


def _is_locked(error: OperationalError) -> bool:
    return isinstance(error.orig, sqlite3.OperationalError) and error.orig.sqlite_errorname.startswith("SQLITE_BUSY")


def _rewrite(engine: Engine) -> None:
    # Deleted rows stay in free pages, and in the log of changes until it is emptied.
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()
    finally:
        connection.close()


class Inline:
    """One SQLite connection for everything, used where it is called."""

    def __init__(self, url: URL) -> None:
        self.pulse = Pulse()
        self._engine = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            **_QUIET,
        )
        prepare_sqlite(self._engine, begin="BEGIN IMMEDIATE")

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self.write(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        with explained(), self._engine.begin() as connection:
            return work(connection)

    async def scrub(self) -> None:
        _rewrite(self._engine)

    async def close(self) -> None:
        self._engine.dispose()


def maintenance_engine(url: URL) -> Engine:
    """A synchronous engine for work before the start. Foreign keys are off: migrations rebuild tables."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool, **_QUIET)
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), poolclass=NullPool, **_QUIET)
    prepare_sqlite(engine, begin="BEGIN IMMEDIATE", foreign_keys="OFF", journal_mode="WAL")
    return engine


def prepare_sqlite(engine: Engine, begin: str, **pragmas: str) -> None:
    """Take the transactions out of the driver's hands, and set what SQLite forgets with each connection."""
    settings: Mapping[str, str] = {
        "busy_timeout": str(_BUSY_SECONDS * 1000),
        "synchronous": "FULL",
        "foreign_keys": "ON",
        **pragmas,
    }

    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        for name, value in settings.items():
            cursor.execute(f"PRAGMA {name}={value}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)
