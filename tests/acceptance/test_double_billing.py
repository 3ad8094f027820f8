"""HQ-16: one payment, one invoice. What a second automation bills once more is reported, and left alone."""

from __future__ import annotations

from decimal import Decimal

from tests.acceptance.world import Row, Snapshot, World

SYNCED = ("synced", "")
SUSPECTED = ("failed", "suspected_double_billing")
DAY = "2026-11-20"


async def _paid_invoice(w: World, price: str = "77.70") -> Row:
    """An invoice of contact 1002 in HubSpot, on both sides and paid in HubSpot today."""
    lines = [{"product": "3003", "quantity": "1", "price": price}]
    made = await w.crm("create", "invoices", contact="1002", lines=lines, finalize=True)
    await w.once()
    await w.crm("pay", "invoices", made["id"], date=f"{DAY}T12:00:00Z")
    return made


async def _workflow(w: World, kind: str, price: str = "77.70") -> Row:
    """What HubSpot's workflow action makes of the payment in QuickBooks: a paid invoice, or a sales receipt."""
    lines = [{"item": "4", "qty": 1, "price": Decimal(price)}]
    made = await w.books("create", kind, customer="2", date=DAY, lines=lines)
    if kind == "Invoice":
        await w.books("pay", kind, made["Id"], date=DAY)
    return made


async def _record(w: World, made: Row, kind: str) -> Row:
    word = made["Id"] if kind == "Invoice" else f"sale:{made['Id']}"
    return await w.record(word, "invoices" if kind == "Invoice" else "payments")


async def test_a_paid_invoice_of_a_workflow_is_reported_and_left_alone(synced: Snapshot) -> None:
    """Though both come with the same poll; a person may say that it is one of its own."""
    async with synced.world() as w:
        invoice = await _paid_invoice(w)
        made = await _workflow(w, "Invoice")
        mark = await w.mark()
        await w.once()
        record = await _record(w, made, "Invoice")
        assert (record["status"], record["code"]) == SUSPECTED
        assert (await w.both(invoice["id"])).record["label"] in record["words"]
        assert record["remedy"]
        assert (await w.both(invoice["id"])).state == SYNCED
        assert [e for e in await w.written(mark, "quickbooks") if e["operation"] in ("void", "delete")] == []

        code, _, errors = await w.command("accept", record["id"])
        assert code in (0, 1), errors
        await w.once()
        record = await _record(w, made, "Invoice")
        assert record["status"] == "synced"
        assert [note["code"] for note in record["notes"]] == ["double_billing_denied"]


async def test_a_sales_receipt_is_reported_and_costs_no_call(synced: Snapshot) -> None:
    """It comes with the same change data call; others are simply no payments of an invoice."""
    async with synced.world() as w:
        await w.once()
        mark = await w.mark()
        await w.once()
        idle = [r for r in await w.requests(mark) if r["path"].startswith("/v3/company")]
        await _paid_invoice(w)
        await w.once()
        twice, own = await _workflow(w, "SalesReceipt"), await _workflow(w, "SalesReceipt", "12.00")
        mark = await w.mark()
        await w.once()
        asked = [r for r in await w.requests(mark) if r["path"].startswith("/v3/company")]
        assert len(asked) == len(idle)
        record = await _record(w, twice, "SalesReceipt")
        assert (record["status"], record["code"]) == SUSPECTED
        record = await _record(w, own, "SalesReceipt")
        assert (record["status"], record["code"]) == ("excluded", "filtered")
        assert await w.written(mark) == []

        await w.books("delete", "SalesReceipt", twice["Id"])
        await w.once()
        assert (await _record(w, twice, "SalesReceipt"))["code"] == "deleted_at_source"


async def test_a_sale_that_came_before_the_payment_is_reported_when_it_comes(synced: Snapshot) -> None:
    """The order of arrival plays no part."""
    async with synced.world() as w:
        lines = [{"product": "3003", "quantity": "1", "price": "77.70"}]
        invoice = await w.crm("create", "invoices", contact="1002", lines=lines, finalize=True)
        made = await _workflow(w, "Invoice")
        await w.once()
        assert (await _record(w, made, "Invoice"))["status"] == "synced"
        await w.crm("pay", "invoices", invoice["id"], date=f"{DAY}T12:00:00Z")
        await w.once()
        record = await _record(w, made, "Invoice")
        assert (record["status"], record["code"]) == SUSPECTED


async def test_a_payment_of_an_invoice_makes_no_second_one(synced: Snapshot) -> None:
    """One invoice and one payment in the books, and none that is taken for a double."""
    async with synced.world() as w:
        before = len(await w.books_rows("Invoice"))
        invoice = await _paid_invoice(w)
        await w.once()
        assert len(await w.books_rows("Invoice")) == before + 1
        assert (await w.both(invoice["id"])).state == SYNCED
        assert [r for r in await w.records() if r["code"] == "suspected_double_billing"] == []
