"""What can be wrong with the state as a whole.

Error tree::

    StoreError          exit code 78
        NewerSchema     written by a later release than this one
        DamagedStore    the file fails its own check
        SealedStore     encrypted values, and no key to open them
        NotAState       a file that is no copy of a state
        StoreLocked     another process does not let go of it (exit code 75)
        StoreFull       there is no room on its disk (exit code 75)
"""

from __future__ import annotations

from syncd.errors import Exit, SyncdError


class StoreError(SyncdError):
    """The state cannot be used. The message says why and what to do."""

    exit = Exit.CONFIGURATION


class NewerSchema(StoreError):
    """The schema is not one this release knows."""


class DamagedStore(StoreError):
    """SQLite's own check of the file fails."""


class SealedStore(StoreError):
    """A stored value is encrypted and the key is missing or another one."""


class StoreLocked(StoreError):
    """Another process holds the database's write lock, and did for long."""

    exit = Exit.BUSY


class StoreFull(StoreError):
    """There is no room on the disk. Nothing of the transaction is stored, and the next one may go through."""

    exit = Exit.BUSY


class NotAState(StoreError):
    """A file was to be a state, or a copy of one, and is none."""


def is_locked(error: BaseException) -> bool:
    """Whether this, or all of this, comes from a database that is held by another process."""
    return _all(error, StoreLocked)


def is_full(error: BaseException) -> bool:
    """Whether this, or all of this, comes from a disk that is full."""
    return _all(error, StoreFull)


def _all(error: BaseException, kind: type[StoreError]) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return error.split(kind)[1] is None
    return isinstance(error, kind)
