"""Promise 25 with real processes: SIGTERM at a random request, amid work. Exit 0 within 20 seconds; nothing is lost."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from syncd.errors import Exit
from syncd.sandbox.base import Request
from syncd.sandbox.delivery import Delivery
from tests.acceptance.bustle import Bustle
from tests.acceptance.checkers import assert_in_order
from tests.acceptance.processes import ANY_PORT, Proceed, intercept, running
from tests.acceptance.world import Snapshot, World

LONGEST = 20.0
IDLE = 10.0  # seconds after which a daemon has nothing left to do
LATENCY = 0.02


@dataclass
class Stopper:
    """Tells a daemon to stop when one of its next requests is on the way."""

    chance: random.Random
    victim: Process | None = None
    left: int = 0
    told: float = 0.0

    def aim(self, victim: Process) -> None:
        self.victim, self.left = victim, self.chance.randint(1, 40)

    def __call__(self, vendor: str, request: Request, proceed: Proceed) -> Delivery:
        self.left -= 1
        if self.left == 0:
            self.stop()
        return proceed()

    def stop(self) -> None:
        """SIGTERM, unless it was told already."""
        victim, self.victim = self.victim, None
        if victim is not None and victim.returncode is None:
            self.told = time.monotonic()
            victim.send_signal(signal.SIGTERM)


async def _stops(w: World, seed: int, lives: int) -> float:
    """So many daemons that are stopped, with people at work; the longest a stop took."""
    for vendor in w.sandbox.vendors:
        await w.control.settings(vendor, latency=LATENCY)
    w.set("connections.crm", options="{ late_commit = 1.0, search_lag = 0.5 }")
    stopper, people, longest = Stopper(random.Random(seed)), Bustle(w), 0.0
    intercept(w, stopper)
    for _ in range(lives):
        await people.go(8)
        async with running(w, "run") as daemon:
            stopper.aim(daemon)
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(daemon.wait()), IDLE)
            stopper.stop()
            async with asyncio.timeout(LONGEST):
                code = await daemon.wait()
            longest = max(longest, time.monotonic() - stopper.told)
            assert daemon.stderr is not None
            assert code == Exit.DONE, (await daemon.stderr.read()).decode()
    await w.once()
    assert await people.missing() == []
    await assert_in_order(w.control)
    end = await w.mark()
    await w.once()
    assert await w.written(end) == []
    return longest


async def test_a_few_stops_amid_work(synced: Snapshot) -> None:
    """Three daemons after one another."""
    async with synced.world(ANY_PORT) as w:
        await _stops(w, 1, 3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 15))
async def test_a_hundred_stops_amid_work(
    seed: int, synced: Snapshot, record_property: Callable[[str, object], None]
) -> None:
    """Twenty daemons of each seed."""
    async with synced.world(ANY_PORT) as w:
        longest = await _stops(w, seed, 20)
        record_property("figures", ("stops", {"stops": 20, "longest s, summed": round(longest, 1)}))
