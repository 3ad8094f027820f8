"""The bell: a sleeper wakes when it rings, when it is time to stop, and else after a while."""

import time

import anyio

from syncd.bell import Bell


async def slept(bell: Bell, seconds: float, until: anyio.Event | None = None) -> float:
    begin = time.monotonic()
    await bell.rest(seconds, until or anyio.Event())
    return time.monotonic() - begin


async def test_a_sleeper_wakes_when_it_rings() -> None:
    """Also when it rang before he lay down: nothing between two looks is missed."""
    bell = Bell()
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0)
        group.start_soon(_ring_soon, bell)
        assert await slept(bell, 60) < 5
    assert await slept(bell, 60) < 5


async def test_a_hushed_bell_is_silent() -> None:
    """What was rung for has been done."""
    bell = Bell()
    bell.ring()
    bell.hush()
    assert await slept(bell, 0.05) >= 0.045


async def test_a_sleeper_wakes_to_stop() -> None:
    """At once."""
    stop = anyio.Event()
    stop.set()
    assert await slept(Bell(), 60, stop) < 5


async def _ring_soon(bell: Bell) -> None:
    await anyio.sleep(0.02)
    bell.ring()
