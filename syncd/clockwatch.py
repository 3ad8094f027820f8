"""Notices that the machine's clock was set, or stood still while the machine slept, and keeps what waits in step.

Delays that must survive a restart are stored as moments of the wall clock, the only one that does. The steady clock of
this process tells when that one has jumped.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from syncd.engine import Engine
from syncd.health import Health

log = structlog.get_logger("syncd.clock")

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
SLEW = 2.0  # seconds: less is the clock being kept right, and no delay of ours is that exact


class ClockWatch:
    """Looks at both clocks, once a round."""

    def __init__(self, engine: Engine, health: Health) -> None:
        self._engine = engine
        self._health = health
        self._apart = self._difference()

    async def look(self) -> None:
        """Move what waits if the clock has jumped since the last look."""
        apart = self._difference()
        step = apart - self._apart
        if abs(step) < timedelta(seconds=SLEW):
            return
        now = self._engine.clock.now()
        log.warning("clock.stepped", seconds=round(step.total_seconds(), 1))
        await self._engine.store.write(lambda tx: tx.shift(step, now))
        self._health.shift(step)
        self._apart = apart

    def _difference(self) -> timedelta:
        """How far the clocks are apart, from whatever they count; only its changes matter."""
        clock = self._engine.clock
        return clock.now() - _EPOCH - timedelta(seconds=clock.monotonic())
