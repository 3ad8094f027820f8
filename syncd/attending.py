"""The daemon and whoever manages it: says when it is ready, that it is alive and how things stand, and is told to
read its configuration anew."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import structlog

from syncd.marks import Marks
from syncd.notify_systemd import Notifier
from syncd.reloading import Reloader
from syncd.store.errors import StoreError

if TYPE_CHECKING:
    from syncd.running import App

log = structlog.get_logger("syncd.daemon")

LOOK_SECONDS = 20.0  # between two looks at how things stand, where the watchdog wants no more


@dataclass(slots=True)
class Attendant:
    """Tells the service manager about one daemon."""

    app: App
    notifier: Notifier
    marks: Marks
    _probing: bool = False
    _said: str = field(default="")

    async def watch(self) -> None:
        """Look and tell, until cancelled."""
        every = min(LOOK_SECONDS, (self.notifier.watchdog or LOOK_SECONDS * 2) / 2)
        async with anyio.create_task_group() as group:
            while True:
                if not self._probing:
                    group.start_soon(self._probe)
                await self._tell()
                await anyio.sleep(every)

    async def _probe(self) -> None:
        """An empty transaction: where nothing happens, this shows that the writer would do it."""
        self._probing = True
        try:
            with suppress(StoreError):  # somebody has the database locked: the status says so, and the pulse goes on
                await self.app.store.write(lambda tx: None)
        finally:
            self._probing = False

    async def _tell(self) -> None:
        if (line := await self._line()) != self._said:
            self._said = line
            self.notifier.status(line)
        if stuck := self.marks.stuck():
            log.error("daemon.stuck", parts=stuck)
        else:
            self.notifier.alive()

    async def _line(self) -> str:
        counts = await self.app.store.read(lambda tx: tx.counts())
        found = {
            word: n
            for word in ("synced", "pending", "failed")
            if (n := sum(row.n for row in counts if row.status == word)) or word != "pending"
        }
        line = ", ".join(f"{n:,} {word}" for word, n in found.items())
        return f"{line}; {'; '.join(told)}" if (told := self.app.situation.told()) else line


@asynccontextmanager
async def attended(app: App, notifier: Notifier, until: anyio.Event) -> AsyncIterator[None]:
    """While the block runs the service manager is kept up to date, and SIGHUP reads the configuration anew."""
    reloader = Reloader(app, notifier)
    attendant = Attendant(app, notifier, Marks(app.engine, app.store.pulse))
    app.loop.between = reloader.look
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reloader.ask)

    async def farewell() -> None:
        await until.wait()
        notifier.stopping()

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(attendant.watch)
            group.start_soon(farewell)
            notifier.ready()
            yield
            group.cancel_scope.cancel()
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
