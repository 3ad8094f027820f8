"""Whether a state is its owner's alone: a file that somebody else could have put there or can read is not touched."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from syncd.errors import PermissionRefused

FILES = ("syncd.db*", "secrets.db*", "master_key", "*.lock")


def refuse_strangers(state_dir: Path) -> None:
    """Look at the directory and at the files of the state that are there.

    The directory itself may be a link: a service manager's is.

    Raises:
        PermissionRefused: names the file and the cure.
    """
    mode = state_dir.stat().st_mode
    if mode & stat.S_IWOTH:
        raise PermissionRefused(f"every user of this machine can put files into {state_dir}: chmod 700 {state_dir}")
    for path in sorted(found for pattern in FILES for found in state_dir.glob(pattern)):
        own = path.lstat()
        if not stat.S_ISREG(own.st_mode):
            raise PermissionRefused(f"{path} is a link or no file: put the file itself in its place")
        if mode & stat.S_IXOTH and own.st_mode & stat.S_IRWXO:  # in a closed directory nobody reaches it
            raise PermissionRefused(f"every user of this machine can open {path}: chmod 600 {path}")
        if own.st_uid not in (os.geteuid(), state_dir.stat().st_uid):
            raise PermissionRefused(
                f"{path} belongs to user {own.st_uid}: make sure it is the right file, then chown it"
            )
