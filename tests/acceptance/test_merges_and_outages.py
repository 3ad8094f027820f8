"""What looks like a deletion and is none: merges, an outage, half an answer lost, a right withdrawn."""

from __future__ import annotations

from typing import Any

import pytest

from syncd import app
from syncd.model.record import Change, Priority
from syncd.model.references import EntityRef, Kind
from tests.acceptance.world import Row, Snapshot, World

SYNCED = ("synced", "")
HOUR = 3600.0


async def _removals(w: World, mark: Any) -> list[Row]:
    """Everything we made void or deleted after the mark."""
    written = await w.written(mark)
    return [e for e in written if e["operation"] in ("void", "delete", "archive") or e["fields"].get("Active") is False]


async def test_a_merged_customer_takes_its_contact_and_invoices_along(synced: Snapshot) -> None:
    """QuickBooks tells nothing of where a customer went: its documents do. No document is edited because of it."""
    async with synced.world() as w:
        new = await w.books("create", "Customer", name="Cool Cars Inc.")
        await w.once()
        mark = await w.mark()
        await w.books("merge", "Customer", new["Id"], other="3")
        await w.once()

        contact = await w.both("1003", "contacts")
        assert contact.state == SYNCED
        assert (contact.crm["id"], contact.books["Id"]) == ("1003", new["Id"])
        assert contact.events.count("record.relinked") == 1
        for invoice in ("INV-1003", "1004"):
            both = await w.both(invoice)
            assert both.state == SYNCED
            assert both.books["CustomerRef"]["value"] == new["Id"]
        assert await w.written(mark, "quickbooks") == []
        assert [e for e in await w.written(mark, "hubspot") if e["kind"] == "invoices"] == []

        lines = [{"product": "3003", "quantity": "1"}]
        made = await w.crm("create", "invoices", contact="1003", lines=lines, finalize=True)
        await w.once()
        assert (await w.both(made["id"])).books["CustomerRef"]["value"] == new["Id"]
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []


async def test_a_merge_that_leaves_the_customer_inactive_is_one_too(synced: Snapshot) -> None:
    """What books show of a merged customer is not documented, so it is an option of the connection."""
    async with synced.world() as w:
        w.set("connections.books", options='{ merged_customers = "inactive" }')
        await w.control.settings("quickbooks", merge_loser="inactive")
        await w.books("merge", "Customer", "26", other="3")
        await w.once()
        for invoice in ("INV-1003", "1004"):
            assert (await w.both(invoice)).state == SYNCED


async def test_a_customer_merged_into_another_ones_keeps_serving_its_contact(synced: Snapshot) -> None:
    """Two contacts, one customer left: the second contact's record ends, its invoices go to the survivor."""
    async with synced.world() as w:
        await w.books("merge", "Customer", "1", other="2")
        await w.once()
        assert (await w.both("1001", "contacts")).state == SYNCED
        assert (await w.record("1002", "contacts"))["code"] == "deleted_at_source"
        assert (await w.both("INV-1002")).state == (await w.both("1027")).state == SYNCED
        lines = [{"product": "3003", "quantity": "1"}]
        made = await w.crm("create", "invoices", contact="1002", lines=lines, finalize=True)
        await w.once()
        assert (await w.both(made["id"])).books["CustomerRef"]["value"] == "1"


async def test_merged_contacts_keep_their_invoices_where_they_are_booked(synced: Snapshot) -> None:
    """Both contacts had a customer: documents stay with theirs, new ones go to the survivor's."""
    async with synced.world() as w:
        mark = await w.mark()
        await w.crm("merge", "contacts", "1001", other="1002")
        await w.once()
        for number, customer in (("INV-1001", "1"), ("INV-1002", "2"), ("1002", "2")):
            both = await w.both(number)
            assert both.state == SYNCED
            assert both.books["CustomerRef"]["value"] == customer
        assert await w.written(mark, "quickbooks") == []
        assert await _removals(w, mark) == []


async def test_an_item_that_was_merged_is_no_edit_of_its_lines(synced: Snapshot) -> None:
    """The lines of HubSpot-born invoices name the other item from now on."""
    async with synced.world() as w:
        (item,) = {
            line["SalesItemLineDetail"]["ItemRef"]["value"] for line in (await w.both("INV-1001")).books["Line"][:1]
        }
        other = await w.books("create", "Item", name="Everything", sku="ALL", price="1")
        mark = await w.mark()
        await w.books("merge", "Item", other["Id"], other=item)
        await w.once()
        both = await w.both("INV-1001")
        assert both.state == SYNCED
        assert both.books["Line"][0]["SalesItemLineDetail"]["ItemRef"]["value"] == other["Id"]
        assert [e for e in await w.written(mark) if e["kind"] in ("Invoice", "invoices", "line_items")] == []


@pytest.mark.parametrize(
    ("vendor", "connection", "path"), [("quickbooks", "books", ".*/query"), ("hubspot", "crm", ".*/batch/read")]
)
async def test_an_outage_deletes_nothing(synced: Snapshot, vendor: str, connection: str, path: str) -> None:
    """Nothing can be read: the connection is in trouble and every record stays as it was."""
    async with synced.world() as w:
        before, mark = await _standing(w), await w.mark()
        fault = await w.control.arm(vendor, "server_error", {"path": path})
        await _hint(w, connection, "payment", ["151", "152"] if vendor == "quickbooks" else ["6001", "6002"])
        await w.once(wait=5)
        assert [fault["hits"] > 0 for fault in await w.control.faults()] == [True]
        assert await _standing(w) == before
        await w.control.disarm(fault)
        await w.once()
        assert await _standing(w) == before
        assert await _removals(w, mark) == []


@pytest.mark.parametrize("vendor", ["hubspot", "quickbooks"])
async def test_half_an_answer_lost_deletes_nothing(synced: Snapshot, vendor: str) -> None:
    """An answer to a batch that lacks what is there is asked for again, in another way."""
    async with synced.world() as w:
        mark = await w.mark()
        if vendor == "hubspot":
            await w.control.arm(
                "hubspot", "short_batch", {"path": ".*commerce_payments/batch/read"}, times=1, options={"drop": 2}
            )
            for payment in ("6001", "6002", "6003"):
                await w.crm("update", "commerce_payments", payment, hs_internal_comment="seen")
        else:
            lost = {"path": "QueryResponse.Payment", "remove": True}
            await w.control.arm("quickbooks", "mutate", {"path": ".*/query"}, options=lost)
            await _hint(w, "books", "payment", ["151", "152", "153", "154"])
        await w.once()
        assert [fault["hits"] > 0 for fault in await w.control.faults()] == [True]
        for payment in ("6001", "6002", "6003"):
            assert (await w.both(payment, "payments")).state == SYNCED
        assert await _removals(w, mark) == []


async def test_only_a_real_deletion_is_one(synced: Snapshot) -> None:
    """The tombstone in a poll, and a read that finds nothing: then the payment is taken back over there, too."""
    async with synced.world() as w:
        mark = await w.mark()
        await w.books("delete", "Payment", "101")
        await w.once()
        assert len(await _removals(w, mark)) == 1
        assert (await w.record("101", "payments"))["code"] == "deleted_at_source"


async def _standing(w: World) -> dict[str, tuple[str, str]]:
    return {row["id"]: (row["status"], row["code"]) for row in await w.records()}


async def _hint(w: World, connection: str, kind: str, ids: list[str]) -> None:
    """Somebody tells us to look at these, as a webhook would."""
    async with app.opened(w.config, "once", clock=w.clock) as opened:
        now = w.clock.now()
        refs = [EntityRef(connection, Kind(kind), id) for id in ids]
        changes = [Change(ref=r, cause="webhook", priority=Priority.WEBHOOK, due_at=now) for r in refs]
        await opened.store.write(lambda tx: tx.put_changes(changes))


async def test_what_only_a_read_misses_is_asked_again_before_it_counts(synced: Snapshot) -> None:
    """F15: after 30 seconds and five minutes; meanwhile the record stays, and its account says that it was missed."""
    async with synced.world() as w:
        mark = await w.mark()
        payment = (await w.both("101", "payments")).books
        await w.books("delete", "Payment", payment["Id"])
        lost = {"path": "CDCResponse.*.QueryResponse.*.Payment", "value": []}
        await w.control.arm("quickbooks", "mutate", {"path": ".*/cdc"}, options=lost)
        await _hint(w, "books", "payment", [payment["Id"]])
        await w.once(wait=20)
        record = await w.record(payment["Id"], "payments")
        assert (record["status"], record["activity"][0]["event"]) == ("synced", "record.missed")
        await w.once(wait=200)
        assert (await w.record(payment["Id"], "payments"))["status"] == "synced"
        assert await _removals(w, mark) == []
        await w.once(wait=600)
        assert (await w.record(payment["Id"], "payments"))["code"] == "deleted_at_source"
        assert len(await _removals(w, mark)) == 1


async def test_a_right_withdrawn_is_trouble_of_the_connection_once(synced: Snapshot) -> None:
    """F15: 403 says nothing about a record."""
    async with synced.world() as w:
        before = await _standing(w)
        await w.control.settings("hubspot", missing_scopes=["crm.objects.invoices.read"])
        await _hint(w, "crm", "invoice", ["5001", "5002"])
        await w.once(wait=5)
        (crm,) = [c for c in (await w.status())["connections"] if c["name"] == "crm"]
        assert crm["state"] == "permission_missing"
        assert await _standing(w) == before

        await w.control.settings("hubspot", missing_scopes=[])
        await w.advance(HOUR + 1)
        await w.once()
        assert await _standing(w) == before
