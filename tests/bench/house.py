"""A sandbox in its own process, a configuration for it, and daemons whose time and memory are measured."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from syncd import cli_init
from syncd.config import Config, load
from syncd.sandbox.client import Control

ROOT = Path(__file__).resolve().parents[2]
VENDORS = ("hubspot", "quickbooks")
SYNCD = ("-c", "from syncd.cli import main; main()")
PAST_THE_OVERLAP = 600  # seconds; polls read the last 300 again


def environment() -> dict[str, str]:
    """That of an installed program: its byte code is on disk, as an installer leaves it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "syncd-bench-bytecode")}


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took: seconds on the wall, CPU seconds, megabytes at its peak."""

    wall: float
    cpu: float
    peak: float


@dataclass(slots=True)
class House:
    """`counted` is the number of the last request that was counted; `worked` how long the vendors took for those."""

    address: str
    control: Control
    folder: Path
    vendors: subprocess.Popen[str]
    counted: int = 0
    worked: float = 0.0

    @property
    def file(self) -> Path:
        return self.folder / "syncd.toml"

    @property
    def config(self) -> Config:
        return load(self.file, os.environ)

    async def latency(self, seconds: float) -> None:
        for vendor in VENDORS:
            await self.control.settings(vendor, latency=seconds)

    async def limits(self, on: bool) -> None:
        for vendor in VENDORS:
            await self.control.settings(vendor, limits=on)

    async def touch(self, count: int) -> None:
        """A person changes so many invoices."""
        assert self.vendors.stdin is not None
        assert self.vendors.stdout is not None
        self.vendors.stdin.write(f"touch {count}\n")
        self.vendors.stdin.flush()
        assert await asyncio.to_thread(self.vendors.stdout.readline) == "ok\n"

    async def forget(self) -> None:
        """Let the vendors' time go on, so that polls need not read what is there once more; count from here."""
        await self.control.advance(PAST_THE_OVERLAP)
        await self.calls()

    async def calls(self) -> Counter[str]:
        """The requests since the last time this was asked, by vendor and route."""
        made = await self.control.requests(after=self.counted)
        self.worked = sum(float(each["ms"]) for each in made) / 1000
        self.counted = made[-1]["seq"] if made else self.counted
        return Counter(f"{each['vendor']} {each['method']} {_route(each['path'])}" for each in made)

    async def refused(self) -> int:
        """How many requests so far the vendors found too many."""
        return sum(each["status"] == 429 for each in await self.control.requests())

    async def once(self) -> Spent:
        """`syncd once`."""
        return await asyncio.to_thread(spend, [*SYNCD, "once", "--config", str(self.file)])


def spend(words: list[str]) -> Spent:
    """Run Python with these words to its end."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([sys.executable, *words], stdout=out, stderr=out, env=environment(), cwd=ROOT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):  # 1: some records failed, as the seed data wants it
            out.seek(0)
            raise RuntimeError(out.read().decode()[-2000:])
    return Spent(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


@asynccontextmanager
async def house(invoices: int, *, paced: bool = False) -> AsyncIterator[House]:
    """A house with so many invoices in HubSpot; without `paced` our own pacers do not hold us back."""
    words = [sys.executable, "-m", "tests.bench.vendors", str(invoices)]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env=environment(), cwd=ROOT) as vendors,
    ):
        assert vendors.stdin is not None
        assert vendors.stdout is not None
        try:
            address = (await asyncio.to_thread(vendors.stdout.readline)).strip()
            async with Control(address) as control:
                made = House(address, control, Path(folder), vendors)
                await cli_init.write_for_sandbox("hubspot-quickbooks", address, made.file, force=True)
                # What is measured is carrying records over; showing their states costs an update per hundred of them.
                text = made.file.read_text().replace("state_properties = true\n", "")
                # And every record changes at once here, which is what a circuit breaker would hold.
                open_guard = "guard = { changes = 1_000_000, creates = 1_000_000, money = 1_000_000_000 }"
                made.file.write_text(text.replace("guard = { removals = 20 }", open_guard))
                if not paced:
                    _unpaced(made.file)
                yield made
        finally:
            vendors.stdin.close()


def _unpaced(file: Path) -> None:
    text = file.read_text().replace('poll = "2s"', 'poll = "1h"')  # the bench says when
    for vendor in VENDORS:
        text = text.replace(f'vendor = "{vendor}"', f'vendor = "{vendor}"\noptions = {{ pace = "off" }}')
    file.write_text(text)


def _route(path: str) -> str:
    parts = path.removeprefix("/crm").removeprefix("/v3").removeprefix("/v4").strip("/").split("/")
    return "/".join(part for part in parts if not part.isdigit())
