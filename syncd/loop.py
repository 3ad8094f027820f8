"""The rounds everything is done in: poll what is due, decide, carry out; then sleep until there may be more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import structlog

from syncd.log_errors import place_of
from syncd.polling import Polls
from syncd.store.errors import is_full, is_locked

if TYPE_CHECKING:
    from syncd.running import App

log = structlog.get_logger("syncd.daemon")

STOP_SECONDS = 8.0  # how long requests that are out when we are told to stop are waited for
LONGEST_REST = 60.0  # seconds between rounds that fail
IDLE_SECONDS = 1.0  # how long the loop sleeps at least when nothing could be done
LONGEST_IDLE = 15.0  # and at most: a net under what should have woken it
LOCKED, FULL = "locked", "full"
FAULTY, NO_ROOM = "the last round failed; the log says why", "there is no room on the disk that holds the state"

Progress = Callable[[int, int], None]


class Loop:
    """Drives the parts of one app, which another configuration may replace between two rounds.

    Attributes:
        polls: when connections are polled. between: carried out between two rounds. faulty: why the last
            round failed as a whole; empty if it did not.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self.polls = Polls(app)
        self.between: Callable[[], Awaitable[None]] | None = None
        self.faulty = ""
        self._fault = ""
        self._rest = IDLE_SECONDS

    async def work(self, until: anyio.Event) -> None:
        """Go on until told to stop. What is under way then may end, unless a vendor keeps us waiting too long."""
        async with anyio.create_task_group() as group:
            group.start_soon(_leave, group.cancel_scope, until)
            while not until.is_set():
                if self.between is not None:
                    await self.between()
                self._app.bell.hush()
                if await self._round() == 0:
                    await self._app.bell.rest(await self._pause(), until)
            group.cancel_scope.cancel()

    async def drain(self, wait: float, progress: Progress | None = None) -> None:
        """Poll, work until nothing is due; wait at most so many seconds for what will be due soon."""
        app = self._app
        deadline = app.clock.monotonic() + wait
        await self.polls.run(everything=True)
        while True:
            sent = app.executor.sent
            while await self._settle() > 0:
                app.bell.hush()
                await self._report(progress)
            if app.executor.sent > sent and await self.polls.run(everything=True):
                continue  # what we wrote ourselves is known now too, and so is what a person did meanwhile
            pause = await self._soon()
            if pause is None or app.clock.monotonic() + pause > deadline:
                await app.showing.run(at_once=True)
                return
            await app.clock.sleep(pause)
            if not all(app.health.fine(name) for name in app.engine.connectors):
                await self.polls.run(everything=True)

    async def _round(self) -> int:
        """One round; what fails as a whole is tried again, more and more slowly, and makes the daemon unready."""
        app = self._app
        try:
            await app.watch.look()
            await app.upkeep.run()
            found = await self.step()
            await app.showing.run()
        except Exception as error:  # ours, or the disk's: it is in the log, and everything decided is still stored
            if is_locked(error):  # the status says so; nothing is lost by waiting
                if self._fault != LOCKED:
                    log.warning("database.locked")
                self._fault = LOCKED
                return 0
            full = is_full(error)
            if self._fault != (fault := FULL if full else place_of(error)):
                if full:
                    log.error("database.full")
                else:
                    log.exception("daemon.round_failed")
            self._fault = fault
            self._rest, self.faulty = min(LONGEST_REST, self._rest * 2), NO_ROOM if full else FAULTY
            return 0
        finally:
            app.engine.steps += 1
        if self._fault:
            log.info("daemon.round_works")
        self._rest, self.faulty, self._fault = IDLE_SECONDS, "", ""
        return found

    async def step(self) -> int:
        """Poll what is due, decide, carry out. Returns how much there was to do."""
        return await self.polls.run() + await self._settle()

    async def _settle(self) -> int:
        """Decide and carry out what is due. Returns how much there was to do."""
        app = self._app
        if not self._all_met() or app.disk.low() or app.readoption.holds():
            return 0
        moved = await app.turn.run() + await app.executor.flush() + await app.replanner.run()
        moved = moved or await self._review() or await app.backfiller.step()
        await app.readoption.settle(idle=moved == 0, sent=app.executor.sent)
        return moved

    async def _review(self) -> int:
        """When nothing is due: whether new syncs may go on by themselves."""
        app = self._app
        ready = [s for s in app.engine.syncs if app.health.fine(s.left) and app.health.fine(s.right)]
        waiting = [sync for sync in ready if app.gate.watches(sync.name)]
        return await app.store.write(lambda tx: app.gate.review(tx, waiting)) if waiting else 0

    def _all_met(self) -> bool:
        # Decisions need both accounts' settings; nothing is decided on guesses.
        return all(name in self._app.engine.accounts for name in self._app.engine.connectors)

    async def _pause(self) -> float:
        """Seconds until there may be something to do; what comes from outside rings the bell before."""
        if self.faulty or not self._all_met():
            return self._rest
        soon = await self._soon()
        return max(IDLE_SECONDS, min([LONGEST_IDLE, *self.polls.soon(), *([] if soon is None else [soon])]))

    async def _soon(self) -> float | None:
        """Seconds until the next thing is due; None when nothing is."""
        app = self._app
        if app.disk.low():
            return None  # only somebody else can make room, however long we wait
        now = app.clock.now()
        blocked = [row.retry_at for row in app.health.rows.values() if row.retry_at is not None and row.retry_at > now]
        if blocked:
            return max(0.05, (min(blocked) - now).total_seconds())
        due = await app.store.read(lambda tx: tx.next_due(list(app.engine.connectors)))
        return None if due is None else max(0.05, (due - now).total_seconds())

    async def _report(self, progress: Progress | None) -> None:
        if progress is not None:
            counts = await self._app.store.read(lambda tx: tx.counts())
            rows = [row for row in counts if row.status != "note"]
            progress(sum(r.n for r in rows if r.status != "pending"), sum(r.n for r in rows))


async def _leave(scope: anyio.CancelScope, until: anyio.Event) -> None:
    # A request that is cut off has been written down: what became of it is found out after the next start.
    await until.wait()
    await anyio.sleep(STOP_SECONDS)
    scope.cancel()
