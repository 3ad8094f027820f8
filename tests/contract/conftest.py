"""What contract tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, MultiFernet
from sqlalchemy import create_engine

from syncd.store.schema import metadata
from syncd.store.store import Store
from tests import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="module")
def postgres_database(postgres_server: str) -> Iterator[str]:
    with postgres.database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "inline", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store on each database the contract holds for; values that are encrypted at rest are."""
    cipher = MultiFernet([Fernet(Fernet.generate_key())])
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_database")
        opened = await Store.open(url, cipher=cipher)
        _empty(url)
    elif request.param == "inline":
        opened = await Store.open("sqlite://", cipher=cipher, inline=True)
    else:
        opened = await Store.open(f"sqlite:///{tmp_path / 'state.db'}", cipher=cipher)
    yield opened
    await opened.close()


def _empty(url: str) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.exec_driver_sql(f"TRUNCATE {names}")
    engine.dispose()
