"""What people do to invoices, on either side's screen, and what both sides hold after the next poll."""

from decimal import Decimal
from typing import Any

import pytest

from tests.acceptance.world import Row, Snapshot, World

SYNCED = ("synced", "")
INVOICES = "syncs.invoicing.flows.invoices"


def crew(number: str) -> list[Row]:
    """QuickBooks' custom field with a purchase order number in it."""
    return [{"DefinitionId": "1", "Name": "Crew #", "Type": "StringType", "StringValue": number}]


def sold(invoice: Row) -> list[tuple[Any, ...]]:
    """What a QuickBooks invoice sells: item, quantity, price, amount."""
    lines = [line for line in invoice["Line"] if line["DetailType"] == "SalesItemLineDetail"]
    return [
        (detail["ItemRef"]["name"], Decimal(detail["Qty"]), Decimal(detail["UnitPrice"]), Decimal(line["Amount"]))
        for line in lines
        for detail in [line["SalesItemLineDetail"]]
    ]


async def lines_of(w: World, invoice: Row) -> set[tuple[str, Decimal, Decimal]]:
    """What a HubSpot invoice sells: name, quantity, price."""
    lines = await w.crm_rows("line_items")
    found = [lines[id]["properties"] for id in invoice["associations"]["line_items"]]
    return {(p.get("name", ""), Decimal(p["quantity"]), Decimal(p["price"])) for p in found}


async def writes_to(w: World, since: Any, vendor: str, kind: str, id: str) -> list[str]:
    return [e["operation"] for e in await w.written(since, vendor) if (e["kind"], e["id"]) == (kind, id)]


async def test_an_invoice_for_a_new_contact_brings_its_customer(synced: Snapshot) -> None:
    """Made in HubSpot: by the next poll customer and invoice stand in QuickBooks, once each."""
    async with synced.world() as w:
        contact = await w.crm("create", "contacts", email="nora@example.com", firstname="Nora", lastname="Quist")
        lines = [{"product": "3003", "quantity": "2"}, {"name": "Travel", "price": "19.90", "quantity": "1"}]
        made = await w.crm("create", "invoices", contact=contact["id"], lines=lines, finalize=True)
        number = made["properties"]["hs_number"]
        await w.once()

        customers = [c for c in (await w.books_rows("Customer")).values() if c["DisplayName"] == "Nora Quist"]
        assert [c["PrimaryEmailAddr"]["Address"] for c in customers] == ["nora@example.com"]
        invoices = [i for i in (await w.books_rows("Invoice")).values() if i["DocNumber"] == number]
        assert [i["TotalAmt"] for i in invoices] == [Decimal("169.90")]
        assert invoices[0]["CustomerRef"]["value"] == customers[0]["Id"]
        assert [row[0] for row in sold(invoices[0])] == ["Design", "Custom Line Item"]
        both = await w.both(number)
        assert both.state == SYNCED
        assert both.events[-1] == "write.done"
        assert both.record["origin"] == "left"
        assert (await w.both("nora@example.com", "contacts")).state == SYNCED


async def test_an_invoice_made_in_quickbooks_gets_a_mirror(synced: Snapshot) -> None:
    """A record HubSpot shows but does not collect on: same number, total, customer and lines."""
    async with synced.world() as w:
        lines = [{"item": "Gardening", "qty": 3, "price": "25.00"}, {"item": "Pump", "qty": 1, "tax": True}]
        made = await w.books("create", "Invoice", customer="1", lines=lines, due="2026-12-31")
        await w.once()

        both = await w.both(made["Id"])
        assert both.state == SYNCED
        assert both.record["origin"] == "right"
        assert both.of("hs_invoice_billable") == "false"
        assert both.of("hs_number") == made["DocNumber"]
        assert both.amount("hs_amount_billed") == made["TotalAmt"] == both.books["TotalAmt"]
        assert both.amount("syncd_balance_due") == made["TotalAmt"]
        assert (both.of("hs_due_date") or "")[:10] == "2026-12-31"
        assert both.crm["associations"]["contacts"] == ["1001"]
        assert len(await lines_of(w, both.crm)) == 2


@pytest.mark.parametrize("side", ["crm", "books"])
async def test_a_shared_field_may_be_edited_on_either_side(synced: Snapshot, side: str) -> None:
    """The due date of a HubSpot-born and of a QuickBooks-born invoice, edited on one side, arrives on the other."""
    async with synced.world() as w:
        for number in ("INV-1002", "1010"):
            before = await w.both(number)
            if side == "crm":
                await w.crm("update", "invoices", before.crm["id"], hs_due_date="2027-01-15")
            else:
                await w.books("update", "Invoice", before.books["Id"], due="2027-01-15")
        await w.once()
        for number in ("INV-1002", "1010"):
            both = await w.both(number)
            assert both.state == SYNCED
            assert both.books["DueDate"] == (both.of("hs_due_date") or "")[:10] == "2027-01-15"
            (change,) = next(e["changes"] for e in both.record["activity"] if e["event"] == "record.planned")
            assert (change["field"], change["new"]) == ("due_date", "2027-01-15")


async def test_a_forbidden_edit_waits_for_its_undo_and_everything_else_waits_with_it(synced: Snapshot) -> None:
    """Lines of a HubSpot-born invoice edited in QuickBooks: nothing is overwritten on either side, a due date edited
    in HubSpot waits too, and both are in order as soon as the edit is undone."""
    async with synced.world() as w:
        before = await w.both("INV-1002")
        id, mark = before.books["Id"], await w.mark()
        await w.books("update", "Invoice", id, lines=[{"item": "Sod", "qty": 20, "price": "16.00"}])
        await w.crm("update", "invoices", before.crm["id"], hs_due_date="2027-02-01")
        status = await w.once()

        both = await w.both("INV-1002")
        assert both.state == ("failed", "edited_outside_origin")
        assert "lines" in both.record["words"]
        assert both.record["remedy"]
        assert both.events[-1] == "record.failed"
        assert sold(both.books) == [("Sod", 20, 16, 320)]
        assert both.books["DueDate"] == before.books["DueDate"]
        assert both.amount("hs_amount_billed") == 620
        assert await w.written(mark) == []
        assert _flow(status, "invoices")["categories"]["edited_outside_origin"] == 1

        lines = [
            {"item": item, "qty": n, "description": None}
            for item, n in (("Sod", 20), ("Soil", 12), ("Installation", 4))
        ]
        await w.books("update", "Invoice", id, lines=lines)
        await w.once()

        both = await w.both("INV-1002")
        assert both.state == SYNCED
        assert both.books["TotalAmt"] == 620
        assert both.books["DueDate"] == "2027-02-01"
        assert await writes_to(w, mark, "quickbooks", "Invoice", id) == ["update"]
        assert await writes_to(w, mark, "hubspot", "invoices", before.crm["id"]) == []


async def test_amounts_of_a_mirror_are_not_to_be_edited(synced: Snapshot) -> None:
    """A line changed on a QuickBooks-born invoice's mirror fails the same way, and is not carried to the books."""
    async with synced.world() as w:
        before, mark = await w.both("1010"), await w.mark()
        (line,) = before.crm["associations"]["line_items"]
        await w.crm("update", "invoices", before.crm["id"], lines=[{"id": line, "quantity": "7"}])
        await w.once()
        both = await w.both("1010")
        assert both.state == ("failed", "edited_outside_origin")
        assert both.books["TotalAmt"] == 375
        assert await w.written(mark) == []


async def test_a_void_in_hubspot_goes_over_as_a_void(synced: Snapshot) -> None:
    """Not as a deletion: the number stays in the books, with nothing owed on it."""
    async with synced.world() as w:
        before, mark = await w.both("INV-1003"), await w.mark()
        await w.crm("void", "invoices", before.crm["id"])
        await w.once()
        both = await w.both("INV-1003")
        assert both.state == SYNCED
        assert (both.books["DocNumber"], both.books["TotalAmt"], both.books["Balance"]) == ("INV-1003", 0, 0)
        assert await writes_to(w, mark, "quickbooks", "Invoice", both.books["Id"]) == ["void"]
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []


async def test_a_void_in_quickbooks_goes_over_as_a_void(synced: Snapshot) -> None:
    """Of an unpaid HubSpot-born invoice, and of one born in QuickBooks with its mirror."""
    async with synced.world() as w:
        numbers = ("INV-1004", "1018")
        for number in numbers:
            await w.books("void", "Invoice", (await w.both(number)).books["Id"])
        await w.once()
        for number in numbers:
            both = await w.both(number)
            assert both.of("hs_invoice_status") == "voided", number
            assert both.state == SYNCED
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []


async def test_lines_changed_where_the_invoice_was_born_arrive_on_its_mirror(synced: Snapshot) -> None:
    """A line changed, one added, one kept: the mirror has them, and the new total."""
    async with synced.world() as w:
        before = await w.both("1027")
        lines = [{"item": "Gardening", "qty": 3}, {"item": "Pest Control", "qty": 1}, {"item": "Sod", "qty": 2}]
        await w.books("update", "Invoice", before.books["Id"], lines=lines)
        await w.once()
        both = await w.both("1027")
        assert both.state == SYNCED
        assert both.books["TotalAmt"] == both.amount("hs_amount_billed") == 140
        assert both.amount("syncd_balance_due") == 140
        assert sorted(amount for _, amount, _ in await lines_of(w, both.crm)) == [1, 2, 3]
        assert len(both.crm["associations"]["line_items"]) == 3


async def test_edits_of_different_shared_fields_both_survive(synced: Snapshot) -> None:
    """The due date changed here and the PO number there, between two polls."""
    async with synced.world() as w:
        w.set("connections.books", options='{ po_field = "Crew #" }')
        await w.once()
        for number in ("INV-1001", "1010"):
            before = await w.both(number)
            await w.crm("update", "invoices", before.crm["id"], hs_due_date="2027-03-01")
            await w.books("update", "Invoice", before.books["Id"], CustomField=crew("PO-7"))
        await w.once()
        for number in ("INV-1001", "1010"):
            both = await w.both(number)
            assert both.state == SYNCED
            assert both.books["DueDate"] == (both.of("hs_due_date") or "")[:10] == "2027-03-01"
            assert both.of("hs_purchase_order_number") == both.books["CustomField"][0]["StringValue"] == "PO-7"


@pytest.mark.parametrize(("rule", "winner"), [("crm", "2027-04-01"), ("right", "2027-05-01")])
async def test_the_same_field_edited_on_both_sides_follows_the_rule(synced: Snapshot, rule: str, winner: str) -> None:
    """The due date of one invoice of each birth, changed on both sides: the rule says whose stays, and the other
    value is kept in the account."""
    async with synced.world() as w:
        w.set(INVOICES, conflict=f'"{rule}"')
        for number in ("INV-1005", "1010"):
            await _edit_both_due_dates(w, number)
        await w.once()
        for number in ("INV-1005", "1010"):
            both = await w.both(number)
            assert both.state == SYNCED
            assert both.books["DueDate"] == (both.of("hs_due_date") or "")[:10] == winner
            (lost,) = next(e["changes"] for e in both.record["activity"] if e["event"] == "conflict.resolved")
            assert (lost["field"], lost["new"]) == ("due_date", winner)
            assert lost["old"] in ("2027-04-01", "2027-05-01")


async def test_a_held_conflict_waits_until_people_agree(synced: Snapshot) -> None:
    """With the rule hold nobody's value is overwritten; once both sides say the same, the record is in order."""
    async with synced.world() as w:
        w.set(INVOICES, conflict='"hold"')
        before, mark = await w.both("INV-1005"), await w.mark()
        await _edit_both_due_dates(w, "INV-1005")
        await w.once()
        both = await w.both("INV-1005")
        assert both.state == ("failed", "conflict_held")
        assert "due_date" in both.record["words"]
        assert ((both.of("hs_due_date") or "")[:10], both.books["DueDate"]) == ("2027-04-01", "2027-05-01")

        await w.books("update", "Invoice", before.books["Id"], due="2027-04-01")
        await w.once()
        assert (await w.both("INV-1005")).state == SYNCED
        assert await w.written(mark) == []


async def test_voiding_everything_at_once_is_held(synced: Snapshot) -> None:
    """All unpaid invoices voided by somebody between two polls: not one void is sent, and the figures are told."""
    async with synced.world() as w:
        invoices = await w.books_rows("Invoice")
        listed = await w.records(flow="invoices", status="synced")
        unpaid = [row for row in listed if _unpaid(invoices[row["right"]["id"]])]
        assert len(unpaid) > 20
        for row in unpaid:
            if row["origin"] == "left":
                await w.crm("void", "invoices", row["left"]["id"])
            else:
                await w.books("void", "Invoice", row["right"]["id"])
        mark = await w.mark()
        status = await w.once()
        assert await w.written(mark) == []
        assert _flow(status, "invoices")["waiting"] == {"held": len(unpaid)}
        held = await w.records(flow="invoices", code="held")
        assert {row["words"] for row in held} == {
            f"Many removals: {len(unpaid)} records would be voided or deleted, 20 are allowed."
        }


def _unpaid(invoice: Row) -> bool:
    return bool(invoice["Balance"] == invoice["TotalAmt"])


async def _edit_both_due_dates(w: World, number: str) -> None:
    both = await w.both(number)
    await w.crm("update", "invoices", both.crm["id"], hs_due_date="2027-04-01")
    await w.books("update", "Invoice", both.books["Id"], due="2027-05-01")


def _flow(status: Row, name: str) -> Row:
    (sync,) = status["syncs"]
    return next(flow for flow in sync["flows"] if flow["name"] == name)
