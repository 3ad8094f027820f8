"""The hours behind us, for the small charts: they change once an hour, and are read again once a minute at most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncd.clock import Clock

if TYPE_CHECKING:
    from syncd.store.rows import HourRow
    from syncd.store.store import Tx

FRESH_SECONDS = 60.0


def kept(tx: Tx, now: datetime, hours: int, every: int = 1) -> list[HourRow]:
    """What is kept of the last `hours`, one in `every` of them."""
    begun = now.replace(minute=0, second=0, microsecond=0)
    some = [] if every == 1 else [begun - timedelta(hours=back) for back in range(0, hours, every)]
    return tx.hourly(now - timedelta(hours=hours), some)


class Past:
    """Of the last `hours` one in `every`, remembered for a minute."""

    def __init__(self, clock: Clock, hours: int, every: int) -> None:
        self.hours = hours
        self._every = every
        self._clock = clock
        self._rows: Sequence[HourRow] = ()
        self._read_at: float | None = None

    def rows(self, tx: Tx, now: datetime) -> Sequence[HourRow]:
        """Runs beside other requests: two that meet read the same twice, and either may stay."""
        at = self._clock.monotonic()
        if self._read_at is None or at - self._read_at > FRESH_SECONDS:
            self._rows, self._read_at = kept(tx, now, self.hours, self._every), at
        return self._rows
