"""Secrets: encrypted, private, durable, erasable, and bound to their place."""

import asyncio
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from syncd.store.secrets import MasterKeyUnusable, Secrets, SecretUnreadable

CANARY = "canary-7f3a"


async def test_a_secret_is_given_back_after_a_restart(tmp_path: Path) -> None:
    """What was put last counts, by connection and name; what was never put is None."""
    secrets = await Secrets.open(tmp_path, None)
    await secrets.put("books", "token", "old")
    await secrets.put("books", "token", "new")
    await secrets.put("crm", "token", "other")
    again = await Secrets.open(tmp_path, None)
    assert await again.get("books", "token") == "new"
    assert await again.get("crm", "token") == "other"
    assert await again.get("books", "refresh") is None


async def test_a_keeper_is_one_connections(tmp_path: Path) -> None:
    """It reads and writes the same secrets, by name alone."""
    secrets = await Secrets.open(tmp_path, None)
    await secrets.keeper("books").put("token", "x")
    assert await secrets.keeper("books").get("token") == await secrets.get("books", "token") == "x"
    assert await secrets.keeper("crm").get("token") is None


async def test_nothing_on_disk_shows_a_secret(tmp_path: Path) -> None:
    """No file of the directory holds it in clear, and none can be read by others."""
    umask = os.umask(0)
    try:
        secrets = await Secrets.open(tmp_path, None)
        await secrets.put("books", "token", CANARY)
    finally:
        os.umask(umask)
    files = list(tmp_path.iterdir())
    assert {file.name for file in files} == {"secrets.db", "master_key"}
    assert all(CANARY.encode() not in file.read_bytes() for file in files)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_erasing_overwrites(tmp_path: Path) -> None:
    """All secrets of the connection are gone, the others stay, and the ciphertext is no longer in the file."""
    secrets = await Secrets.open(tmp_path, None)
    await secrets.put("books", "token", "x")
    await secrets.put("books", "refresh", "y")
    await secrets.put("crm", "token", "z")
    with sqlite3.connect(tmp_path / "secrets.db") as database:
        sealed = [row[0] for row in database.execute("SELECT sealed FROM secrets WHERE connection = 'books'")]
    database.close()
    await secrets.erase("books")
    assert [await secrets.get("books", "token"), await secrets.get("books", "refresh")] == [None, None]
    assert await secrets.get("crm", "token") == "z"
    content = (tmp_path / "secrets.db").read_bytes()
    assert not any(one in content for one in sealed)


async def test_a_row_cannot_be_moved(tmp_path: Path) -> None:
    """A secret copied to another connection's row is refused, and the message holds no secret."""
    secrets = await Secrets.open(tmp_path, None)
    await secrets.put("books", "token", CANARY)
    with sqlite3.connect(tmp_path / "secrets.db") as database:
        database.execute("UPDATE secrets SET connection = 'crm'")
    database.close()
    with pytest.raises(SecretUnreadable, match="belongs elsewhere") as caught:
        await secrets.get("crm", "token")
    assert CANARY not in str(caught.value)


async def test_a_handed_in_master_key_is_used(tmp_path: Path) -> None:
    """The service manager's key comes first and no other is made; without it the secret stays closed."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "master_key").write_bytes(Fernet.generate_key())
    state = tmp_path / "state"
    state.mkdir()
    secrets = await Secrets.open(state, credentials)
    await secrets.put("books", "token", "x")
    assert not (state / "master_key").exists()
    with pytest.raises(MasterKeyUnusable, match="put it back"):
        await Secrets.open(state, None)
    (credentials / "master_key").write_bytes(Fernet.generate_key())
    with pytest.raises(SecretUnreadable, match="another master key"):
        await (await Secrets.open(state, credentials)).get("books", "token")


async def test_a_key_is_replaced_by_putting_a_new_one_on_top(tmp_path: Path) -> None:
    """Old secrets still open, new ones are encrypted with the new key."""
    await (await Secrets.open(tmp_path, None)).put("books", "old", "1")
    key_file = tmp_path / "master_key"
    old, new = key_file.read_bytes(), Fernet.generate_key()
    key_file.write_bytes(new + b"\n" + old)
    rotated = await Secrets.open(tmp_path, None)
    assert await rotated.get("books", "old") == "1"
    await rotated.put("books", "new", "2")
    key_file.write_bytes(new)
    assert await (await Secrets.open(tmp_path, None)).get("books", "new") == "2"


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"x" * 44])
async def test_a_malformed_key_is_told_by_file(tmp_path: Path, content: bytes) -> None:
    """The message names the file and what belongs in it."""
    key_file = tmp_path / "master_key"
    key_file.write_bytes(content)
    key_file.chmod(0o600)
    with pytest.raises(MasterKeyUnusable, match=r"master_key holds no valid key"):
        await Secrets.open(tmp_path, None)


async def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    """A copied key file with a careless mode is told, not used."""
    key_file = tmp_path / "master_key"
    key_file.write_bytes(Fernet.generate_key())
    key_file.chmod(0o640)
    with pytest.raises(MasterKeyUnusable, match="0600"):
        await Secrets.open(tmp_path, None)


async def test_a_put_that_fails_keeps_the_old_secret(tmp_path: Path) -> None:
    """A full disk while a token is rotated raises, and the stored token is still the old one."""
    secrets = await Secrets.open(tmp_path, None)
    await secrets.put("books", "token", "old")
    blocker = sqlite3.connect(tmp_path / "secrets.db")
    blocker.execute("CREATE TRIGGER full BEFORE INSERT ON secrets BEGIN SELECT RAISE(ABORT, 'full'); END")
    blocker.close()
    with pytest.raises(sqlite3.IntegrityError, match="full"):
        await secrets.put("books", "token", "new")
    assert await secrets.get("books", "token") == "old"


async def test_whoever_renews_is_alone_and_a_dead_process_lets_go(tmp_path):
    """Two processes on one state take turns for a connection; another connection does not wait for them."""
    first, second = await Secrets.open(tmp_path, None), await Secrets.open(tmp_path, None)
    turns = []

    async def renew(secrets, name):
        async with secrets.keeper("books/1").alone():
            turns.append(name)
            await asyncio.sleep(0.01)
            turns.append(name)

    with suppress(RuntimeError):
        async with first.keeper("books/1").alone():
            raise RuntimeError("killed")
    async with first.keeper("crm").alone():
        await asyncio.gather(renew(first, "a"), renew(second, "b"))

    assert turns in (["a", "a", "b", "b"], ["b", "b", "a", "a"])
