"""The last five revisions: each only adds, and whoever is killed in the middle of any finds everything as it was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import URL, Connection, event, inspect, make_url
from sqlalchemy.engine import Engine

from syncd.store import migrate
from syncd.store.database import maintenance_engine
from syncd.store.schema import HEAD
from tests.migration.test_migrations import PowerCut, change, fill, revision, schema_of

VERSIONS = [f"{int(HEAD) - back:04}" for back in range(5, -1, -1)]
STEPS = list(pairwise(VERSIONS))


@contextmanager
def opened(url: URL) -> Iterator[Connection]:
    engine = maintenance_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def at(url: URL, version: str) -> None:
    """A database of that release, with a record in it."""
    with opened(url) as connection:
        command.upgrade(migrate.config(connection), version)
    fill(url)


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_a_revision_only_adds(empty: URL, before: str, after: str) -> None:
    """What the older release knows is still there, and what is new may be left out: it can go on with the newer one."""
    at(empty, before)
    with opened(empty) as connection:
        known = _columns(connection)
        command.upgrade(migrate.config(connection), after)
        now = _columns(connection)
    assert known.items() <= now.items()
    mandatory = [key for key, optional in now.items() if key not in known and not optional]
    assert [key for key in mandatory if key[0] in {table for table, _ in known}] == []


def test_cut_off_at_any_statement_on_the_way_up(empty: URL) -> None:
    """Each time the state is as before, a copy stands beside a file, and the next start goes through."""
    version = VERSIONS[0]
    at(empty, version)
    before = schema_of(empty)
    file = Path(empty.database or "") if empty.get_backend_name() == "sqlite" else None
    statement = _cut_at_every_statement(empty, before)
    assert statement > 5
    assert revision(empty) == HEAD
    assert change(empty, "SELECT id FROM records UNION ALL SELECT record FROM keys") == ["r1", "r1"]
    if file is not None:
        copy = make_url(f"sqlite:///{file}.before-{HEAD}")
        assert revision(copy) == version
        assert change(copy, "SELECT id FROM records") == ["r1"]


def _cut_at_every_statement(url: URL, before: object) -> int:
    for statement in range(1000):
        left = [statement]

        def cut(*_: object, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise PowerCut

        event.listen(Engine, "before_cursor_execute", cut)
        try:
            migrate.prepare(url)
            return statement
        except PowerCut:
            pass
        finally:
            event.remove(Engine, "before_cursor_execute", cut)
        assert schema_of(url) == before
    raise AssertionError("it never goes through")


UPGRADE = """
import os, sys
from sqlalchemy import URL, event
from sqlalchemy.engine import Engine
from syncd.store import migrate
left = int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def cut(connection, cursor, statement, *_):
    global left
    left -= statement.lstrip().upper().startswith(("CREATE", "INSERT", "UPDATE", "DROP", "ALTER"))
    if left < 0:
        os.kill(os.getpid(), 9)

migrate.prepare(URL.create("sqlite", database=sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_killed_in_the_middle_of_each_step(tmp_path: Path, version: str) -> None:
    """`kill -9` of a real process at each statement that changes something: as before, with a copy; then it goes on."""
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    at(url, version)
    before, kills = schema_of(url), 0
    while _killed(tmp_path / "state.db", kills):
        kills += 1
        assert schema_of(url) == before
        assert revision(make_url(f"{url}.before-{HEAD}")) == version
    assert kills >= 2
    assert revision(url) == HEAD
    assert change(url, "SELECT id FROM records UNION ALL SELECT record FROM keys") == ["r1", "r1"]


def _killed(file: Path, statements: int) -> bool:
    words = [sys.executable, "-c", UPGRADE, str(file), str(statements)]
    ended = subprocess.run(words, check=False, capture_output=True, text=True)
    assert ended.returncode in (0, -9), ended.stderr
    return ended.returncode == -9


def _columns(connection: Connection) -> dict[tuple[str, str], bool]:
    """Every column there is, and whether it may be left out."""
    found = inspect(connection)
    return {
        (table, column["name"]): bool(column["nullable"]) or column["default"] is not None
        for table in found.get_table_names()
        for column in found.get_columns(table)
        if table != "alembic_version"
    }
