"""A whole house to try things in: both vendors over real HTTP, a configuration, a state, and a person on each side.

Nobody waits: the daemon's clock jumps over every pause, and the vendors' clocks jump along.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from syncd import app, cli_client
from syncd.config import Config, load
from syncd.sandbox.client import Control
from syncd.sandbox.server import serving
from syncd.sandbox.world import World as Sandbox
from syncd.status.reader import MAX_LIMIT, Query, Reader

Row = Mapping[str, Any]
FLOWS = ("contacts", "products", "invoices", "payments")
VENDORS = ("hubspot", "quickbooks")
KINDS = {
    "contacts": ("contacts", "Customer"),
    "products": ("products", "Item"),
    "invoices": ("invoices", "Invoice"),
    "payments": ("commerce_payments", "Payment"),
}
"""Flow to what its records are called in HubSpot and in QuickBooks."""
PATIENCE = 120.0  # real seconds for one `once`: as nobody waits, longer means that it goes round in circles


class SkippingClock:
    """The machine's clock, but a pause is over at once: time jumps forward by it, the sandbox's too."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def now(self) -> datetime:
        return datetime.now(UTC) + self._sandbox.offset

    def monotonic(self) -> float:
        return time.monotonic() + self._sandbox.offset.total_seconds()

    async def sleep(self, seconds: float) -> None:
        deadline = self.monotonic() + seconds
        await asyncio.sleep(0)  # others may have slept meanwhile, and pauses at the same time do not add up
        self._sandbox.offset += timedelta(seconds=max(0.0, deadline - self.monotonic()))


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in both journals and in the log of requests."""

    journals: Mapping[str, int]
    requests: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A record as `syncd show --json` has it, and its two entities as the vendors have them; {} where there is none."""

    record: Row
    crm: Row
    books: Row

    @property
    def state(self) -> tuple[str, str]:
        return self.record["status"], self.record["code"]

    @property
    def notes(self) -> list[str]:
        return [note["code"] for note in self.record["notes"]]

    @property
    def events(self) -> list[str]:
        """What happened to it, oldest first."""
        return [entry["event"] for entry in reversed(self.record["activity"])]

    def of(self, property: str) -> str | None:
        """A HubSpot property."""
        value: str | None = self.crm["properties"].get(property)
        return value

    def amount(self, property: str) -> Decimal:
        """A HubSpot property that is an amount; nothing is 0."""
        return Decimal(self.of(property) or 0)


@dataclass(slots=True)
class House:
    """One sandbox with one configuration against it, and everybody who has a hand in it.

    Attributes:
        control: the hand on the sandbox. folder: holds the configuration, its secrets and the state.
    """

    sandbox: Sandbox
    control: Control
    folder: Path
    url: str
    clock: SkippingClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = SkippingClock(self.sandbox)

    # --- the daemon ---

    @property
    def file(self) -> Path:
        return self.folder / "syncd.toml"

    @property
    def config(self) -> Config:
        """The configuration as the file says it now."""
        return load(self.file, os.environ)

    def configure(self, *changes: tuple[str, str]) -> None:
        """Replace text in the configuration; each old text must be there."""
        text = self.file.read_text()
        for old, new in changes:
            assert old in text, f"{old!r} is not in the configuration"
            text = text.replace(old, new)
        self.file.write_text(text)

    def set(self, table: str, **values: str) -> None:
        """Set keys of a table of the configuration, each to a value in TOML: `w.set("daemon", language='"fr"')`."""
        text = self.file.read_text()
        if f"[{table}]\n" not in text:
            text += f"\n[{table}]\n"
        before, after = text.split(f"[{table}]\n")
        own, *others = re.split(r"(?m)^(?=\[)", after)
        for name in values:
            own = re.sub(rf"(?m)^{re.escape(name)} = .*\n", "", own)
        lines = "".join(f"{name} = {value}\n" for name, value in values.items())
        self.file.write_text(f"{before}[{table}]\n{lines}{own}{''.join(others)}")

    async def once(self, wait: float = 600.0) -> Row:
        """`syncd once` in this process, without waiting; returns the status."""
        async with asyncio.timeout(PATIENCE), app.opened(self.config, "once", clock=self.clock) as opened:
            await opened.loop.drain(wait)
            return await Reader(opened).status()

    # --- what it says ---

    async def status(self) -> Row:
        """The totals as `syncd status --json` shows them."""
        async with cli_client.answers(self.config, os.environ) as source:
            return await source.status()

    async def records(self, **query: Any) -> list[Row]:
        """The records as `syncd records --json` lists them, all pages."""
        rows: list[Row] = []
        async with cli_client.answers(self.config, os.environ) as source:
            cursor = None
            while True:
                page = await source.records(Query(**query, cursor=cursor, limit=MAX_LIMIT))
                rows += page["records"]
                if (cursor := page["next"]) is None:
                    return rows

    async def record(self, word: str, flow: str | None = None) -> Row:
        """The one record a word means, as `syncd show --json` shows it, with its `activity` (newest first)."""
        async with cli_client.answers(self.config, os.environ) as source:
            hits = [hit for hit in await cli_client.look_up(source, word) if flow in (None, hit["flow"])]
            assert len(hits) == 1, f"{word} means {[(h['flow'], h['label'], h['code']) for h in hits]}"
            return {**await source.record(hits[0]["id"]), **await source.activity(hits[0]["id"])}

    async def both(self, word: str, flow: str = "invoices") -> Pair:
        """A record with what each vendor holds of it."""
        record = await self.record(word, flow)
        left, right = KINDS[flow]
        return Pair(
            record,
            (await self.crm_rows(left)).get(record["left"]["id"], {}),
            (await self.books_rows(right)).get(record["right"]["id"], {}),
        )

    # --- the people ---

    async def crm(self, op: str, kind: str, id: str | None = None, **fields: Any) -> Row:
        """Something a person does in HubSpot."""
        return await self.control.person("hubspot", op, kind, id, fields)

    async def books(self, op: str, kind: str, id: str | None = None, **fields: Any) -> Row:
        """Something a person does in QuickBooks."""
        return await self.control.person("quickbooks", op, kind, id, fields)

    # --- the truth ---

    async def rows(self, vendor: str, kind: str) -> dict[str, Row]:
        """All records of a vendor's kind as the vendor holds them, by id."""
        key = "id" if vendor == "hubspot" else "Id"
        return {row[key]: row for row in await self.control.records(vendor, kind)}

    async def crm_rows(self, kind: str) -> dict[str, Row]:
        return await self.rows("hubspot", kind)

    async def books_rows(self, kind: str) -> dict[str, Row]:
        return await self.rows("quickbooks", kind)

    async def mark(self) -> Mark:
        """Where the journals and the log of requests stand now."""
        journals = {vendor: await self.control.journal(vendor) for vendor in VENDORS}
        requests = await self.control.requests()
        ends = {vendor: entries[-1]["seq"] if entries else 0 for vendor, entries in journals.items()}
        return Mark(ends, requests[-1]["seq"] if requests else 0)

    async def written(self, since: Mark, vendor: str | None = None) -> list[Row]:
        """What programs, hence we, wrote after the mark, with the vendor's name in each entry."""
        return [
            {**entry, "vendor": name}
            for name in ([vendor] if vendor else VENDORS)
            for entry in await self.control.journal(name, since.journals[name])
            if entry["caller"] != "person"
        ]

    async def requests(self, since: Mark) -> Sequence[Row]:
        """What was asked of both vendors after the mark."""
        return await self.control.requests(after=since.requests)

    async def advance(self, seconds: float) -> None:
        """Time passes, for everybody."""
        self.sandbox.offset += timedelta(seconds=seconds)


H = TypeVar("H", bound=House)


@asynccontextmanager
async def served(sandbox: Sandbox, kind: type[H]) -> AsyncIterator[H]:
    """A house around a sandbox, without a configuration yet."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="syncd-")))
        url = await stack.enter_async_context(serving(sandbox))
        control = await stack.enter_async_context(Control(url))
        yield kind(sandbox, control, folder, url)
