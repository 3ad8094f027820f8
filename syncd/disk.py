"""Room on the disk. Below a reserve nothing new is taken in and nothing is sent; reading goes on.

A full disk refuses even the deletion of rows, so room can only be made from outside: work stops while there is still
enough of it to write down what is under way.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import structlog

from syncd.config import Config

log = structlog.get_logger("syncd.disk")

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that are free, and that must be."""

    free: int
    needed: int

    @property
    def low(self) -> bool:
        return self.free < self.needed

    def plain(self) -> dict[str, object]:
        """As the status shows it."""
        return {"state": "low" if self.low else "ok", "needed": self.needed}


def room(config: Config) -> Room:
    """The room on the disk that holds the state. The reserve is the larger of both settings."""
    usage, reserve = shutil.disk_usage(config.state_dir), config.daemon.disk_reserve
    return Room(usage.free, max(reserve.megabytes * MEGABYTE, usage.total * reserve.percent // 100))


class Disk:
    """Watches the disk that holds the state."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._was_low = False

    def low(self) -> bool:
        """Whether work has to wait. Logged when it changes."""
        found = room(self._config)
        if found.low != self._was_low:
            self._was_low = found.low
            if found.low:
                log.error("disk.low", free_mb=found.free // MEGABYTE, needed_mb=found.needed // MEGABYTE)
            else:
                log.info("disk.enough", free_mb=found.free // MEGABYTE)
        return found.low
