"""One daemon per state: a lock on a file beside it, held for the process's life and gone with it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncd.errors import StateBusy
from syncd.ownership.private import refuse_strangers

LOCK_NAME = "syncd.lock"


@contextmanager
def owned(state_dir: Path, purpose: str) -> Iterator[None]:
    """Own the state in this directory.

    Args:
        purpose: what this process does with it (`run`, `once`), for whoever finds it locked.

    Raises:
        StateBusy: another process owns it; says which.
        PermissionRefused: its files may be somebody else's.
    """
    refuse_strangers(state_dir)
    descriptor = os.open(state_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateBusy(f"{state_dir} is in use by {_holder(descriptor)}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"syncd {purpose}, process {os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
