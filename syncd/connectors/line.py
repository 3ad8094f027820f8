"""The calls of one account, standing in line until the vendor's limits let them go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from math import inf

import anyio

from syncd.clock import Clock
from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.errand import Errand, present
from syncd.core.pacing import Pacer
from syncd.core.queueing import Queue, Waiting

LONGEST_STAY = 90.0  # seconds: while nothing may leave for longer, the connection says so and nobody stands in line


class GaveWay(Exception):
    """Nothing was sent: the errand would not wait any longer."""


class Line:
    """Lets calls go at the pacer's pace, the most urgent first."""

    def __init__(self, pacer: Pacer, clock: Clock) -> None:
        self._pacer = pacer
        self._clock = clock
        self._queue = Queue(pacer)
        self._called: dict[Waiting, anyio.Event] = {}
        self._landing = anyio.Event()

    @asynccontextmanager
    async def place(self, sort: str, *, patient: bool) -> AsyncIterator[None]:
        """Wait for room; the block is the call.

        Args:
            patient: wait however long it takes, whatever the errand says.

        Raises:
            GaveWay: the errand would not wait.
            ConnectionTrouble: nothing may leave for long.
        """
        await self._enter(present(), sort, patient)
        try:
            yield
        finally:
            self._land(sort)

    async def _enter(self, errand: Errand, sort: str, patient: bool) -> None:
        called = anyio.Event()
        mine = self._queue.join(errand.priority, errand.sync, sort)
        self._called[mine] = called
        try:
            await self._stand(called, None if patient else errand)
        except BaseException:
            if self._called.pop(mine, None) is not None:
                self._queue.leave(mine)
            else:  # it was let go at this very moment, and does not leave after all
                self._land(sort)
            raise

    async def _stand(self, called: anyio.Event, errand: Errand | None) -> None:
        until = self._clock.monotonic() + (errand.patience if errand else inf)
        gives_way = errand.gives_way if errand else None
        while True:
            wait = self._admit()
            if called.is_set():
                if errand:
                    errand.left = True
                return
            now = self._clock.monotonic()
            if (closed := self._pacer.closed(now)) > LONGEST_STAY:
                words = "the calls the vendor allows are used up"
                raise ConnectionTrouble(Condition.QUOTA_EXHAUSTED, words, closed)
            if errand and (now >= until or (gives_way is not None and gives_way.is_set())):
                errand.gave_up = True
                raise GaveWay("there was no room")
            await self._rest(min(wait, until - now), called, self._landing, gives_way)

    def _admit(self) -> float:
        """Let go whoever may; returns the seconds until the next might."""
        admitted, wait = self._queue.admit(self._clock.monotonic())
        for one in admitted:
            self._called.pop(one).set()
        return wait

    def _land(self, sort: str) -> None:
        self._pacer.landed(self._clock.monotonic(), sort)
        self._admit()
        # Whoever could not know how long to wait asks again.
        self._landing.set()
        self._landing = anyio.Event()

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
