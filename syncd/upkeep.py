"""Housekeeping of a running daemon: old content goes, and the kept counts are held against the records."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from syncd.config import Config
from syncd.engine import Engine
from syncd.erasure import SCRUB, thoroughly
from syncd.guard import PAST
from syncd.store.rows import Retention
from syncd.store.store import Tx

log = structlog.get_logger("syncd.upkeep")

EVERY = 3600.0  # seconds between two rounds
KEEP_DELIVERIES = timedelta(days=7)  # longer than any vendor repeats a webhook
MOST_DELIVERIES = 500_000  # some 60 MB
KEEP_ACTIONS = timedelta(days=7)  # ended ones, for their idempotency keys; what came of them is in the activity
KEEP_SENDS = timedelta(days=2)  # the exact bytes of requests whose outcome is known; vendors forget keys sooner


class Upkeep:
    """Runs at most once an hour, in bounded batches; and notes the counts when an hour begins."""

    def __init__(self, engine: Engine, config: Config) -> None:
        self._engine = engine
        self._config = config
        self._next = engine.clock.monotonic() + EVERY
        self._hour: datetime | None = None

    async def run(self) -> None:
        """Do what is due; nothing most of the time."""
        await self._note_hour()
        if self._engine.clock.monotonic() < self._next:
            return
        self._next = self._engine.clock.monotonic() + EVERY
        pruned = await self._engine.store.write(self._prune)
        while found := await self._engine.store.write(self._prune_deliveries):
            pruned += found
        if await self._engine.store.read(lambda tx: tx.meta(SCRUB)) == "1":
            await thoroughly(self._config, self._engine.store)
            await self._engine.store.write(lambda tx: tx.set_meta(SCRUB, ""))
        wrong = await self._engine.store.read(lambda tx: tx.recount())
        if wrong:
            self._engine.meters.violations["counts"] += len(wrong)
            log.error("counts.wrong", differences=len(wrong))
        log.info("upkeep.done", pruned=pruned)

    async def _note_hour(self) -> None:
        hour = self._engine.clock.now().replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            await self._engine.store.write(lambda tx: tx.note_hour(hour))
            self._hour = hour

    def _prune(self, tx: Tx) -> int:
        now = self._engine.clock.now()
        tx.drop_sends(now - KEEP_SENDS)
        tx.drop_actions(now - KEEP_ACTIONS)
        tx.drop_tallies(now - PAST)
        return tx.prune(now, Retention())

    def _prune_deliveries(self, tx: Tx) -> int:
        return tx.prune_deliveries(self._engine.clock.now() - KEEP_DELIVERIES, MOST_DELIVERIES)
