"""Whole copies of a SQLite state, made through SQLite while others use it, and putting one back.

A copy says of itself that it is one, so that whoever starts from it knows that more has happened since.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from syncd.store.errors import DamagedStore, NotAState

EPOCH = "epoch"
"""The fact by which a state is told from older ones of itself; see `syncd.incarnation`."""
LAST = "backup:last"
"""The fact that holds when the last backup was made."""
WAIT_SECONDS = 60.0
COMPANIONS = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a file


def copy_whole(source: Path, copy: Path, mark: str) -> None:
    """Copy a state to a new private file, checked, that is there completely or not at all.

    Args:
        mark: what the copy says it is.

    Raises:
        DamagedStore: the copy fails SQLite's check, hence so does what it was made from.
        NotAState: it is no SQLite file, or holds no state.
    """
    unfinished = copy.with_name(f"{copy.name}.part")
    unfinished.unlink(missing_ok=True)
    create_private(unfinished)
    try:
        with _opened(source, "?mode=ro") as here, _opened(unfinished) as there:
            here.backup(there)
            there.execute("PRAGMA journal_mode = DELETE")  # one plain file, also where it is read-only
            found = [str(row[0]) for row in there.execute("PRAGMA quick_check(5)")]
            if found != ["ok"]:
                raise DamagedStore(f"{source} is damaged ({'; '.join(found)}); take an older one")
            _set(there, EPOCH, mark)
            there.execute("PRAGMA synchronous = EXTRA")
        _durable(unfinished)
        unfinished.replace(copy)
        _durable(copy.parent)
    except sqlite3.OperationalError as error:
        raise NotAState(f"{source} cannot be copied: {error}") from error
    except sqlite3.DatabaseError as error:
        raise NotAState(f"{source} holds no state: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def note_backup(file: Path, at: str) -> None:
    """Remember in the state itself when it was last copied."""
    with _opened(file) as database:
        _set(database, LAST, at)


def revision(file: Path) -> str:
    """The schema a state is at.

    Raises:
        NotAState: it is no SQLite file, or holds no state.
    """
    try:
        with _opened(file, "?mode=ro") as database:
            return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.Error, TypeError) as error:
        raise NotAState(f"{file} holds no state: {error}") from error


def put_in_place(copy: Path, file: Path, aside: Path) -> bool:
    """Let a copy take the place of a state that nobody uses; what was there goes aside. Whether there was something.

    At every moment there is a state: a start that found none would begin from nothing.
    """
    was_there = file.exists()
    if was_there:
        with contextlib.suppress(sqlite3.Error), _opened(file) as old:  # one that is damaged goes aside as it is
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.link(file, aside)
    for companion in COMPANIONS:
        beside = file.with_name(file.name + companion)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + companion))
    copy.replace(file)
    _durable(file.parent)
    return was_there


def prune(folder: Path, pattern: str, keep: int) -> int:
    """Remove all but the newest of the files that fit; returns how many went."""
    found = sorted(folder.glob(pattern), key=lambda path: (path.stat().st_mtime, path.name))
    old = found[: max(0, len(found) - keep)]
    for path in old:
        path.unlink()
    return len(old)


def create_private(file: Path) -> None:
    """The state holds personal data: its file is created for its owner alone (SQLite's companions inherit that)."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))


@contextlib.contextmanager
def _opened(file: Path, how: str = "?mode=rw") -> Iterator[sqlite3.Connection]:
    uri = f"{file.absolute().as_uri()}{how}"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=WAIT_SECONDS, isolation_level=None)) as database:
        yield database


def _set(database: sqlite3.Connection, key: str, value: str) -> None:
    given: Mapping[str, str] = {"key": key, "value": value}
    words = "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = :value"
    database.execute(words, given)


def _durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
