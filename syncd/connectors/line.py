"""The calls of one account, standing in line until the vendor's limits let them go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf

import anyio

from syncd.clock import Clock
from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.errand import Errand, present
from syncd.core.pacing import SHORTEST_WAIT, Pacer
from syncd.core.queueing import Queue, Waiting

LONGEST_STAY = 90.0  # seconds: while nothing may leave for longer, the connection says so and nobody stands in line


class GaveWay(Exception):
    """Nothing was sent: the errand would not wait any longer."""


@dataclass(slots=True, eq=False)
class _Stand:
    """One who stands in line. `nudge`: look around again."""

    called: bool = False
    nudge: anyio.Event = field(default_factory=anyio.Event)


class Line:
    """Lets calls go at the pacer's pace, the most urgent first.

    One of those who wait keeps the time for all; the others sleep until they are called.
    """

    def __init__(self, pacer: Pacer, clock: Clock) -> None:
        self._pacer = pacer
        self._clock = clock
        self._queue = Queue(pacer)
        self._stands: dict[Waiting, _Stand] = {}
        self._keeper: _Stand | None = None
        self._alarm = inf  # when the keeper looks around again

    @asynccontextmanager
    async def place(self, sort: str, *, patient: bool) -> AsyncIterator[None]:
        """Wait for room; the block is the call.

        Args:
            patient: wait however long it takes, whatever the errand says.

        Raises:
            GaveWay: the errand would not wait.
            ConnectionTrouble: nothing may leave for long.
        """
        errand = present()
        if self._queue or self._pacer.reserve(self._clock.monotonic(), errand.priority, sort) > 0:
            await self._enter(errand, sort, patient)
        if not patient:
            errand.left = True
        try:
            yield
        finally:
            self._land(sort)

    async def _enter(self, errand: Errand, sort: str, patient: bool) -> None:
        mine = self._queue.join(errand.priority, errand.sync, sort)
        stand = self._stands[mine] = _Stand()
        try:
            await self._wait(stand, None if patient else errand)
        except BaseException:
            if stand.called:  # let go at this very moment, and does not leave after all
                self._land(sort)
            else:
                del self._stands[mine]
                self._queue.leave(mine)
            raise
        finally:
            if self._keeper in (stand, None):
                # Whoever is asked may be called before it has woken, and then asks the next.
                self._keeper = None
                for other in self._stands.values():
                    other.nudge.set()
                    break

    async def _wait(self, stand: _Stand, errand: Errand | None) -> None:
        until = self._clock.monotonic() + (errand.patience if errand else inf)
        gives_way = errand.gives_way if errand else None
        while True:
            self._review()
            if stand.called:
                return
            now = self._clock.monotonic()
            if (closed := self._pacer.closed(now)) > LONGEST_STAY:
                words = "the calls the vendor allows are used up"
                raise ConnectionTrouble(Condition.QUOTA_EXHAUSTED, words, closed)
            if errand and (now >= until or (gives_way is not None and gives_way.is_set())):
                errand.gave_up = True
                raise GaveWay("there was no room")
            self._keeper = self._keeper or stand
            end = min(until, self._alarm) if self._keeper is stand else until
            await self._rest(end - now, stand.nudge, gives_way)
            if stand.nudge.is_set() and not stand.called:
                stand.nudge = anyio.Event()

    def _review(self) -> None:
        """Let go whoever may, and see to it that somebody looks again when the next might."""
        now = self._clock.monotonic()
        admitted, wait = self._queue.admit(now)
        for one in admitted:
            stand = self._stands.pop(one)
            stand.called = True
            stand.nudge.set()
        before, self._alarm = self._alarm, now + wait
        if self._keeper is not None and self._alarm < before - SHORTEST_WAIT:
            self._keeper.nudge.set()

    def _land(self, sort: str) -> None:
        self._pacer.landed(self._clock.monotonic(), sort)
        if self._queue:
            self._review()

    async def _rest(self, seconds: float, *events: anyio.Event | None) -> None:
        """Wait for the time to pass or one of the events, whichever is first."""
        async with anyio.create_task_group() as group:

            async def first(wait: Callable[[], Awaitable[None]]) -> None:
                await wait()
                group.cancel_scope.cancel()

            for event in events:
                if event is not None:
                    group.start_soon(first, event.wait)
            if seconds < inf:
                group.start_soon(first, lambda: self._clock.sleep(seconds))
