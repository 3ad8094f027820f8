"""Whether the store's writer moves, and whether it waits for somebody else to let go of the database."""

from __future__ import annotations

import time


class Pulse:
    """Left by the writer's thread, looked at by others.

    Attributes:
        waiting: another process holds the database's write lock at this moment.
    """

    def __init__(self) -> None:
        self.waiting = False
        self._at = time.monotonic()

    def beat(self, *, waiting: bool = False) -> None:
        """A transaction came to its end, or one more try to begin it did."""
        self.waiting = waiting
        self._at = time.monotonic()

    def silent(self) -> float:
        """Seconds since the last sign of life."""
        return time.monotonic() - self._at
