"""What contract tests share."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, MultiFernet
from sqlalchemy import URL

from syncd.store import migrate
from syncd.store.schema import metadata
from syncd.store.store import Store, Tx
from tests import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="module")
def postgres_database(postgres_server: str) -> Iterator[str]:
    with postgres.database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty state at head, to be copied: migrating anew for every test would take most of their time."""
    file = tmp_path_factory.mktemp("state") / "state.db"
    migrate.prepare(URL.create("sqlite", database=str(file)))
    return file


@pytest.fixture(params=["sqlite", "inline", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> AsyncIterator[Store]:
    """An empty store on each database the contract holds for; values that are encrypted at rest are."""
    cipher = MultiFernet([Fernet(Fernet.generate_key())])
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_database")
        opened = await Store.open(url, cipher=cipher)
        await opened.write(_empty)
    else:
        file = shutil.copy(migrated_file, tmp_path)
        opened = await Store.open(f"sqlite:///{file}", cipher=cipher, inline=request.param == "inline")
    yield opened
    await opened.close()


def _empty(tx: Tx) -> None:
    for table in reversed(metadata.sorted_tables):
        tx._connection.execute(table.delete())
