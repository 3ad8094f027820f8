"""After an old state was put back: what was done since is found again before anything is created.

Nothing is decided until both sides of everything were polled from where the old state had come to: what it misses is
then known, and what we made carries our reference. Every record without a counterpart is looked at anew; those that had
one meet it without a base they could trust (`core.reconcile`).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import structlog

from syncd.engine import Engine
from syncd.incarnation import RENEW_SECONDS, SINCE, Incarnation
from syncd.situation import Situation
from syncd.store.errors import StoreError
from syncd.store.store import Tx

log = structlog.get_logger("syncd.state")


class Readoption:
    """How far an old state has caught up; nothing to do for any other."""

    def __init__(self, engine: Engine, situation: Situation, incarnation: Incarnation | None) -> None:
        self._engine = engine
        self._situation = situation
        self._incarnation = incarnation
        self._polled: set[str] = set()
        self._sent = 0
        self._renewed = engine.clock.monotonic()

    async def load(self, *, first: bool) -> None:
        """Recognise an old state, or one that was one when it was last used.

        Args:
            first: this process begins; otherwise it only reads its configuration anew.
        """
        if self._incarnation is not None and first:
            await self._incarnation.recognise(self._engine.clock.now())
        since = await self._engine.store.read(lambda tx: tx.meta(SINCE))
        self._engine.restored = since is not None
        self._situation.restored = datetime.fromisoformat(since) if since else None

    def polled(self, connection: str) -> None:
        """A connection has told everything that has changed."""
        self._polled.add(connection)

    def holds(self) -> bool:
        """Whether nothing may be decided yet."""
        return self._situation.restored is not None and not self._polled >= self._engine.connectors.keys()

    async def settle(self, *, idle: bool, sent: int) -> None:
        """Called after each round.

        Args:
            idle: nothing was due. sent: how many requests were sent so far.
        """
        if idle and self._situation.restored is not None and not self.holds():
            left = await self._engine.store.write(self._done)
            if left is not None:
                self._situation.restored = None
                log.info("state.readopted", held=left)
        if self._engine.clock.monotonic() - self._renewed >= RENEW_SECONDS:
            await self._renew(sent)

    async def leave(self, sent: int) -> None:
        """Called at the end."""
        with suppress(StoreError):  # whoever has it locked: the next start does the same
            await self._renew(sent)

    async def _renew(self, sent: int) -> None:
        if self._incarnation is not None and sent != self._sent:
            self._sent, self._renewed = sent, self._engine.clock.monotonic()
            await self._incarnation.renew()

    def _done(self, tx: Tx) -> int | None:
        """How many records are left that did not meet their counterparts yet; None while some are still due."""
        now, engine = self._engine.clock.now(), self._engine
        names = [sync.name for sync in engine.syncs]
        if tx.due_changes(sorted(engine.connectors), now, 1) or tx.due_records(names, now, 1):
            return None
        tx.set_meta(SINCE, "")
        return tx.trust_the_synced()
