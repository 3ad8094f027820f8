"""An initial sync under the vendors' real limits, while people go on editing: its rate, refusals, and their wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import anyio

from syncd import log
from syncd.app import opened
from syncd.feed.listener import listening
from tests.bench.figures import Figure
from tests.bench.house import House, house
from tests.bench.rows import free_port

INVOICES = 2000
A_MINUTE = 40  # Intuit: API call limits; the tightest of all limits here
KEPT = 0.95  # of the rate the limits allow
BATCH = "/batch"
EDIT_EVERY = 15.0
PERSON_WAITS = 10.0
GIVE_UP = 600.0  # seconds
DOORS = {"hubspot": "crm", "quickbooks": "books"}


async def run(invoices: int = INVOICES) -> list[Figure]:
    """The row's figures."""
    async with house(invoices, paced=True) as home:
        await _subscribe(home)
        await home.limits(True)
        async with _daemon(home):
            waits = await _edit_until_done(home, invoices)
        batches = await _batches(home)
        refused = await home.refused()
    minutes = max(1, int(batches[-1] - batches[0]) // 60)
    used = sum(at < batches[0] + 60 * minutes for at in batches)
    return [
        Figure(
            name="limits",
            what=f"initial sync of {invoices} invoices, limits on: time for {A_MINUTE} batches",
            unit="s",
            ours=60 * minutes * A_MINUTE / used,
            target=60 / KEPT,
            note=f"QuickBooks allows {A_MINUTE} a minute: {used} of {minutes * A_MINUTE} in {minutes} whole minutes",
        ),
        Figure(name="limits", what="calls refused", unit="calls", ours=refused, target=0),
        Figure(
            name="limits",
            what="a person's edit meanwhile, the slowest",
            unit="s",
            ours=max(waits),
            target=PERSON_WAITS,
            note=f"one invoice every {EDIT_EVERY:.0f} s, by webhook: {', '.join(f'{wait:.1f}' for wait in waits)}",
        ),
    ]


async def _subscribe(home: House) -> None:
    """Both vendors send webhooks to the daemon, which hardly polls."""
    address = f"127.0.0.1:{free_port()}"
    text, credentials = home.file.read_text().replace('poll = "2s"', 'poll = "1h"'), await home.control.credentials()
    for vendor, connection in DOORS.items():
        secret = home.folder / f"{connection}_webhooks"
        secret.write_text(credentials[vendor]["webhook_secret"])
        secret.chmod(0o600)
        head = f"[connections.{connection}]\n"
        text = text.replace(head, f'{head}webhook_secret = {{ file = "{secret.name}" }}\n')
        await home.control.settings(vendor, webhook_url=f"http://{address}/webhooks/{connection}")
    home.file.write_text(f'{text}\n[webhooks]\nlisten = "{address}"\npublic_url = "http://{address}"\n')


@asynccontextmanager
async def _daemon(home: House) -> AsyncIterator[None]:
    log.configure(json=True, level="warning")
    config, stop = home.config, anyio.Event()
    async with opened(config, "bench") as app, listening(config.webhooks, app.intake):
        working = asyncio.create_task(app.loop.work(stop))
        try:
            yield
        finally:
            stop.set()
            await working


async def _edit_until_done(home: House, invoices: int) -> list[float]:
    """Edit one synced invoice after the other until all have arrived; the seconds each edit took to the books."""
    waits: list[float] = []
    deadline = time.monotonic() + GIVE_UP
    while time.monotonic() < deadline:
        there = await _mirrored(home)
        if there:
            waits.append(await _edit(home, *there[len(waits) % len(there)], len(waits)))
        if len(there) >= invoices:
            return waits
        await asyncio.sleep(EDIT_EVERY - (waits[-1] if waits else EDIT_EVERY - 0.5))
    raise RuntimeError(f"after {GIVE_UP:.0f} s {len(there)} of {invoices} invoices have arrived")


async def _edit(home: House, crm: str, number: str, round: int) -> float:
    due = f"2027-{1 + round // 28:02}-{1 + round % 28:02}"
    started = time.monotonic()
    await home.control.person("hubspot", "update", "invoices", crm, {"hs_due_date": due})
    while not any((row.get("DocNumber"), row.get("DueDate")) == (number, due) for row in await _books(home)):
        await asyncio.sleep(0.25)
        if time.monotonic() - started > GIVE_UP:
            raise RuntimeError("a person's edit never arrived")
    return time.monotonic() - started


async def _mirrored(home: House) -> Sequence[tuple[str, str]]:
    """Invoices of HubSpot that we have made in the books: their ids and numbers."""
    numbers = {row.get("DocNumber") for row in await _books(home) if row.get("PrivateNote", "").startswith("syncd:")}
    crm = await home.control.records("hubspot", "invoices")
    return [(row["id"], number) for row in crm if (number := row["properties"].get("hs_number")) in numbers]


async def _books(home: House) -> Sequence[dict[str, str]]:
    return list(await home.control.records("quickbooks", "Invoice"))  # type: ignore[arg-type] # JSON


async def _batches(home: House) -> list[float]:
    """When QuickBooks got its batches."""
    seen = await home.control.requests("quickbooks")
    return [datetime.fromisoformat(row["at"]).timestamp() for row in seen if row["path"].endswith(BATCH)]
