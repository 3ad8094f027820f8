"""The status API of a daemon that cannot write: it answers what is asked, and says why nothing can be done."""

import sqlite3

import aiohttp
import pytest

from syncd.model.token import Role, Token
from syncd.status.access import token_digest
from syncd.store import database
from syncd.store.database import Life
from syncd.store.store import Store
from tests.status_state import NOW, configuration, filled, served

API = "/api/v1"


@pytest.fixture
async def house(tmp_path):
    """A state with a record of each status, served."""
    store = await filled(tmp_path)
    token = Token(name="ops", role=Role.OPERATOR, digest=token_digest("ops"), created_at=NOW)
    await store.write(lambda tx: tx.add_token(token))
    headers = {"Authorization": "Bearer ops"}
    served_here = served(configuration(tmp_path), store)
    async with served_here as address, aiohttp.ClientSession(address, headers=headers) as http:
        yield http, store, tmp_path
    await store.close()


def allow(store: Store, pages: int) -> None:
    """How large the file may grow; SQLite never goes below what it has."""
    assert isinstance(store._database, Life)
    with store._database._writer.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


async def asked(http: aiohttp.ClientSession, most: int = 1) -> tuple[int, str]:
    """Somebody wants a record looked at, again and again: what is answered, and the problem."""
    async with http.get(f"{API}/records?limit=1") as listed:
        assert listed.status == 200
        record = (await listed.json())["records"][0]["id"]
    for _ in range(most):
        async with http.post(f"{API}/records/{record}/refresh", json={}) as answer:
            told = await answer.json()
            if answer.status >= 300:
                return answer.status, told["type"]
    return 200, ""


async def test_without_room_an_action_is_refused_and_reads_go_on(house):
    """507 with what to do; the same action is taken once there is room."""
    http, store, _ = house
    allow(store, 1)  # what is left of the file's last pages takes a few
    assert await asked(http, 200) == (507, "/problems/no_room")
    allow(store, 1_000_000)
    assert await asked(http) == (200, "")


async def test_while_another_process_has_the_database_an_action_is_put_off(house, monkeypatch):
    """503, and reads go on."""
    http, _, folder = house
    monkeypatch.setattr(database, "_PATIENCE", 1)
    other = sqlite3.connect(next(folder.rglob("*.db")), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await asked(http) == (503, "/problems/busy")
    other.close()
    assert await asked(http) == (200, "")
