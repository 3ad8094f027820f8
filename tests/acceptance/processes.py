"""Real daemons to be killed: `syncd` as a process of its own, and somebody who stands in the way of its requests."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from syncd.sandbox.base import Request
from syncd.sandbox.delivery import Delivery, Ending
from syncd.sandbox.faults import changes_something
from tests import overheard
from tests.acceptance.world import World

PROGRAM = Path(sys.executable).with_name("syncd")
ANY_PORT = ('listen = "127.0.0.1:8300"', 'listen = "127.0.0.1:0"')

Proceed = Callable[[], Delivery]
Between = Callable[[str, Request, Proceed], Delivery]
"""Stands between the daemon and a vendor: gets a request, and lets the vendor see it by calling the last argument."""


def intercept(w: World, between: Between) -> None:
    """Put somebody in the way of all requests of this world."""
    handle = w.sandbox.handle

    def handled(vendor: str, request: Request, now: datetime) -> Delivery:
        return between(vendor, request, lambda: handle(vendor, request, now))

    w.sandbox.handle = handled  # type: ignore[method-assign]


@asynccontextmanager
async def running(w: World, *words: str) -> AsyncIterator[Process]:
    """A `syncd` process in the world's folder; killed at the end if it still runs then."""
    process = await asyncio.create_subprocess_exec(PROGRAM, *words, cwd=w.folder, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        _, said = await process.communicate()
        overheard.listen(said.decode())


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition, looking often."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@dataclass
class Killer:
    """Kills a daemon while its requests are on the way: one of the next requests, or writes, is its last.

    The request gets lost, or only its answer does, or death comes a moment later.
    """

    chance: random.Random
    victim: Process | None = None
    left: int = 0
    writes_only: bool = False

    def aim(self, victim: Process) -> None:
        """Choose when this process dies."""
        self.victim = victim
        self.writes_only = self.chance.random() < 0.75
        self.left = self.chance.randint(1, 4 if self.writes_only else 30)

    def __call__(self, vendor: str, request: Request, proceed: Proceed) -> Delivery:
        if self.victim is not None and (not self.writes_only or changes_something(request)):
            self.left -= 1
            if self.left == 0:
                return self._strike(proceed)
        return proceed()

    def _strike(self, proceed: Proceed) -> Delivery:
        match self.chance.choice(("request", "answer", "moment")):
            case "request":
                self.kill()
                return Delivery(ending=Ending.RESET)
            case "answer":
                delivery = proceed()
                self.kill()
                return delivery
            case _:
                asyncio.get_running_loop().call_later(self.chance.random() * 0.05, self.kill)
                return proceed()

    def kill(self) -> None:
        """`kill -9`, unless it is dead already."""
        victim, self.victim = self.victim, None
        if victim is not None and victim.returncode is None:
            os.kill(victim.pid, signal.SIGKILL)
