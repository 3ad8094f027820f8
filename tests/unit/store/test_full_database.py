"""A database that finds no room on its disk, as SQLite itself says it, and that goes on once there is some."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine

from syncd.errors import Exit
from syncd.store import database
from syncd.store.database import Life
from syncd.store.errors import StoreFull, StoreLocked, is_full
from syncd.store.store import Store

LONG = "x" * 5000  # does not fit into the rest of a page


def _allow(writer: Engine, pages: int) -> None:
    """How large the writer may let the file grow; SQLite never goes below what it has."""
    with writer.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


async def test_a_full_disk_is_said_and_waited_out(tmp_path: Path) -> None:
    """All of a transaction or nothing, reads meanwhile, and the same store writes again; the file is sound."""
    store = await Store.open(f"sqlite:///{tmp_path / 'state.db'}")
    assert isinstance(store._database, Life)
    await store.write(lambda tx: tx.set_meta("before", LONG))
    _allow(store._database._writer, 1)
    for _ in range(3):
        with pytest.raises(StoreFull, match="room"):
            await store.write(lambda tx: [tx.set_meta(name, LONG) for name in ("one", "two", "three")])
        assert await store.read(lambda tx: tx.meta("one")) is None
        assert await store.read(lambda tx: tx.meta("before")) == LONG
    _allow(store._database._writer, 1_000_000)
    await store.write(lambda tx: tx.set_meta("one", LONG))
    assert await store.read(lambda tx: tx.meta("one")) == LONG
    await store.close()
    with sqlite3.connect(tmp_path / "state.db") as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_database_that_is_locked_at_the_start_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence and an exit code, no traceback."""
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0)
    file = tmp_path / "state.db"
    await (await Store.open(f"sqlite:///{file}")).close()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked, match="another process") as refused:
        await Store.open(f"sqlite:///{file}")
    assert refused.value.exit == Exit.BUSY
    other.close()


def test_a_full_disk_is_recognised_among_others() -> None:
    """Also where several tasks met it at once, but not together with something else."""
    full = StoreFull("no room")
    assert is_full(full)
    assert is_full(ExceptionGroup("tasks", [full, ExceptionGroup("more", [full])]))
    assert not is_full(ExceptionGroup("tasks", [full, StoreLocked("held")]))
