"""Mappings through the real daemon: custom fields of both vendors, value maps, constants, switches (C-06, HQ-14)."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.acceptance.fields import mapped, property_dropped, property_made, slot, typed
from tests.acceptance.processes import ANY_PORT, running, until
from tests.acceptance.world import Snapshot, World, world

SYNCED = ("synced", "")
LABELS = ["Order", "Tier", "Note"]


async def set_up(w: World) -> None:
    """What the administrators of both sides have prepared, and the mappings between it."""
    await property_made(w, "invoices", "order_ref")
    await property_made(w, "invoices", "tier", "enumeration", "gold", "silver", "lead")
    await property_made(w, "invoices", "note")
    await property_made(w, "invoices", "track_no")
    await property_made(w, "invoices", "carrier")
    await property_made(w, "invoices", "sent_on", "date")
    await w.control.settings("quickbooks", SalesCustomFields=LABELS)
    w.configure(
        (
            'options = { custom_line_item_account = "Services" }',
            'options = { custom_line_item_account = "Services", tracking_number = "track_no", ship_date = "sent_on" }',
        )
    )
    mapped(
        w,
        "invoices",
        'left = "properties.order_ref"\nright = "custom.Order"',
        'left = "properties.tier"\nright = "custom.Tier"\nvalues = { gold = "G", silver = "S" }',
        'left = "properties.note"\nright = "custom.Note"\ndirection = "left-to-right"\nconstant = "none"',
        'left = "properties.carrier"\nright = "shipping_method"',
    )
    mapped(w, "contacts", 'left = "phone"\nright = "phone"\nenabled = false')


async def quiet(w: World) -> None:
    """Two more passes write nothing."""
    await w.once()
    mark = await w.mark()
    await w.once()
    assert await w.written(mark) == []


async def test_custom_fields_flow_both_ways() -> None:
    """Property to custom field and back, by value map and constant, tracking and shipping to their own fields; a
    switched-off row carries nothing; and nothing echoes."""
    async with world() as w:
        await set_up(w)
        await w.crm("update", "invoices", "5001", order_ref="  PO-7 ", tier="gold", track_no="1Z 999", carrier="UPS")
        await w.once()
        both = await w.both("INV-1001")
        assert both.state == SYNCED, both.record["words"]
        assert (slot(both.books, "Order"), slot(both.books, "Tier"), slot(both.books, "Note")) == ("PO-7", "G", "none")
        assert (both.books["TrackingNum"], both.books["ShipMethodRef"]["value"]) == ("1Z 999", "UPS")
        await quiet(w)

        await w.books("update", "Invoice", both.books["Id"], **typed("Tier", "2", "S"), ShipDate="2026-12-24")
        await w.crm("update", "invoices", "5001", order_ref="PO-8", note="fragile", carrier="DHL")
        await w.crm("update", "contacts", "1001", phone="555-0100")
        await w.once()
        both = await w.both("INV-1001")
        assert (both.of("tier"), both.of("sent_on"), both.of("order_ref")) == ("silver", "2026-12-24", "PO-8")
        assert [slot(both.books, label) for label in LABELS] == ["PO-8", "S", "fragile"]
        assert both.books["ShipMethodRef"]["value"] == "DHL"
        assert "555-0100" not in str(await w.books_rows("Customer"))
        await quiet(w)

        await w.crm("update", "invoices", "5001", note="")
        await w.books("update", "Invoice", both.books["Id"], **typed("Order", "1", ""))
        await w.once()
        both = await w.both("INV-1001")
        assert slot(both.books, "Note") == "none"
        assert not both.of("order_ref")
        await quiet(w)


async def test_an_option_without_a_counterpart_is_named() -> None:
    """Nothing is guessed: the record fails with the option and the mapping, and goes on when it is put right."""
    async with world() as w:
        await set_up(w)
        await w.once()
        books = (await w.both("INV-1001")).books
        await w.books("update", "Invoice", books["Id"], **typed("Tier", "2", "B"))
        await w.crm("update", "invoices", "5002", tier="lead")
        await w.once()
        for number, option in (("INV-1001", "“B”"), ("INV-1002", "“lead”")):
            record = (await w.both(number)).record
            assert (record["status"], record["code"]) == ("failed", "option_unknown")
            assert option in record["words"]
            assert "custom.tier = custom.Tier" in record["words"]
            assert "configuration" in record["remedy"]
        await w.books("update", "Invoice", books["Id"], **typed("Tier", "2", "G"))
        w.configure(('silver = "S"', 'silver = "S", lead = "L"'))
        await w.once()
        first, second = await w.both("INV-1001"), await w.both("INV-1002")
        assert first.state == second.state == SYNCED
        assert (first.of("tier"), slot(second.books, "Tier")) == ("gold", "L")


async def test_fields_are_held_against_the_vendors_definitions(synced: Snapshot) -> None:
    """`check` names all of them at once; a record that needs one fails, and goes on once the vendor has it."""
    async with synced.world() as w:
        await property_made(w, "invoices", "seats", "number")
        await property_made(w, "invoices", "tier", "enumeration", "gold")
        mapped(
            w,
            "invoices",
            'left = "properties.nowhere"\nright = "custom.Crew #"',
            'left = "properties.hs_object_source"\nright = "shipping_method"\ndirection = "right-to-left"',
            'left = "properties.seats"\nright = "ship_date"',
            'left = "properties.tier"\nright = "custom.Slot Two"\nvalues = { gold = "G", lead = "L" }',
        )
        code, out, _ = await w.command("check")
        assert code == 78
        for words in (
            "“nowhere” of invoices does not exist",
            "“hs_object_source” of invoices is read-only",
            "“seats” of invoices is of type number and cannot be mapped with a date",
            "“tier” of invoices has no option “lead”",
            "no custom field “Slot Two” on sales forms",
        ):
            assert words in out


async def test_a_property_that_vanishes_clears_nothing(synced: Snapshot) -> None:
    """What the vendor no longer shows is not read as empty: the record says what is missing and waits for it."""
    async with synced.world() as w:
        await property_made(w, "invoices", "order_ref")
        mapped(w, "invoices", 'left = "properties.order_ref"\nright = "custom.Crew #"')
        await w.once()
        await w.crm("update", "invoices", "5001", order_ref="PO-1")
        await w.once()
        assert slot((await w.both("INV-1001")).books, "Crew #") == "PO-1"

        await property_dropped(w, "invoices", "order_ref")
        await w.crm("update", "invoices", "5001", hs_due_date="2026-12-31")
        await w.once()
        both = await w.both("INV-1001")
        assert both.state == ("failed", "mapping_invalid")
        assert "“order_ref” of invoices does not exist" in both.record["words"]
        assert slot(both.books, "Crew #") == "PO-1"

        await property_made(w, "invoices", "order_ref")
        await w.once()
        both = await w.both("INV-1001")
        assert both.state == SYNCED
        assert both.books["DueDate"] == "2026-12-31"


@pytest.mark.parametrize("flag", [(), ("--json",)])
async def test_mappings_are_listed(flag: tuple[str, ...], synced: Snapshot) -> None:
    """`syncd mappings` needs neither vendor nor state."""
    async with synced.world() as w:
        mapped(w, "invoices", 'left = "properties.order_ref"\nright = "custom.Crew #"')
        code, out, _ = await w.command("mappings", "--flow", "invoices", *flag)
        assert code == 0
        assert "properties.order_ref" in out
        assert "computed, never typed" in out


def test_the_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    """Custom fields are written with their vendor's word."""
    from tests.unit.test_mappings import loaded, mapping

    text = mapping("invoices", 'left = "properties.po_number"\nright = "custom.PO Number"')
    assert loaded(tmp_path, text).syncs["invoicing"].flows["invoices"].mappings


async def test_changed_mappings_reach_what_is_synced_only_when_asked(synced: Snapshot) -> None:
    """Nothing is retroactive; `remap` shows what would change, writes nothing, and with --yes the daemon writes it."""
    async with synced.world() as w:
        await property_made(w, "invoices", "order_ref")
        await w.control.settings("quickbooks", SalesCustomFields=LABELS)
        await w.crm("update", "invoices", "5001", order_ref="PO-1")
        books = (await w.both("INV-1002")).books["Id"]
        await w.books("update", "Invoice", books, **typed("Order", "1", "PO-2"))
        await w.once()
        mapped(
            w,
            "invoices",
            'left = "properties.order_ref"\nright = "custom.Order"\nvalues = { PO-1 = "one", PO-2 = "two" }',
        )
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []

        code, out, _ = await w.command("remap", "--json")
        told = json.loads(out)
        found = {one["label"]: one for one in told["records"]}
        assert (code, told["carried_out"], told["flows"]) == (0, False, {"invoicing invoices": 2})
        assert found["INV-1001"]["changes"] == [
            {"field": "custom.order_ref = custom.Order", "side": "right", "old": None, "new": "one"}
        ]
        assert "option_unknown" in found["INV-1002"]["problems"][0]["words"]
        await w.once()
        assert await w.written(mark) == []

        w.configure(('PO-2 = "two"', 'PO-2 = "PO-2"'))
        code, out, _ = await w.command("remap", "--flow", "invoices", "--yes")
        assert (code, "due for their new mappings: invoicing invoices 2" in out) == (0, True), out
        await w.once()
        first, second = await w.both("INV-1001"), await w.both("INV-1002")
        assert first.state == second.state == SYNCED
        assert (slot(first.books, "Order"), second.of("order_ref")) == ("one", "PO-2")
        await quiet(w)
        code, _, err = await w.command("remap", "--flow", "quotes")
        assert (code, "has no flow" in err) == (2, True)


async def test_a_remap_by_other_rules_than_the_daemons_is_refused(synced: Snapshot) -> None:
    """The preview goes by the file; a daemon that has read another one says so instead of doing something else."""
    async with synced.world(ANY_PORT) as w:
        await property_made(w, "invoices", "order_ref")
        await w.control.settings("quickbooks", SalesCustomFields=LABELS)
        await w.crm("update", "invoices", "5001", order_ref="PO-1")
        mapped(w, "invoices", 'left = "properties.order_ref"\nright = "custom.Order"\nvalues = { PO-1 = "one" }')
        await w.once()
        async with running(w, "run") as daemon:
            await until((w.config.state_dir / "syncd.sock").exists)
            w.configure(('PO-1 = "one"', 'PO-1 = "uno"'))
            mark = await w.mark()
            code, _, err = await w.command("remap", "--yes")
            assert (code, "has changed since it was read" in err) == (2, True), err
            daemon.send_signal(signal.SIGHUP)
            while code:
                code, out, _ = await w.command("remap", "--yes")
            assert "due for their new mappings: invoicing invoices 1" in out
            while not await w.written(mark, "quickbooks"):
                await w.clock.sleep(0.05)
        assert [(e["kind"], e["operation"]) for e in await w.written(mark)] == [("Invoice", "update")]
        assert slot((await w.both("INV-1001")).books, "Order") == "uno"
