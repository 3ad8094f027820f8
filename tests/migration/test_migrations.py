"""Migrations: they add up to the schema, lose nothing when they fail, and never touch what a later release wrote."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, event, text
from sqlalchemy.engine import Engine

from syncd.store import migrate
from syncd.store.database import maintenance_engine
from syncd.store.errors import DamagedStore, NewerSchema
from syncd.store.schema import HEAD, metadata
from syncd.store.store import Store

ROOT = Path(__file__).parents[2]

EXPAND = """
revision = "9000"
down_revision = "{head}"

def upgrade():
    from alembic import op
    import sqlalchemy as sa
    with op.batch_alter_table("records", recreate="{recreate}") as table:
        table.add_column(sa.Column("colour", sa.Text()))
    {then}
"""


@pytest.fixture
def connection(empty: URL) -> Iterator[Connection]:
    engine = maintenance_engine(empty)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def test_the_migrations_add_up_to_the_schema(connection: Connection) -> None:
    """Alembic sees no difference between `schema.py` and an upgraded database."""
    migrate.upgrade(connection)
    assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_definition_is_the_same(connection: Connection) -> None:
    """Also what Alembic does not compare: conditions of indexes, collations, deferred keys, numbering."""
    migrate.upgrade(connection)
    migrated = definitions(connection)
    command.downgrade(migrate.config(connection), "base")
    assert not {table.name for table in metadata.sorted_tables} & tables(connection)
    metadata.create_all(connection)
    assert definitions(connection) == migrated


def test_the_head_is_the_scripts_head() -> None:
    """The revision a start looks for is the last one there is, and there is one line of them."""
    scripts = ScriptDirectory(str(migrate.scripts()))
    assert scripts.get_heads() == [HEAD]


def test_the_readme_describes_every_column() -> None:
    """A heading for each table, a row for each column, and no others."""
    described: dict[str, list[str]] = {}
    for line in (ROOT / "state" / "README.md").read_text().splitlines():
        if heading := re.fullmatch(r"### `(\w+)`", line):
            columns = described.setdefault(heading[1], [])
        elif row := re.match(r"\| ((?:`\w+`(?:, )?)+) \|", line):
            columns += re.findall(r"\w+", row[1])
    assert described == {table.name: table.columns.keys() for table in metadata.tables.values()}


async def test_migrations_run_inside_a_running_loop(empty: URL) -> None:
    """A store opens on an empty database, and again on what that left."""
    url = empty.render_as_string(hide_password=False)
    for stored in (None, "1"):
        store = await Store.open(url)
        assert await store.read(lambda tx: tx.meta("epoch")) == stored
        await store.write(lambda tx: tx.set_meta("epoch", "1"))
        await store.close()


async def test_a_newer_schema_is_refused_untouched(empty: URL) -> None:
    """The message names both schemas and the cure; nothing is written."""
    migrate.prepare(empty)
    change(empty, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerSchema, match=rf"schema 9999; .* up to {HEAD}"):
        await Store.open(empty.render_as_string(hide_password=False))
    assert revision(empty) == "9999"


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives this release one more revision: a column more on `records`, then what the test says."""

    def make(then: str, recreate: str = "auto") -> None:
        state = tmp_path / "state"
        shutil.copytree(migrate.scripts(), state, ignore=shutil.ignore_patterns("__pycache__"))
        (state / "versions" / "9000_next.py").write_text(EXPAND.format(then=then, recreate=recreate, head=HEAD))
        monkeypatch.setattr(migrate, "scripts", lambda: state)
        monkeypatch.setattr(migrate, "HEAD", "9000")

    return make


@pytest.mark.parametrize("recreate", ["never", "always"])
def test_an_upgrade_keeps_what_is_stored(empty: URL, next_release: Callable[..., None], recreate: str) -> None:
    """Rows and those that point at them survive, also where SQLite has to rebuild the table."""
    migrate.prepare(empty)
    fill(empty)
    next_release("pass", "never" if empty.get_backend_name() == "postgresql" else recreate)
    migrate.prepare(empty)
    assert revision(empty) == "9000"
    assert change(empty, "SELECT colour FROM records UNION ALL SELECT record FROM keys") == [None, "r1"]


def test_a_failed_upgrade_changes_nothing(empty: URL, next_release: Callable[..., None]) -> None:
    """A migration that breaks in the middle leaves the schema and the rows of before."""
    migrate.prepare(empty)
    fill(empty)
    next_release("raise RuntimeError('power cut')")
    with pytest.raises(RuntimeError, match="power cut"):
        migrate.prepare(empty)
    assert revision(empty) == HEAD
    engine = maintenance_engine(empty)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    assert change(empty, "SELECT id FROM records") == ["r1"]


def test_a_copy_is_made_before_a_file_is_changed(tmp_path: Path, next_release: Callable[..., None]) -> None:
    """The copy is whole, private, and of the schema before; a first start and a start at head make none."""
    file = tmp_path / "state.db"
    url = URL.create("sqlite", database=str(file))
    migrate.prepare(url)
    fill(url)
    migrate.prepare(url)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.db"]
    next_release("pass")
    migrate.prepare(url)
    copy = tmp_path / "state.db.before-9000"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert revision(URL.create("sqlite", database=str(copy))) == HEAD
    assert change(URL.create("sqlite", database=str(copy)), "SELECT id FROM records") == ["r1"]


def test_only_the_latest_copies_are_kept(tmp_path: Path, next_release: Callable[..., None]) -> None:
    """Every upgrade leaves one; those of long ago go."""
    file = tmp_path / "state.db"
    url = URL.create("sqlite", database=str(file))
    migrate.prepare(url)
    for number in range(migrate.KEEP + 1):
        (tmp_path / f"state.db.before-000{number}").touch()
        os.utime(tmp_path / f"state.db.before-000{number}", (number, number))
    next_release("pass")
    migrate.prepare(url)
    kept = sorted(path.name for path in tmp_path.glob("state.db.before-*"))
    assert kept == ["state.db.before-0002", "state.db.before-0003", "state.db.before-9000"]


def test_a_copy_says_that_it_is_one(tmp_path: Path, next_release: Callable[..., None]) -> None:
    """Whoever starts from it sees that more has happened since."""
    file = tmp_path / "state.db"
    url = URL.create("sqlite", database=str(file))
    migrate.prepare(url)
    change(url, "INSERT INTO meta (key, value) VALUES ('epoch', 'of its own')")
    next_release("pass")
    migrate.prepare(url)
    copy = URL.create("sqlite", database=str(tmp_path / "state.db.before-9000"))
    assert change(url, "SELECT value FROM meta WHERE key = 'epoch'") == ["of its own"]
    assert change(copy, "SELECT value FROM meta WHERE key = 'epoch'") == ["before 9000"]


def test_an_upgrade_that_fails_anywhere_changes_nothing(empty: URL, next_release: Callable[..., None]) -> None:
    """Cut off before each of its statements in turn, and each time it goes through at the next start."""
    migrate.prepare(empty)
    fill(empty)
    next_release("pass", "never" if empty.get_backend_name() == "postgresql" else "always")
    before = schema_of(empty)
    for statement in range(1000):
        left = [statement]

        def cut(*_: object, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise PowerCut

        event.listen(Engine, "before_cursor_execute", cut)
        try:
            migrate.prepare(empty)
        except PowerCut:
            pass
        else:
            break
        finally:
            event.remove(Engine, "before_cursor_execute", cut)
        assert schema_of(empty) == before
    assert statement > 5
    assert revision(empty) == "9000"
    assert change(empty, "SELECT colour FROM records UNION ALL SELECT record FROM keys") == [None, "r1"]


class PowerCut(Exception):
    """The end of the process."""


UPGRADE = """
import os, sys
from pathlib import Path
from sqlalchemy import URL, event
from sqlalchemy.engine import Engine
from syncd.store import migrate
url, state, left = URL.create("sqlite", database=sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
migrate.scripts, migrate.HEAD = lambda: state, "9000"

@event.listens_for(Engine, "before_cursor_execute")
def cut(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), 9)

migrate.prepare(url)
"""


def test_an_upgrade_survives_being_killed(tmp_path: Path, next_release: Callable[..., None]) -> None:
    """`kill -9` of a real process in the middle: the state is as before, and the next start upgrades it."""
    file = tmp_path / "state.db"
    url = URL.create("sqlite", database=str(file))
    migrate.prepare(url)
    fill(url)
    before = schema_of(url)
    next_release("pass", "always")
    words = [sys.executable, "-c", UPGRADE, str(file), str(tmp_path / "state")]
    for statement in (5, 9, 14, 20):
        ended = subprocess.run([*words, str(statement)], check=False, capture_output=True, text=True)
        assert ended.returncode == -9, ended.stderr
        assert schema_of(url) == before
    subprocess.run([*words, "100000"], check=True)
    assert revision(url) == "9000"
    assert change(url, "SELECT colour FROM records UNION ALL SELECT record FROM keys") == [None, "r1"]


def schema_of(url: URL) -> tuple[str | None, set[tuple[str, ...]]]:
    engine = maintenance_engine(url)
    with engine.connect() as connection:
        found = migrate.current(connection), definitions(connection)
    engine.dispose()
    return found


def test_the_file_is_private_and_durable(tmp_path: Path) -> None:
    """Only its owner can read it, and it is in write-ahead mode."""
    file = tmp_path / "state.db"
    migrate.prepare(URL.create("sqlite", database=str(file)))
    assert file.stat().st_mode & 0o777 == 0o600
    database = sqlite3.connect(file)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


@pytest.mark.parametrize("damage", ["page", "header"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    """The message names the file and the cure."""
    file = tmp_path / "state.db"
    url = URL.create("sqlite", database=str(file))
    migrate.prepare(url)
    content = bytearray(file.read_bytes())
    start = 0 if damage == "header" else 4096
    content[start : start + 4096] = b"\xaa" * 4096
    file.write_bytes(content)
    with pytest.raises(DamagedStore, match=r"state\.db is damaged .*; restore a backup"):
        migrate.prepare(url)


def test_a_start_at_head_does_not_load_alembic(tmp_path: Path) -> None:
    """It would cost memory and time in every daemon, for nothing."""
    migrate.prepare(URL.create("sqlite", database=str(tmp_path / "state.db")))
    program = f"""
import asyncio, sys
from syncd.store.store import Store
asyncio.run(Store.open("sqlite:///{tmp_path / "state.db"}"))
sys.exit("alembic" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_scripts_are_found_in_a_checkout() -> None:
    """Beside the package."""
    assert migrate.scripts() == ROOT / "state"


def test_the_scripts_are_found_in_a_wheel(tmp_path: Path) -> None:
    """A wheel built from this tree and unpacked elsewhere migrates an empty database, with nothing else in it."""
    pytest.importorskip("hatchling", reason="the build backend is needed to build a wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    shutil.unpack_archive(wheel, installed, "zip")
    assert not list(installed.rglob("__pycache__"))
    program = f"""
import asyncio, sys
sys.path.insert(0, {str(installed)!r})
from syncd.store import migrate
from syncd.store.store import Store
asyncio.run(Store.open("sqlite:///{tmp_path / "state.db"}"))
print(migrate.scripts())
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert Path(ran.stdout.strip()) == installed / "syncd" / "_state"
    assert revision(URL.create("sqlite", database=str(tmp_path / "state.db"))) == HEAD


def change(url: URL, statement: str) -> list[object]:
    """Run one statement; the first column of what it gives."""
    engine = maintenance_engine(url)
    with engine.begin() as connection:
        done = connection.execute(text(statement))
        rows = list(done.scalars()) if done.returns_rows else []
    engine.dispose()
    return rows


def revision(url: URL) -> str | None:
    engine = maintenance_engine(url)
    with engine.connect() as connection:
        found = migrate.current(connection)
    engine.dispose()
    return found


def fill(url: URL) -> None:
    change(
        url,
        "INSERT INTO records"
        " (id, sync, flow, label, status, code, words, since, attempts, wanted, rules_digest, revision)"
        " VALUES ('r1', 's', 'f', '', 'pending', 'queued', '', '2026-11-21T12:00:00+00:00', 0, false, '', 1)",
    )
    change(url, "INSERT INTO keys (key, record) VALUES ('k', 'r1')")


def tables(connection: Connection) -> set[str]:
    return {name for kind, name, *_ in definitions(connection) if kind == "table"}


def definitions(connection: Connection) -> set[tuple[str, ...]]:
    """Everything the database itself says about our tables, as text."""
    if connection.dialect.name == "sqlite":
        query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    else:
        query = """
            SELECT 'table', table_name, column_name, data_type, is_nullable, collation_name, column_default
              FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '', ''
              FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', ''
              FROM pg_constraint WHERE connamespace = 'public'::regnamespace"""
    found = {tuple(" ".join(str(part).split()) for part in row) for row in connection.exec_driver_sql(query)}
    return {row for row in found if "alembic" not in row[1]}
