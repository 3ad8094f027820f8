"""The rows of the table, each a function that gives its figures."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from syncd import log
from syncd.app import opened
from syncd.running import App
from tests.bench import least
from tests.bench.figures import Figure
from tests.bench.house import PAST_THE_OVERLAP, SYNCD, House, environment, house, spend

LATENCY = 0.05
RECORDS = 1000
MANY = 10_000


async def initial(records: int = RECORDS) -> list[Figure]:
    """Everything for the first time, at 50 ms a call; and what it costs our process."""
    async with house(records) as home:
        await home.control.advance(PAST_THE_OVERLAP)  # nearly all of what an account holds is older than that
        await home.latency(LATENCY)
        first = await home.once()
        calls = (await home.calls()).total()
        idle = await home.once()
    cpu = 1000 * (first.cpu - idle.cpu) / records
    return [
        Figure(
            name="initial",
            what=f"initial sync of {records} invoices, {1000 * LATENCY:.0f} ms a call",
            unit="s",
            ours=first.wall,
            target=6.0 * records / RECORDS,
            note=f"{calls} calls; the whole command, with the customers and the seed data",
        ),
        Figure(
            name="cpu",
            what="CPU of the daemon for each of them",
            unit="ms",
            ours=cpu,
            target=2.0,
            note=f"({first.cpu:.2f} s - {idle.cpu:.2f} s of a pass without news) / {records}",
        ),
    ]


async def calls(records: int = RECORDS) -> list[Figure]:
    """Vendor calls when so many invoices changed."""
    async with house(records) as home:
        await home.once()
        async with resident(home) as app:
            await home.forget()
            await home.touch(records)
            await _pass(app)
            made = await home.calls()
    fewest, formula = least.changed(records)
    listed = ", ".join(f"{count} {route}" for route, count in made.most_common())
    return [
        Figure(
            name="calls",
            what=f"vendor calls for {records} changed invoices",
            unit="calls",
            ours=made.total(),
            target=round(1.15 * fewest),
            note=f"least {fewest} = {formula}; made: {listed}",
        )
    ]


async def many(records: int = MANY) -> list[Figure]:
    """Passes over, and a daemon with, ten thousand records."""
    async with house(records) as home:
        await home.control.advance(PAST_THE_OVERLAP)  # the first pass need not read its own overlap again and again
        await home.once()
        async with resident(home) as app:
            await home.forget()
            quiet = min([await _pass(app) for _ in range(3)])
            idle_calls, vendors = (await home.calls()).total() / 3, home.worked / 3
            await home.touch(records // 100)
            busy = await _pass(app)
            busy_calls = (await home.calls()).total()
        ready, resident_mb = await _daemon(home)
    part = records // 100
    return [
        Figure(name="idle", what=f"pass without news, {records} records", unit="calls", ours=idle_calls, target=8),
        Figure(
            name="idle",
            what="the same",
            unit="s",
            ours=quiet,
            target=0.1,
            note=f"the sandbox itself works {vendors:.2f} s for it: it looks through all its records at each search",
        ),
        Figure(name="1%", what=f"calls for each of {part} changed", unit="", ours=busy_calls / part, target=0.3),
        Figure(name="1%", what="the same, whole pass", unit="s", ours=busy, target=1.5),
        Figure(name="memory", what=f"running daemon, {records} records", unit="MB", ours=resident_mb, target=130),
        Figure(name="start", what="start to READY", unit="s", ours=ready, target=3.0),
    ]


async def start() -> list[Figure]:
    """How long the engine takes to be imported."""
    await asyncio.to_thread(spend, ["-c", "import syncd.app"])
    bare = min([(await asyncio.to_thread(spend, ["-c", "pass"])).wall for _ in range(3)])
    took = min([(await asyncio.to_thread(spend, ["-c", "import syncd.app"])).wall for _ in range(3)])
    return [Figure(name="start", what="import", unit="s", ours=took - bare, target=1.5)]


@asynccontextmanager
async def resident(home: House) -> AsyncIterator[App]:
    """The engine in this process, everything that was left to do done."""
    log.configure(json=True, level="warning")
    async with opened(home.config, "bench") as app:
        await app.loop.drain(0)
        await home.forget()
        await app.loop.drain(0)
        yield app


async def _pass(app: App) -> float:
    """Seconds of one pass as the daemon makes it: a poll, and then what follows from it."""
    started = time.perf_counter()
    await app.loop.polls.run(everything=True)
    while await app.loop.step():
        pass
    return time.perf_counter() - started


async def _daemon(home: House) -> tuple[float, float]:
    """Seconds until a daemon is ready, and its megabytes after a pass."""
    home.file.write_text(home.file.read_text().replace("127.0.0.1:8300", f"127.0.0.1:{free_port()}"))
    await home.calls()
    words = [sys.executable, *SYNCD, "run", "--json", "--config", str(home.file)]
    started = time.perf_counter()
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment()) as daemon:
        assert daemon.stderr is not None
        while "daemon.started" not in await asyncio.to_thread(daemon.stderr.readline):
            assert daemon.poll() is None, "the daemon ended"
        ready = time.perf_counter() - started
        while not (await home.calls())["quickbooks GET company/cdc"]:
            await asyncio.sleep(0.2)
        await asyncio.sleep(1.0)
        status = Path(f"/proc/{daemon.pid}/status").read_text()
        os.kill(daemon.pid, signal.SIGTERM)
    return ready, int(status.partition("VmRSS:")[2].split()[0]) / 1024


def free_port() -> int:
    """One nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
