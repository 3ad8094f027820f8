"""Both databases, empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from tests import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield make_url(f"sqlite:///{tmp_path / 'state.db'}")
        return
    with postgres.database(request.getfixturevalue("postgres_server")) as url:
        yield make_url(url)
