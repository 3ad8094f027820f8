"""Promise 22: one release after the other, and back: what is changed meanwhile arrives, and nothing is there twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from alembic import command
from sqlalchemy import make_url

from syncd.errors import Exit
from syncd.store import migrate
from syncd.store.database import maintenance_engine
from syncd.store.schema import HEAD
from tests.acceptance.bustle import Bustle
from tests.acceptance.checkers import assert_in_order
from tests.acceptance.test_restored_state import state
from tests.acceptance.world import Snapshot, World

VERSIONS = [f"{int(HEAD) - back:04}" for back in range(5, 0, -1)]
FEW, MANY = 12, 1000
NEXT, BEYOND = f"{int(HEAD) + 1:04}", f"{int(HEAD) + 2:04}"


def go_back(w: World, version: str) -> None:
    """The state as a release of that schema has it."""
    engine = maintenance_engine(make_url(f"sqlite:///{state(w)}"))
    with engine.begin() as connection:
        command.downgrade(migrate.config(connection), version)
    engine.dispose()


def upgraded(w: World, version: str) -> None:
    """The state as a later release leaves it: a column more in a table of ours, a table more, another number."""
    database = sqlite3.connect(state(w))
    database.execute("ALTER TABLE records ADD COLUMN colour TEXT")
    database.execute("CREATE TABLE colours (name TEXT NOT NULL PRIMARY KEY)")
    database.execute("UPDATE alembic_version SET version_num = ?", (version,))
    database.commit()
    database.close()


def version_of(w: World) -> str:
    database = sqlite3.connect(state(w))
    (found,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    database.close()
    return str(found)


async def carried_over(w: World, people: Bustle, n: int) -> None:
    """So many changes, a pass of the daemon, and everything is as people left it; a further pass writes nothing."""
    await people.go(n)
    await w.once()
    assert await people.missing() == []
    await assert_in_order(w.control)
    end = await w.mark()
    await w.once()
    assert await w.written(end) == []


async def _there_and_back(w: World, version: str, n: int) -> Bustle:
    people = Bustle(w)
    for _ in range(2):
        go_back(w, version)
        await carried_over(w, people, n)
        assert version_of(w) == HEAD
        copy = state(w).with_name(f"{state(w).name}.before-{HEAD}")
        with sqlite3.connect(copy) as database:
            assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (version,)
        database.close()
    return people


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
async def test_up_and_down_and_up_again(version: str, synced: Snapshot) -> None:
    """From an older schema, with changes, back to it, with changes, and up: a copy stands before each migration."""
    async with synced.world() as w:
        await _there_and_back(w, version, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
async def test_up_and_down_and_up_again_with_a_thousand_changes(
    version: str, synced: Snapshot, record_property: Callable[[str, object], None]
) -> None:
    """The same for each of the last five schemas."""
    async with synced.world() as w:
        people = await _there_and_back(w, version, MANY)
        record_property("figures", ("upgrades", {"changes": people.made, "lost": 0, "duplicates": 0}))


async def test_a_release_that_was_gone_back_to_goes_on_with_the_next_ones_schema(synced: Snapshot) -> None:
    """It works with it, in a process of its own, and leaves it for the next release to go on with."""
    async with synced.world() as w:
        people = Bustle(w)
        await carried_over(w, people, FEW)
        upgraded(w, NEXT)
        await carried_over(w, people, FEW)
        code, _, err = await w.command("once")
        assert code in (Exit.DONE, Exit.SOME_FAILED), err
        assert f'"schema": "{NEXT}"' in err
        assert version_of(w) == NEXT
        code, out, err = await w.command("backup")
        assert code == Exit.DONE, err
        code, _, err = await w.command("restore", out.removeprefix("wrote ").split(".db,")[0] + ".db")
        assert code == Exit.DONE, err


async def test_a_schema_beyond_the_next_is_refused(synced: Snapshot) -> None:
    """Exit 78 and a plain text that says what to do; the file stays as it was."""
    async with synced.world() as w:
        upgraded(w, BEYOND)
        before = state(w).read_bytes()
        for command_ in ("run", "once"):
            code, _, err = await w.command(command_)
            assert code == Exit.CONFIGURATION
            assert f"the state is at schema {BEYOND}; this release knows schemas up to {HEAD} and can work" in err
            assert "Install the release that wrote it" in err
        assert state(w).read_bytes() == before
