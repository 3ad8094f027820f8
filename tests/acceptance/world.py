"""A house to try things in, as the gauntlet has it, with what tests need beyond that.

async with world() as w:
    await w.crm("update", "invoices", "5001", hs_due_date="2026-12-24")
    await w.once()
    assert (await w.invoice("131"))["DueDate"] == "2026-12-24"
"""

from __future__ import annotations

import asyncio
import copy
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from syncd import cli_init
from syncd.gauntlet.house import FLOWS, KINDS, House, Mark, Pair, Row, SkippingClock, served
from syncd.sandbox.base import Vendor
from syncd.sandbox.world import World as Sandbox
from syncd.sandbox.world import create_world
from tests import overheard

__all__ = ["FLOWS", "KINDS", "START", "Mark", "Pair", "Row", "SkippingClock", "Snapshot", "World", "world"]

START = "2024-06-01T00:00:00Z"


@dataclass(slots=True)
class World(House):
    """The house of the tests."""

    async def command(self, *words: str, timeout: float = 120.0) -> tuple[int, str, str]:
        """A real `syncd` process on this configuration: its exit code, output and errors."""
        program = Path(sys.executable).with_name("syncd")
        pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
        process = await asyncio.create_subprocess_exec(program, *words, cwd=self.folder, **pipes)
        out, err = await asyncio.wait_for(process.communicate(), timeout)
        assert process.returncode is not None
        overheard.listen("".join(line for line in err.decode().splitlines(keepends=True) if line.startswith("{")))
        return process.returncode, out.decode(), err.decode()


Vendors = Callable[[], dict[str, Vendor]]


@asynccontextmanager
async def world(vendors: Vendors | None = None, *, changes: Sequence[tuple[str, str]] = ()) -> AsyncIterator[World]:
    """A world on its seed data, nothing synced yet.

    Args:
        vendors: makes the vendors; those with their whole seed data by default.
        changes: texts of the configuration and what takes their place.
    """
    sandbox = Sandbox(vendors()) if vendors else create_world()
    async with served(sandbox, World) as made:
        await cli_init.write_for_sandbox("hubspot-quickbooks", made.url, made.file, force=False)
        text = re.sub(r"(?m)^start = .*$", f"start = {START}", made.file.read_text())
        made.file.write_text(text)
        # What these tests count are the writes that carry records over.
        made.configure(("state_properties = true", "state_properties = false"), *changes)
        yield made


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A world put aside: its vendors, clock and files. Every test that begins from it gets its own copy."""

    vendors: Mapping[str, Vendor]
    offset: timedelta
    folder: Path
    url: str

    @classmethod
    def of(cls, w: World, folder: Path) -> Snapshot:
        shutil.copytree(w.folder, folder)
        return cls(copy.deepcopy(w.sandbox.vendors), w.sandbox.offset, folder, w.url)

    @asynccontextmanager
    async def world(self, *changes: tuple[str, str]) -> AsyncIterator[World]:
        """The world as it was when it was put aside, with these texts of the configuration replaced."""
        sandbox = Sandbox(copy.deepcopy(dict(self.vendors)))
        sandbox.offset = self.offset
        async with served(sandbox, World) as made:
            shutil.copytree(self.folder, made.folder, dirs_exist_ok=True)
            made.configure((self.url, made.url), *changes)
            yield made
