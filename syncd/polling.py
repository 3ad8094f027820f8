"""When each connection is polled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from syncd.connectors.base import ConnectionTrouble

if TYPE_CHECKING:
    from syncd.running import App

POLL_SECONDS = 60.0  # between two polls of a connection that no sync uses


class Polls:
    """Polls the connections of one app, each in its own interval and all at the same time."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._next: dict[str, float] = {}

    async def run(self, *, everything: bool = False) -> int:
        """Poll the connections that are due (or all that can be used); returns how many entities are news."""
        app, found = self._app, list[int]()
        if app.disk.low():
            return 0
        async with anyio.create_task_group() as group:
            for name in app.engine.connectors:
                if app.health.usable(name) and (everything or self._due(name)):
                    self._next[name] = app.clock.monotonic() + self._interval(name)
                    group.start_soon(self._one, name, found)
        return sum(found)

    def soon(self) -> list[float]:
        """Seconds until each connection's next poll."""
        return [self._next.get(name, 0.0) - self._app.clock.monotonic() for name in self._app.engine.connectors]

    async def _one(self, name: str, found: list[int]) -> None:
        app = self._app
        try:
            await app.accounts.meet(name)
            found.append(await app.poller.poll(name))
            app.readoption.polled(name)
        except ConnectionTrouble as trouble:
            trouble.connection = name
            await app.health.trouble(trouble)

    def _due(self, name: str) -> bool:
        return self._next.get(name, 0.0) <= self._app.clock.monotonic() or not self._app.health.fine(name)

    def _interval(self, name: str) -> float:
        used = [s.poll for s in self._app.config.syncs.values() if name in (s.left, s.right)]
        return min(used).total_seconds() if used else POLL_SECONDS
