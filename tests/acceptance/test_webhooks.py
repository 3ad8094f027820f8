"""A person's edit arrives by webhook; a webhook that is lost, doubled, late or overtaken only costs time."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import anyio
import pytest

from syncd import app, loop
from syncd.feed.listener import listening
from syncd.running import App
from tests.acceptance.checkers import assert_in_order
from tests.acceptance.people import crm_sale
from tests.acceptance.processes import ANY_PORT, running
from tests.acceptance.world import Mark, Row, Snapshot, World

HOURLY = ('poll = "2s"', 'poll = "1h"')
MINUTE = timedelta(minutes=1)
DOORS = {"hubspot": "crm", "quickbooks": "books"}


@asynccontextmanager
async def daemon(w: World) -> AsyncIterator[App]:
    """The engine at work and listening, after its first poll; from then on it polls once an hour."""
    config, begin = w.config, w.clock.now()
    async with app.opened(config, "run", clock=w.clock) as started, listening(config.webhooks, started.intake):
        stop = anyio.Event()
        working = asyncio.create_task(started.loop.work(stop))
        try:
            await until(lambda: _polled(started, begin))
            await quiet(started)
            yield started
        finally:
            stop.set()
            await working


async def subscribed(w: World, **settings: Any) -> None:
    """Both vendors send their webhooks to the address the configuration names."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    credentials = await w.control.credentials()
    w.set("webhooks", listen=f'"127.0.0.1:{port}"', public_url=f'"http://127.0.0.1:{port}"')
    for vendor, connection in DOORS.items():
        secret = w.folder / f"{connection}_webhooks"
        secret.write_text(credentials[vendor]["webhook_secret"])
        secret.chmod(0o600)
        w.set(f"connections.{connection}", webhook_secret=f'{{ file = "{secret.name}" }}')
        url = f"http://127.0.0.1:{port}/webhooks/{connection}"
        await w.control.settings(vendor, webhook_url=url, **settings)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Wait for a condition, looking often."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


async def quiet(here: App) -> None:
    """Wait until nothing is due within the next minute."""

    async def idle() -> bool:
        due = await here.store.read(lambda tx: tx.next_due(list(here.engine.connectors)))
        return due is None or due > here.clock.now() + MINUTE

    await until(idle)


async def polls(w: World, since: Mark) -> list[str]:
    """What was asked for changes after the mark."""
    paths = [row["path"] for row in await w.requests(since)]
    return [path for path in paths if "/cdc" in path or path.endswith("/invoices/search")]


async def due_in_books(w: World, id: str) -> str:
    return str((await w.books_rows("Invoice"))[id]["DueDate"])


@pytest.fixture
async def pair(synced: Snapshot) -> AsyncIterator[tuple[World, str, str]]:
    """A world with webhooks and an invoice of HubSpot's that stands on both sides: its id there, and in the books."""
    async with synced.world(HOURLY) as w:
        sale = await crm_sale(w)
        await w.once()
        await subscribed(w)
        both = await w.both(sale.number)
        yield w, both.crm["id"], both.books["Id"]


async def test_an_edit_arrives_by_webhook(pair: tuple[World, str, str]) -> None:
    """In both directions, with polling an hour away: no change list is asked for, and nothing is written twice."""
    w, crm, books = pair
    async with daemon(w) as here:
        begin = await w.mark()
        await w.crm("update", "invoices", crm, hs_due_date="2026-12-24")
        await until(lambda: _is(due_in_books(w, books), "2026-12-24"))
        await quiet(here)
        written = await w.written(begin, "quickbooks")
        assert [(e["operation"], e["kind"], e["id"]) for e in written] == [("update", "Invoice", books)]

        await w.books("update", "Invoice", books, due="2026-12-31")
        await until(lambda: _is(_due_in_crm(w, crm), "2026-12-31"))
        await quiet(here)
        assert await polls(w, begin) == []
        assert all(counts.accepted and not counts.refused for counts in here.intake.receipts.of.values())
    end = await w.mark()
    await w.once()
    assert await w.written(end) == []


async def test_a_webhook_wakes_the_engine(pair: tuple[World, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it would have slept."""
    w, crm, books = pair
    async with daemon(w):
        monkeypatch.setattr(loop, "IDLE_SECONDS", 3600.0)
        await asyncio.sleep(1.1)  # it sleeps anew
        await w.crm("update", "invoices", crm, hs_due_date="2026-12-24")
        await until(lambda: _is(due_in_books(w, books), "2026-12-24"))


@pytest.mark.parametrize(
    "formats", [("generic", "classic"), ("classic", "cloudevents")], ids=["generic, classic", "classic, cloudevents"]
)
async def test_a_whole_sale_arrives_by_webhook(synced: Snapshot, formats: tuple[str, str]) -> None:
    """Contact, product, invoice with lines, and payment, in every dialect: all of it, once each, no poll needed."""
    async with synced.world(HOURLY) as w:
        await subscribed(w)
        for vendor, dialect in zip(DOORS, formats, strict=True):
            await w.control.settings(vendor, webhook_format=dialect)
        async with daemon(w) as here:
            begin = await w.mark()
            sale = await crm_sale(w)

            async def arrived() -> bool:
                rows = (await w.books_rows("Invoice")).values()
                return [row["Balance"] for row in rows if row["DocNumber"] == sale.number] == [150]

            await until(arrived)
            await quiet(here)
            assert await polls(w, begin) == []
        await w.once()
        await assert_in_order(w.control)


async def test_lost_webhooks_cost_time_and_nothing_else(pair: tuple[World, str, str]) -> None:
    """The edit arrives with the next poll."""
    w, crm, books = pair
    for vendor in DOORS:
        await w.control.settings(vendor, webhook_drop=1.0)
    async with daemon(w) as here:
        await w.crm("update", "invoices", crm, hs_due_date="2026-12-24")
        await until(lambda: _dropped(w))
        await quiet(here)
        assert await due_in_books(w, books) != "2026-12-24"
        assert not any(counts.accepted for counts in here.intake.receipts.of.values())
        await w.advance(3600)
        here.bell.ring()  # it sleeps by the real clock
        await until(lambda: _is(due_in_books(w, books), "2026-12-24"))


async def test_doubled_and_overtaken_webhooks_have_no_second_effect(pair: tuple[World, str, str]) -> None:
    """Every event twice, in any order: what is written is what the last edit makes necessary, once."""
    w, crm, books = pair
    for vendor in DOORS:
        await w.control.settings(vendor, webhook_duplicate=1.0, webhook_reorder=True, webhook_seed=3)
    async with daemon(w) as here:
        begin = await w.mark()
        for day in range(10, 16):
            await w.crm("update", "invoices", crm, hs_due_date=f"2026-12-{day}")
        await until(lambda: _is(due_in_books(w, books), "2026-12-15"))
        await until(lambda: _all_told(w, here, edits=6))
        await quiet(here)
        counts = here.intake.receipts.of["crm"]
        assert counts.duplicate >= counts.accepted / 2 > 0
        dates = [e["fields"]["DueDate"] for e in await w.written(begin, "quickbooks")]
        assert dates == sorted(set(dates))  # each at most once, and never an older one after a newer one
        assert await w.written(begin, "hubspot") == []


async def test_a_real_daemon_listens(pair: tuple[World, str, str]) -> None:
    """`syncd run` takes webhooks at the address of its configuration, and stops when told to."""
    w, crm, books = pair
    w.configure(ANY_PORT)
    async with running(w, "run") as process:
        assert process.stderr is not None
        while b"daemon.started" not in (line := await process.stderr.readline()):
            assert line, "it did not start"
        assert w.config.webhooks is not None
        assert w.config.webhooks.listen.url.encode() in line
        # The books do not sign the time: theirs may be ahead of this process's, for pauses were skipped before.
        await w.books("update", "Invoice", books, due="2026-12-24")
        await until(lambda: _is(_due_in_crm(w, crm), "2026-12-24"))
        await until(lambda: _acknowledged(w))
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_forged_webhooks_bring_nothing(pair: tuple[World, str, str]) -> None:
    """Signed with secrets we do not know: refused, as the vendors' own logs say, and no call is made for them."""
    w, crm, books = pair
    for connection in DOORS.values():
        (w.folder / f"{connection}_webhooks").write_text("another")
    async with daemon(w) as here:
        begin = await w.mark()
        await w.crm("update", "invoices", crm, hs_due_date="2026-12-24")
        await w.books("update", "Invoice", books, due="2026-12-25")
        await until(lambda: _refused(w))
        await quiet(here)
        assert await w.requests(begin) == []
        assert await w.written(begin) == []


async def _polled(here: App, begin: datetime) -> bool:
    successes = [row.last_success for row in here.health.rows.values()]
    return all(success is not None and success >= begin for success in successes)


async def _is(found: Awaitable[str], expected: str) -> bool:
    return await found == expected


async def _due_in_crm(w: World, id: str) -> str:
    return str((await w.crm_rows("invoices"))[id]["properties"]["hs_due_date"])[:10]


async def _statuses(w: World) -> dict[str, set[tuple[int, str]]]:
    sent: list[Row] = list(await w.control.webhooks())
    return {vendor: {(row["status"], row["error"]) for row in sent if row["vendor"] == vendor} for vendor in DOORS}


async def _dropped(w: World) -> bool:
    return (await _statuses(w))["hubspot"] == {(0, "dropped")}


async def _acknowledged(w: World) -> bool:
    return (200, "") in (await _statuses(w))["quickbooks"]


async def _refused(w: World) -> bool:
    return all(found == {(401, "")} for found in (await _statuses(w)).values())


async def _all_told(w: World, here: App, edits: int) -> bool:
    """Whether every edit came twice and was counted."""
    sent = sum(row["events"] for row in await w.control.webhooks("hubspot") if row["status"] == 200)
    counts = here.intake.receipts.of["crm"]
    return sent >= 2 * edits and sent == counts.accepted + counts.duplicate + counts.dropped


async def test_a_sales_receipt_arrives_by_webhook(pair: tuple[World, str, str]) -> None:
    """What may bill an invoice once more is looked at with the next read, not with the next poll."""
    w, _, _ = pair
    async with daemon(w) as here:
        begin = await w.mark()
        lines = [{"item": "4", "qty": 1, "price": "12.00"}]
        made = await w.books("create", "SalesReceipt", customer="2", lines=lines)
        word = f"sale:{made['Id']}"

        async def stands(code: str) -> bool:
            return [row["code"] for row in await w.records(q=word)] == [code]

        await until(lambda: stands("filtered"))
        await quiet(here)
        assert await polls(w, begin) == []
