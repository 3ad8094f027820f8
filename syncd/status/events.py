"""What moves, as it moves: one watcher looks at the store once a second while anybody listens, and tells everyone.

Between two looks everything is told once: the totals that are different, and the records that something happened to.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

from syncd.status.source import StatusSource
from syncd.store.rows import NOTE, CountRow

log = structlog.get_logger("syncd.status")

LOOK_SECONDS = 1.0
MOST_LISTENERS = 64
MOST_IDS = 500  # told by name; more at once than anybody has on a page

Totals = Counter[tuple[str, str, str]]
"""How many records by sync, flow and status."""


class TooMany(Exception):
    """There is no room for another listener."""


class Events:
    """Everybody who listens, and the one task that looks."""

    def __init__(self, source: StatusSource) -> None:
        self._source = source
        self._listeners: set[asyncio.Queue[Moved | None]] = set()
        self._watcher: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[Moved | None]]:
        """What happens while the block runs; None when the daemon stops.

        Raises:
            TooMany: there is no room.
        """
        if len(self._listeners) >= MOST_LISTENERS:
            raise TooMany
        queue: asyncio.Queue[Moved | None] = asyncio.Queue()
        self._listeners.add(queue)
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            if not self._listeners:
                await self._stop()

    async def end(self, _: object = None) -> None:
        """Tell everybody that nothing more comes."""
        for queue in self._listeners:
            queue.put_nowait(None)

    async def _stop(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher

    async def _watch(self) -> None:
        seen: _Look | None = None
        while True:
            try:
                look = await self._look(None if seen is None else seen.number)
            except Exception:  # a disk that is full now may not be in a second; listeners only hear nothing meanwhile
                log.exception("status.watch_failed")
            else:
                if seen is not None and (moved := look.after(seen)):
                    for queue in self._listeners:
                        queue.put_nowait(moved)
                seen = look
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, number: int | None) -> _Look:
        (last, ids), counts = await self._source.store.read(lambda tx: (tx.moved_since(number), tx.counts()))
        return _Look(last, ids, _totals(counts))


class _Look:
    def __init__(self, number: int, ids: list[str], totals: Totals) -> None:
        self.number = number
        self._ids = ids
        self._totals = totals

    def after(self, earlier: _Look) -> Moved:
        keys = sorted({*self._totals, *earlier._totals})
        changed = [key for key in keys if self._totals[key] != earlier._totals[key]]
        told: Moved = {}
        if changed:
            told["counts"] = [
                {"sync": sync, "flow": flow, "status": status, "n": self._totals[sync, flow, status]}
                for sync, flow, status in changed
            ]
        if self._ids:
            told["records"] = {"ids": self._ids[:MOST_IDS], "n": len(self._ids)}
        return told


Moved = dict[str, Any]
"""Event name to its data: `counts` and `records`."""


def _totals(counts: list[CountRow]) -> Totals:
    totals: Totals = Counter()
    for row in counts:
        if row.status != NOTE:
            totals[row.sync, row.flow, row.status] += row.n
    return totals
