"""The schema's way from one release to the next.

The Alembic scripts live in `state/`: inside the wheel as `syncd/_state`, in a checkout beside the package. Alembic
itself is loaded only when there is something to do.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import URL, Connection, Engine, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from syncd.store.backups import copy_whole, create_private, prune
from syncd.store.database import explained, maintenance_engine
from syncd.store.errors import DamagedStore, NewerSchema
from syncd.store.schema import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

log = structlog.get_logger("syncd.state")

KEEP = 3  # copies of before a migration
_PACKAGE = Path(__file__).resolve().parent.parent


def prepare(url: URL) -> None:
    """Bring the database to this release's schema; check a SQLite file and copy it before it is changed.

    Blocking: run it in a thread.

    Raises:
        NewerSchema: a later release has been here. DamagedStore: the file fails SQLite's check.
        StoreFull, StoreLocked: not now.
    """
    file = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
    if file is not None:
        create_private(file)
    engine = maintenance_engine(url)
    try:
        with explained():
            if file is not None:
                _check(engine, file)
            with engine.begin() as connection:
                upgrade(connection, file)
    finally:
        engine.dispose()


def current(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def upgrade(connection: Connection, file: Path | None = None) -> None:
    """Upgrade to head within the connection's transaction; nothing happens at head, nor at the schema after it.

    Args:
        file: the SQLite file, to be copied before its tables are changed.

    Raises:
        NewerSchema: the database is at a revision this release cannot work with.
    """
    found = current(connection)
    if found == HEAD:
        return
    if found == following():
        log.warning("state.newer_schema", schema=found, ours=HEAD)
        return
    from alembic import command

    settings = config(connection)
    if found is not None and not usable(found):
        raise NewerSchema(too_new(found))
    if found is not None and file is not None:
        copy_whole(file, file.with_name(f"{file.name}.before-{HEAD}"), f"before {HEAD}")
        prune(file.parent, f"{file.name}.before-*", KEEP)
    command.upgrade(settings, "head")


def following() -> str:
    """The schema after this release's: it only adds to ours, so a release that was gone back to works with it as it is.

    What is no longer needed is removed one release later still (`state/README.md`).
    """
    return f"{int(HEAD) + 1:04}"


def usable(found: str) -> bool:
    """Whether this release can work with a state at this schema."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    settings = Config()
    settings.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    known = {revision.revision for revision in ScriptDirectory.from_config(settings).walk_revisions()}
    return found in {*known, following()}


def too_new(found: str) -> str:
    """What is said of a schema it cannot work with."""
    return (
        f"the state is at schema {found}; this release knows schemas up to {HEAD} and can work with {following()}. "
        "Install the release that wrote it, or restore a backup made by this one."
    )


def config(connection: Connection) -> Config:
    """Alembic's settings: our scripts, and this connection to run them on."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def scripts() -> Path:
    """The folder of the migrations.

    Raises:
        FileNotFoundError: neither in the package nor beside it: the installation is broken.
    """
    for folder in (_PACKAGE / "_state", _PACKAGE.parent / "state"):
        if (folder / "env.py").is_file():
            return folder
    raise FileNotFoundError(f"no migrations in {_PACKAGE / '_state'} and none in {_PACKAGE.parent / 'state'}")


def _check(engine: Engine, file: Path) -> None:
    try:
        with engine.connect() as connection:
            found = list(connection.exec_driver_sql("PRAGMA quick_check(5)").scalars())
    except (sqlite3.OperationalError, OperationalError):
        raise  # locked or unreadable: not the file's fault
    except (sqlite3.DatabaseError, DatabaseError) as error:  # what the first statements meet is not wrapped
        found = [str(getattr(error, "orig", error))]
    if found != ["ok"]:
        raise DamagedStore(f"{file} is damaged ({'; '.join(found)}); restore a backup")
