"""Does what the world has to do by itself: carries out late commits, and sends webhooks, to this machine only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import aiohttp
from yarl import URL

from syncd.sandbox.outgoing import Attempt
from syncd.sandbox.world import World


class Courier:
    """Wakes up when something is due. `go_on` has to be called whenever something may have changed."""

    def __init__(self, world: World, session: aiohttp.ClientSession, now: Callable[[], datetime]) -> None:
        self._world, self._session, self._now = world, session, now
        self._waking: asyncio.TimerHandle | None = None
        self._posts: set[asyncio.Task[None]] = set()

    def go_on(self) -> None:
        """Send the webhooks that are due, without waiting for them, and wake up for the next thing there is to do."""
        now = self._now()
        for attempt in self._world.due(now):
            post = asyncio.create_task(self._post(attempt))
            self._posts.add(post)
            post.add_done_callback(self._posts.discard)
        if self._waking:
            self._waking.cancel()
        if due := self._world.next_settling():
            wait = (due - self._world.clock(now)).total_seconds()
            self._waking = asyncio.get_running_loop().call_later(max(0.0, wait), self.go_on)

    async def stop(self) -> None:
        """Wake up no more, and leave the webhooks that are on their way."""
        if self._waking:
            self._waking.cancel()
        for post in self._posts:
            post.cancel()
        await asyncio.gather(*self._posts, return_exceptions=True)

    async def _post(self, attempt: Attempt) -> None:
        status, error = await _carried(self._session, attempt)
        self._world.answered(attempt, status, error, self._now())
        self.go_on()


@asynccontextmanager
async def courier(world: World, now: Callable[[], datetime]) -> AsyncIterator[Courier]:
    """A courier at work while the block runs."""
    # A connection kept open may be closed by the receiver just when the next webhook leaves, which would look like a
    # failure of the receiver's.
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        made = Courier(world, session, now)
        try:
            yield made
        finally:
            await made.stop()


async def _carried(session: aiohttp.ClientSession, attempt: Attempt) -> tuple[int, str]:
    """The status, or 0 and why there was no answer."""
    try:
        async with session.post(
            URL(attempt.url, encoded=True),  # the signature covers the address as it was set
            data=attempt.body,
            headers=attempt.headers,
            timeout=aiohttp.ClientTimeout(total=attempt.timeout),
            allow_redirects=False,
        ) as response:
            return response.status, ""
    except TimeoutError:
        return 0, "timeout"
    except (aiohttp.ClientError, OSError) as error:
        return 0, type(error).__name__
