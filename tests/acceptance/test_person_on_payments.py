"""Money that people record, on either side's screen, and take back."""

from decimal import Decimal

import pytest

from tests.acceptance.world import Row, Snapshot, World

SYNCED = ("synced", "")
HOUR = 3600.0


async def payments_there(w: World, invoice: Row) -> list[Row]:
    """The live payments of a HubSpot invoice."""
    held = await w.crm_rows("commerce_payments")
    ids = invoice["associations"].get("commerce_payments", [])
    return [held[id] for id in ids if not held[id]["archived"]]


async def payments_here(w: World, invoice: Row) -> list[Row]:
    """The live payments of a QuickBooks invoice."""
    held = await w.books_rows("Payment")
    return [held[id] for id in sorted({link["TxnId"] for link in invoice["LinkedTxn"] if link["TxnType"] == "Payment"})]


async def test_a_partial_payment_in_quickbooks_counts_on_both_sides(synced: Snapshot) -> None:
    """Of a HubSpot-born invoice: HubSpot has the payment, both have the balance, and the rest makes it paid."""
    async with synced.world() as w:
        before = await w.both("INV-1002")
        await w.books("pay", "Invoice", before.books["Id"], amount="200.50", ref="C-77")
        await w.once()

        both = await w.both("INV-1002")
        assert both.state == SYNCED
        assert both.amount("hs_amount_paid") == Decimal("200.50")
        assert both.amount("hs_balance_due") == both.books["Balance"] == Decimal("419.50")
        assert both.of("hs_invoice_status") == "open"
        (payment,) = await payments_there(w, both.crm)
        assert Decimal(payment["properties"]["hs_initial_amount"]) == Decimal("200.50")
        assert payment["properties"]["hs_reference_number"] == "C-77"
        record = await w.record(payment["id"], "payments")
        assert (record["status"], record["origin"]) == ("synced", "right")

        await w.books("pay", "Invoice", before.books["Id"])
        await w.once()
        both = await w.both("INV-1002")
        assert both.of("hs_invoice_status") == "paid"
        assert both.amount("hs_balance_due") == both.books["Balance"] == 0
        assert len(await payments_there(w, both.crm)) == 2


async def test_a_payment_recorded_in_hubspot_reaches_the_books(synced: Snapshot) -> None:
    """On the invoice it pays, for its customer, with its reference."""
    async with synced.world() as w:
        before = await w.both("INV-1002")
        made = await w.crm("pay", "invoices", before.crm["id"], amount="120.00", reference="W-9")
        await w.once()
        both = await w.both("INV-1002")
        assert both.state == SYNCED
        assert both.books["Balance"] == both.amount("hs_balance_due") == 500
        (payment,) = await payments_here(w, both.books)
        assert (payment["TotalAmt"], payment["PaymentRefNum"]) == (120, "W-9")
        assert payment["CustomerRef"]["value"] == both.books["CustomerRef"]["value"]
        assert payment["UnappliedAmt"] == 0
        record = await w.record(made["id"], "payments")
        assert (record["status"], record["origin"], record["right"]["id"]) == ("synced", "left", payment["Id"])


async def test_a_payment_on_an_invoice_of_the_books_shows_on_its_mirror(synced: Snapshot) -> None:
    """Paid amount, balance and status of the mirror follow."""
    async with synced.world() as w:
        before = await w.both("1010")
        await w.books("pay", "Invoice", before.books["Id"], amount="75.00")
        await w.once()
        both = await w.both("1010")
        assert both.state == SYNCED
        assert (both.amount("syncd_amount_paid"), both.amount("syncd_balance_due")) == (75, 300)
        assert both.of("hs_invoice_status") == "open"

        await w.books("pay", "Invoice", before.books["Id"])
        await w.once()
        both = await w.both("1010")
        assert (both.amount("syncd_amount_paid"), both.amount("syncd_balance_due")) == (375, 0)
        assert both.of("hs_invoice_status") == "paid"


async def test_a_payment_deleted_in_the_books_it_was_born_in_goes_there_too(synced: Snapshot) -> None:
    """The balance is back on both sides, on a HubSpot-born invoice and on a mirror."""
    async with synced.world() as w:
        await w.books("pay", "Invoice", (await w.both("INV-1002")).books["Id"], amount="200.00")
        await w.once()
        for number in ("INV-1002", "1007"):
            (payment,) = await payments_here(w, (await w.both(number)).books)
            await w.books("delete", "Payment", payment["Id"])
        await w.once()

        native, mirror = await w.both("INV-1002"), await w.both("1007")
        assert native.state == mirror.state == SYNCED
        assert native.books["Balance"] == native.amount("hs_balance_due") == 620
        assert mirror.books["Balance"] == mirror.amount("syncd_balance_due") == 750
        assert mirror.of("hs_invoice_status") == "open"
        assert await payments_there(w, native.crm) == await payments_there(w, mirror.crm) == []


async def test_a_payment_deleted_in_the_hubspot_it_was_born_in_goes_there_too(synced: Snapshot) -> None:
    """HubSpot tells of deletions in its recycle bin only, which is looked into every hour."""
    async with synced.world() as w:
        assert (await w.both("INV-1010")).books["Balance"] == 450
        await w.crm("archive", "commerce_payments", "6002")
        await w.advance(HOUR + 1)
        await w.once()
        both = await w.both("INV-1010")
        assert both.state == SYNCED
        assert both.books["Balance"] == both.amount("hs_balance_due") == 750
        assert await payments_here(w, both.books) == []


async def test_a_payment_removed_where_it_was_not_born_is_a_forbidden_edit(synced: Snapshot) -> None:
    """The customer paid in HubSpot; somebody deletes that in the books. Nothing is taken back in HubSpot."""
    async with synced.world() as w:
        payment, mark = await w.both("W-2291", "payments"), await w.mark()
        await w.books("delete", "Payment", payment.books["Id"])
        await w.once()
        both = await w.both(payment.record["id"], "payments")
        assert both.state == ("failed", "edited_outside_origin")
        assert both.record["remedy"]
        assert both.crm["archived"] is False
        assert await w.written(mark) == []


@pytest.mark.parametrize("option", ["auto", "off"])
async def test_without_a_payment_processor_hubspot_shows_the_amounts(synced: Snapshot, option: str) -> None:
    """HubSpot refuses payments then: the payment ends as synced with a note, and the invoice shows what was paid."""
    async with synced.world() as w:
        w.set("connections.crm", options=f'{{ payments = "{option}" }}')
        await w.control.settings("hubspot", processor_connected=False)
        for number, amount in (("INV-1002", "200.50"), ("1010", "75.00")):
            await w.books("pay", "Invoice", (await w.both(number)).books["Id"], amount=amount)
        await w.once()

        native, mirror = await w.both("INV-1002"), await w.both("1010")
        assert native.state == mirror.state == SYNCED
        assert await payments_there(w, native.crm) == await payments_there(w, mirror.crm) == []
        assert native.amount("hs_balance_due") == 620
        assert native.amount("syncd_amount_paid") == Decimal("200.50")
        assert native.amount("syncd_balance_due") == native.books["Balance"] == Decimal("419.50")
        assert mirror.amount("syncd_balance_due") == mirror.books["Balance"] == 300
        for invoice in (native, mirror):
            (payment,) = await payments_here(w, invoice.books)
            record = await w.record(payment["Id"], "payments")
            assert (record["status"], [note["code"] for note in record["notes"]]) == ("synced", ["payment_mirrored"])

        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []


async def test_a_failed_invoice_blocks_its_payments_and_wakes_them(synced: Snapshot) -> None:
    """Somebody edits a HubSpot invoice in the books; its payment says so, and goes over once the edit is undone."""
    async with synced.world() as w:
        invoice = (await w.both("INV-1002")).books
        before = invoice["CustomerMemo"]["value"] if "CustomerMemo" in invoice else ""
        await w.books("update", "Invoice", invoice["Id"], memo="mine")
        made = await w.crm("pay", "invoices", (await w.both("INV-1002")).crm["id"], amount="50")
        await w.once()
        assert (await w.both("INV-1002")).state == ("failed", "edited_outside_origin")
        record = await w.record(made["id"], "payments")
        assert (record["status"], record["code"]) == ("failed", "parent_failed")
        assert "INV-1002" in record["words"]

        await w.books("update", "Invoice", invoice["Id"], memo=before)
        await w.once()
        assert (await w.both("INV-1002")).state == SYNCED
        assert (await w.record(made["id"], "payments"))["status"] == "synced"
        assert len(await payments_here(w, (await w.both("INV-1002")).books)) == 1


async def test_a_contact_left_out_still_serves_its_invoices(synced: Snapshot) -> None:
    """A filter stops a contact's own fields. Its invoices go on, new ones too, and so do their payments."""
    async with synced.world() as w:
        filters = '[{ field = "last_name", operator = "=", value = "Nobody" }]'
        w.set("syncs.invoicing.flows.contacts", **{"filters.left-to-right": filters})
        await w.once()
        assert (await w.record("1002", "contacts"))["code"] == "filtered"
        lines = [{"product": "3003", "quantity": "1"}]
        made = await w.crm("create", "invoices", contact="1002", lines=lines, finalize=True)
        await w.crm("pay", "invoices", (await w.both("INV-1002")).crm["id"], amount="50")
        await w.once()
        both = await w.both(made["id"])
        assert both.state == SYNCED
        assert both.books["CustomerRef"]["value"] == "2"
        assert (await w.both("INV-1002")).books["Balance"] == 570

        await w.control.settings("quickbooks", deactivate_with_balance=True)
        await w.books("archive", "Customer", "2")
        await w.once()
        made = await w.crm("create", "invoices", contact="1002", lines=lines, finalize=True)
        await w.once()
        record = await w.record(made["id"], "invoices")
        assert (record["status"], record["code"]) == ("failed", "customer_missing")
        assert "inactive" in record["words"]
