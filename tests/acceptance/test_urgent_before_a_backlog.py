"""Sixty new invoices stand in line for QuickBooks' batches; what a person does meanwhile does not wait behind them."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import pytest
from msgspec import structs

from syncd import app
from syncd.connectors import quickbooks
from syncd.connectors.quickbooks import writes
from syncd.connectors.quickbooks.client import LIMITS
from syncd.core.pacing import Window
from syncd.model.record import Change, Priority
from syncd.model.references import EntityRef, Kind
from syncd.running import App
from syncd.sandbox.base import Request
from syncd.sandbox.delivery import Delivery
from tests.acceptance.checkers import assert_in_order
from tests.acceptance.people import Sale, crm_sale
from tests.acceptance.world import Snapshot, World

INVOICES, A_BATCH, A_MINUTE = 60, 5, 5


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few batches a minute, and small ones, so that a backlog needs no thousands."""
    others = tuple(window for window in LIMITS.windows if window.sorts != ("batches",))
    windows = (*others, Window(A_MINUTE, 60, ("batches",)))
    monkeypatch.setattr(quickbooks, "LIMITS", structs.replace(LIMITS, windows=windows))
    monkeypatch.setattr(writes, "LIMITS", structs.replace(LIMITS, batch_items=A_BATCH))


def after_batches(w: World, count: int, deed: Callable[[], None]) -> None:
    """Do something once QuickBooks has got so many batches."""
    handle, seen = w.sandbox.handle, 0

    def handled(name: str, request: Request, now: datetime) -> Delivery:
        nonlocal seen
        delivery = handle(name, request, now)
        if name == "quickbooks" and request.path.endswith("/batch"):
            seen += 1
            if seen == count:
                deed()
        return delivery

    w.sandbox.handle = handled


async def backlog(w: World) -> Sale:
    """A sale that stands on both sides, and many invoices for its customer that do not yet; limits on."""
    sale = await crm_sale(w)
    await w.once()
    await w.control.settings("quickbooks", limits=True, limit_batches_per_minute=A_MINUTE)
    for _ in range(INVOICES):
        await w.crm("create", "invoices", **invoice(sale.customer))
    return sale


def invoice(contact: str) -> dict[str, object]:
    """One finalized invoice."""
    lines = [{"product": "3001", "quantity": "1", "price": "40"}]
    return {"contact": contact, "lines": lines, "hs_currency": "USD", "finalize": True}


async def webhook(here: App, kind: Kind, id: str) -> None:
    """What the intake makes of one."""
    now = here.clock.now()
    hint = Change(ref=EntityRef("crm", kind, id), cause="webhook", priority=Priority.WEBHOOK, due_at=now)
    await here.store.write(lambda tx: tx.put_changes([hint]))
    here.bell.ring()


async def test_a_persons_edit_goes_before_a_backlog(scarce: None, synced: Snapshot) -> None:
    """It is written while most of the backlog still waits; all of that follows, once each, and nothing is refused."""
    async with synced.world() as w:
        sale = await backlog(w)
        both, tasks = await w.both(sale.number), list[asyncio.Task[None]]()
        begin = await w.mark()
        async with app.opened(w.config, "test", clock=w.clock) as here:

            def edit() -> None:
                fields = {"hs_due_date": "2026-12-24"}
                w.sandbox.vendors["hubspot"].person("update", "invoices", both.crm["id"], fields, here.clock.now())
                tasks.append(asyncio.create_task(webhook(here, Kind.INVOICE, both.crm["id"])))

            after_batches(w, 4, edit)
            await here.loop.drain(600)
            await asyncio.gather(*tasks)

        entries = [(entry["operation"], entry["kind"]) for entry in await w.written(begin, "quickbooks")]
        assert entries.count(("create", "Invoice")) == INVOICES
        assert entries.count(("update", "Invoice")) == 1
        assert entries.index(("update", "Invoice")) <= INVOICES // 2
        assert 429 not in [row["status"] for row in await w.requests(begin)]
        assert (await w.books_rows("Invoice"))[both.books["Id"]]["DueDate"] == "2026-12-24"
        await assert_in_order(w.control)


async def test_a_new_invoice_and_its_new_customer_go_before_a_backlog(scarce: None, synced: Snapshot) -> None:
    """An invoice that waits for its customer is as urgent as it was when the customer has arrived."""
    async with synced.world() as w:
        await backlog(w)
        begin, tasks = await w.mark(), list[asyncio.Task[None]]()
        async with app.opened(w.config, "test", clock=w.clock) as here:
            portal = w.sandbox.vendors["hubspot"]

            def sell() -> None:
                now = here.clock.now()
                contact = portal.person(
                    "create", "contacts", None, {"email": "new@example.com", "lastname": "New"}, now
                )
                made = portal.person("create", "invoices", None, invoice(contact["id"]), now)
                tasks.append(asyncio.create_task(webhook(here, Kind.INVOICE, str(made["id"]))))

            after_batches(w, 4, sell)
            await here.loop.drain(600)
            await asyncio.gather(*tasks)

        entries = [(entry["operation"], entry["kind"]) for entry in await w.written(begin, "quickbooks")]
        assert entries.count(("create", "Invoice")) == INVOICES + 1
        customer = entries.index(("create", "Customer"))
        assert entries[customer + 1] == ("create", "Invoice")
        assert customer <= INVOICES // 2
        assert 429 not in [row["status"] for row in await w.requests(begin)]
        await assert_in_order(w.control)
