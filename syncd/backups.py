"""`syncd backup` and `syncd restore`: where copies of the state lie, how many are kept, and what a restore demands."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from syncd.config import DATABASE_FILE, Config
from syncd.errors import UsageError
from syncd.ownership.local import owned
from syncd.store import backups, migrate
from syncd.store.errors import NewerSchema

FOLDER = "backups"


@dataclass(frozen=True, slots=True)
class Place:
    """A state that lives in a SQLite file."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / DATABASE_FILE

    @classmethod
    def of(cls, config: Config) -> Place:
        """The state of a configuration.

        Raises:
            UsageError: it lives in PostgreSQL.
        """
        if config.daemon.database is not None:
            words = "the state lives in PostgreSQL: use pg_dump to copy it and pg_restore to put it back"
            raise UsageError(f"{words}; a start after that looks for what it misses")
        return cls(config.state_dir)


def backup(place: Place, to: Path | None, keep: int, now: datetime) -> dict[str, Any]:
    """Copy the state, also while a daemon uses it; of its own copies the newest `keep` stay.

    Raises:
        UsageError: there is no state, or the file is there already. StoreError: the state is damaged.
    """
    if not place.file.exists():
        raise UsageError(f"{place.folder} holds no state")
    folder = place.folder / FOLDER
    if to is None:
        folder.mkdir(mode=0o700, exist_ok=True)
        _give_to_owner(place.folder, folder)
    target = to or folder / f"syncd-{_stamp(now)}.db"
    if target.exists():
        raise UsageError(f"{target} is there already; nothing is overwritten")
    if not target.parent.is_dir():
        raise UsageError(f"{target.parent} is no directory")
    backups.copy_whole(place.file, target, f"backup {now.isoformat()}")
    _give_to_owner(target.parent, target)
    backups.note_backup(place.file, now.isoformat())
    pruned = backups.prune(folder, "syncd-*.db", keep) if to is None else 0
    return {"written": str(target), "bytes": target.stat().st_size, "pruned": pruned}


def restore(place: Place, source: Path, now: datetime) -> dict[str, Any]:
    """Put a copy in the place of the state; what was there is kept beside it.

    Raises:
        StateBusy: a daemon runs. UsageError: there is no such file. NewerSchema: a later release made the copy.
        StoreError: it is damaged, or no copy of a state.
    """
    if not source.is_file():
        raise UsageError(f"{source} is no file")
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with owned(place.folder, "restore"):
        if not migrate.usable(found := backups.revision(source)):
            raise NewerSchema(migrate.too_new(found))
        copy = place.file.with_name(f"{DATABASE_FILE}.restoring")
        backups.copy_whole(source, copy, f"restored {now.isoformat()}")
        _give_to_owner(place.folder, copy)
        aside = place.file.with_name(f"{DATABASE_FILE}.replaced-{_stamp(now)}")
        replaced = backups.put_in_place(copy, place.file, aside)
    return {"restored": str(source), "state": str(place.file), "replaced": str(aside) if replaced else None}


def _stamp(now: datetime) -> str:
    return f"{now:%Y%m%dT%H%M%S.%fZ}"


def _give_to_owner(like: Path, made: Path) -> None:
    """What an administrator makes in a service's directory is the service's."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(made, owner.st_uid, owner.st_gid)
