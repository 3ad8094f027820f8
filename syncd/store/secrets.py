"""Secrets: in a file of their own, encrypted, never in a backup and never rolled back with the state.

A rotated token is lost for good if it is not on disk before the old one is replaced, so a `put` is durable when it
returns. The master key comes from the service manager (`$CREDENTIALS_DIRECTORY/master_key`), else from a file beside
`secrets.db`. It holds one Fernet key a line: the first encrypts, all decrypt, so a new key is put on top and the old
one stays below.

Error tree::

    SecretsError            exit code 77
        MasterKeyUnusable   the key file is empty, malformed or readable by others
        SecretUnreadable    encrypted by another master key, or moved to another place
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import anyio
import anyio.to_thread
import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from syncd.errors import Exit, SyncdError

_FILE = "secrets.db"
_KEY_FILE = "master_key"
_LOOK_AGAIN = 0.05  # seconds; another process renews its tokens in about as long as one request takes
_TABLE = """
CREATE TABLE IF NOT EXISTS secrets (
    connection TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (connection, name)
) WITHOUT ROWID
"""


class SecretsError(SyncdError):
    """A secret cannot be kept or given. The message never holds one."""

    exit = Exit.PERMISSION


class MasterKeyUnusable(SecretsError):
    """The file with the master key is not what it should be."""


class SecretUnreadable(SecretsError):
    """A stored secret cannot be opened."""


class Secrets:
    """Named secrets of connections, e.g. `("books", "refresh_token")`."""

    def __init__(self, file: Path, cipher: MultiFernet) -> None:
        self._file = file
        self.cipher = cipher
        """Also seals what the state keeps encrypted."""

    @property
    def directory(self) -> Path:
        """The state's directory."""
        return self._file.parent

    @classmethod
    async def open(cls, state_dir: Path, credentials_dir: Path | None) -> Secrets:
        """Open the secrets of a state directory; the first time with a new master key, unless one is handed in.

        Args:
            credentials_dir: the service manager's, `$CREDENTIALS_DIRECTORY`.

        Raises:
            MasterKeyUnusable: says which file, and why.
        """
        return await anyio.to_thread.run_sync(cls._open, state_dir, credentials_dir)

    @classmethod
    def _open(cls, state_dir: Path, credentials_dir: Path | None) -> Secrets:
        file = state_dir / _FILE
        cipher = _cipher(_master_key(state_dir, credentials_dir))
        with contextlib.suppress(FileExistsError):
            _write_private(file, b"")
        with _transaction(file) as database:
            database.execute(_TABLE)
        return cls(file, cipher)

    def keeper(self, connection: str) -> Keeper:
        """The same for one connection, by name alone: all that a connector gets to see."""
        return Keeper(self, connection)

    async def get(self, connection: str, name: str) -> str | None:
        """The secret, None when there is none.

        Raises:
            SecretUnreadable: it is there but cannot be opened.
        """
        return await anyio.to_thread.run_sync(self._get, connection, name)

    async def put(self, connection: str, name: str, value: str) -> None:
        """Store or replace a secret. On disk when this returns."""
        await anyio.to_thread.run_sync(self._put, connection, name, value)

    async def erase(self, connection: str) -> None:
        """Remove all secrets of a connection; their bytes are overwritten."""
        delete = "DELETE FROM secrets WHERE connection = ?"
        await anyio.to_thread.run_sync(partial(self._execute, delete, connection))

    def _get(self, connection: str, name: str) -> str | None:
        with _transaction(self._file) as database:
            query = "SELECT sealed FROM secrets WHERE connection = ? AND name = ?"
            row = database.execute(query, (connection, name)).fetchone()
        return None if row is None else self._opened(row[0], connection, name)

    def _opened(self, sealed: bytes, connection: str, name: str) -> str:
        try:
            owner, label, value = msgspec.json.decode(self.cipher.decrypt(sealed), type=tuple[str, str, str])
        except (InvalidToken, msgspec.MsgspecError) as error:
            raise SecretUnreadable(f"{name} of {connection} was encrypted with another master key") from error
        if (owner, label) != (connection, name):
            raise SecretUnreadable(f"what is stored as {name} of {connection} belongs elsewhere")
        return value

    def _put(self, connection: str, name: str, value: str) -> None:
        # The place is sealed in with the value, so that rows cannot be swapped.
        sealed = self.cipher.encrypt(msgspec.json.encode((connection, name, value)))
        self._execute("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)", connection, name, sealed)

    def _execute(self, statement: str, *values: str | bytes) -> None:
        with _transaction(self._file) as database:
            database.execute(statement, values)


@dataclass(frozen=True, slots=True)
class Keeper:
    """The secrets of one connection."""

    secrets: Secrets
    connection: str

    async def get(self, name: str) -> str | None:
        return await self.secrets.get(self.connection, name)

    async def put(self, name: str, value: str) -> None:
        await self.secrets.put(self.connection, name, value)

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """While the block runs no other process that asks for the same is in its own; a killed one lets go."""
        lock = self.secrets.directory / f"tokens-{quote(self.connection, safe='')}.lock"
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            while not _locked(descriptor):  # noqa: ASYNC110 - no event tells of another process's lock
                await anyio.sleep(_LOOK_AGAIN)
            yield
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _transaction(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection for one durable transaction: secrets are rare, so none stays open."""
    with contextlib.closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as database:
        # One plain file: no write-ahead log in which an erased secret lives on; EXTRA also syncs the directory.
        for pragma in ("journal_mode = DELETE", "synchronous = EXTRA", "secure_delete = ON"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN IMMEDIATE")
        yield database
        database.execute("COMMIT")


def _master_key(state_dir: Path, credentials_dir: Path | None) -> Path:
    """The file that holds it; made on the first start where nobody hands one in."""
    if credentials_dir is not None and (handed_in := credentials_dir / _KEY_FILE).is_file():
        return handed_in
    own = state_dir / _KEY_FILE
    if not own.exists():
        if (state_dir / _FILE).exists():
            raise MasterKeyUnusable(f"{own} is missing, and {_FILE} cannot be opened without it; put it back")
        _write_private(own, Fernet.generate_key() + b"\n")
    if own.stat().st_mode & 0o077:
        raise MasterKeyUnusable(f"{own} can be read by others than its owner; set its mode to 0600")
    return own


def _cipher(key_file: Path) -> MultiFernet:
    try:
        return MultiFernet([Fernet(line) for line in key_file.read_bytes().split()])
    except ValueError as error:
        raise MasterKeyUnusable(f"{key_file} holds no valid key: one line of 44 characters, url-safe base64") from error


def _write_private(file: Path, content: bytes) -> None:
    """Create a file that only its owner can read, on disk when this returns.

    Raises:
        FileExistsError: it is there already.
    """
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
