"""A real daemon under a service manager: what it says over the socket, and what it does when it is told something."""

import asyncio
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from syncd.errors import Exit
from tests.acceptance.people import crm_sale
from tests.acceptance.processes import ANY_PORT, running
from tests.acceptance.world import Snapshot, World

WATCHDOG = 2.0  # seconds: a sign of life is due every one of them


@dataclass
class Manager:
    """The service manager's end of the socket."""

    listening: socket.socket
    heard: list[str] = field(default_factory=list)

    async def hears(self, beginning: str, seconds: float = 60.0) -> str:
        """Wait for the next message that begins so; those before it are in `heard`, too."""
        async with asyncio.timeout(seconds):
            while True:
                message = (await asyncio.get_running_loop().sock_recv(self.listening, 4096)).decode()
                self.heard.append(message)
                if message.startswith(beginning):
                    return message


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever starts a daemon now starts it under this manager."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG * 1_000_000)))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(os.environ["NOTIFY_SOCKET"])
        listening.setblocking(False)
        yield Manager(listening)


@asynccontextmanager
async def managed(w: World, manager: Manager) -> AsyncIterator[asyncio.subprocess.Process]:
    async with running(w, "run") as daemon:
        await manager.hears("READY=1")
        yield daemon


async def test_a_whole_life_as_the_manager_hears_it(synced: Snapshot, manager: Manager):
    """Ready, how things stand, signs of life, a reload, a refused reload, the next good one, the end."""
    async with synced.world(ANY_PORT) as w, managed(w, manager) as daemon:
        assert "READY=1" not in manager.heard[:-1]
        line = await manager.hears("STATUS=")
        counts = [flow["synced"] for flow in (await w.status())["syncs"][0]["flows"]]
        assert line.startswith(f"STATUS={sum(counts):,} synced, ")
        for _ in range(3):
            await manager.hears("WATCHDOG=1", WATCHDOG)

        original = w.file.read_text()
        w.set("syncs.invoicing.flows.contacts", direction='"left-to-right"')
        daemon.send_signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in await manager.hears("RELOADING=1")
        await manager.hears("READY=1")
        assert await direction(w) == "left-to-right"

        w.set("syncs.invoicing", poll='"soon"', frobnicate="1")
        daemon.send_signal(signal.SIGHUP)
        await manager.hears("RELOADING=1")
        await manager.hears("READY=1")
        w.file.write_text(original)
        told = (await w.status())["daemon"]
        assert told["configuration"] == "refused"
        assert len(told["problems"]) == 2
        assert all(any(key in problem for problem in told["problems"]) for key in ("poll", "frobnicate"))
        assert "mistakes" in await manager.hears("STATUS=")
        assert await direction(w) == "left-to-right"  # of the configuration that was good

        daemon.send_signal(signal.SIGHUP)
        await manager.hears("READY=1")
        assert (await w.status())["daemon"]["configuration"] == "current"
        assert await direction(w) != "left-to-right"

        w.set("daemon", listen='"127.0.0.1:9"')
        daemon.send_signal(signal.SIGHUP)
        await manager.hears("READY=1")
        told = (await w.status())["daemon"]
        assert (told["configuration"], told["problems"]) == ("restart_needed", ["daemon.listen"])

        daemon.terminate()
        await manager.hears("STOPPING=1")
        async with asyncio.timeout(60):
            assert await daemon.wait() == Exit.DONE


async def direction(w: World) -> str:
    flows = {flow["name"]: flow for flow in (await w.status())["syncs"][0]["flows"]}
    return flows["contacts"]["direction"]


async def test_a_reload_drops_no_work(synced: Snapshot, manager: Manager):
    """In the middle of the work, again and again: everything arrives, once."""
    async with synced.world(ANY_PORT) as w:
        for vendor in w.sandbox.vendors:
            await w.control.settings(vendor, latency=0.05)
        sales = [await crm_sale(w, f"Nora Quill{n}") for n in range(6)]
        async with managed(w, manager) as daemon:
            before = await w.mark()
            for n in range(8):
                w.configure(("[daemon]\n", f"[daemon]\n# {n}\n"))
                daemon.send_signal(signal.SIGHUP)
                await manager.hears("READY=1")
            await all_there(w, [sale.number for sale in sales])
            daemon.terminate()
            assert await daemon.wait() == Exit.DONE
        made = [
            e for e in await w.written(before, "quickbooks") if (e["operation"], e["kind"]) == ("create", "Invoice")
        ]
        assert len(made) == len(sales)


async def all_there(w: World, numbers: list[str]) -> None:
    async with asyncio.timeout(60):
        while True:
            there = {row.get("DocNumber") for row in (await w.books_rows("Invoice")).values()}
            if set(numbers) <= there:
                return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("signs", [3, pytest.param(20, marks=pytest.mark.slow)])
async def test_a_locked_database_is_waited_for(synced: Snapshot, manager: Manager, signs: int):
    """Somebody else holds it for a while: the status says so, the watchdog is fed, and then everything arrives."""
    async with synced.world(ANY_PORT) as w, managed(w, manager) as daemon:
        await manager.hears("WATCHDOG=1")
        other = sqlite3.connect(w.folder / "syncd-state" / "syncd.db", isolation_level=None, timeout=20)
        other.execute("BEGIN IMMEDIATE")
        sale = await crm_sale(w)
        assert "waiting for database" in await manager.hears("STATUS=")
        assert (await w.status())["daemon"]["database"] == "waiting"
        for _ in range(signs):  # one a second
            await manager.hears("WATCHDOG=1", 2 * WATCHDOG)
        other.execute("COMMIT")
        other.close()
        await all_there(w, [sale.number])
        assert (await w.status())["daemon"]["database"] == "ok"
        daemon.terminate()
        assert await daemon.wait() == Exit.DONE


async def test_no_sign_of_life_comes_from_a_daemon_that_stands_still(synced: Snapshot, manager: Manager):
    """The signs are the loop's own: a stopped process gives none."""
    async with synced.world(ANY_PORT) as w, managed(w, manager) as daemon:
        await manager.hears("WATCHDOG=1")
        daemon.send_signal(signal.SIGSTOP)
        said = len(manager.heard)
        with suppress(TimeoutError):
            await manager.hears("nothing more", 1.5 * WATCHDOG)
        assert "WATCHDOG=1" not in manager.heard[said + 1 :]  # one may have been on its way
        daemon.send_signal(signal.SIGCONT)
        await manager.hears("WATCHDOG=1")
