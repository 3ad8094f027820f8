"""One record's trouble stays its own: refused items, moved versions, and people who edit while we write."""

from collections.abc import Callable

import pytest

from syncd.sandbox.base import Request
from syncd.sandbox.delivery import Delivery
from tests.acceptance.people import Sale, books_sale, crm_sale, ended_well, of_sale
from tests.acceptance.processes import Proceed, intercept
from tests.acceptance.world import Row, Snapshot, World

BIRDS = ("1001", "1")  # Amy's Bird Sanctuary in HubSpot and in QuickBooks
UPDATES = {"path": r"/v3/company/\d+/batch", "contains": '"operation":"update"'}
CREATES_INVOICES = {"path": r"/v3/company/\d+/batch", "contains": '"Invoice":{'}


def _at(w: World, vendor: str, contains: str, *, before: bool, times: int, act: Callable[[int], None]) -> None:
    """Let a person act right before (or right after) a vendor carries out the next requests that contain this text."""
    struck = 0

    def between(name: str, request: Request, proceed: Proceed) -> Delivery:
        nonlocal struck
        if name != vendor or struck == times or contains.encode() not in request.path.encode() + request.body:
            return proceed()
        struck += 1
        if before:
            act(struck)
        delivery = proceed()
        if not before:
            act(struck)
        return delivery

    intercept(w, between)


def _edits(w: World, vendor: str, kind: str, id: str, **fields: str) -> Callable[[int], None]:
    """A person's edit; `{}` in a value is the number of the edit."""

    def act(number: int) -> None:
        filled = {name: value.format(number) for name, value in fields.items()}
        w.sandbox.vendors[vendor].person("update", kind, id, filled, w.clock.now())

    return act


async def _phones(w: World) -> tuple[str, str]:
    crm, books = BIRDS
    theirs = (await w.books_rows("Customer"))[books]["PrimaryPhone"]["FreeFormNumber"]
    return (await w.crm_rows("contacts"))[crm]["properties"]["phone"], theirs


async def _birds(w: World) -> Row:
    return await w.record("birds@intuit.com", "contacts")


async def test_a_batch_with_one_refused_item_in_the_crm(synced: Snapshot):
    """The others go through; the refused one has its category and the vendor's own words."""
    async with synced.world() as w:
        sales = [await books_sale(w, name) for name in ("Otto Fern", "Olga Moss", "Oskar Lind")]
        await w.control.arm(
            "hubspot", "partial_batch", {"path": "/crm/v3/objects/contacts/batch/create"}, nth=1, options={"rows": [1]}
        )
        await w.once()
        await _one_refused(w, sales, "contacts")


async def test_a_batch_with_one_refused_item_in_the_books(synced: Snapshot):
    """The same on the other side, and the words are QuickBooks'."""
    async with synced.world() as w:
        sales = [await crm_sale(w, name) for name in ("Nora Quill", "Nils Reed", "Nina Sand")]
        options = {
            "item": 2,
            "code": "6210",
            "message": "Account Period Closed",
            "detail": "The account period has closed",
        }
        await w.control.arm("quickbooks", "item_fault", CREATES_INVOICES, nth=1, options=options)
        await w.once()
        refused = await _one_refused(w, sales, "invoices")
        assert refused["code"] == "accounting_period_closed"
        assert "The account period has closed" in refused["words"]


async def test_a_refusal_is_not_hidden_by_what_went_well_on_the_other_side(synced: Snapshot):
    """Both sides were edited; one write is refused, the other done after it: the record has failed all the same."""
    async with synced.world() as w:
        crm, books = BIRDS
        await w.control.settings("hubspot", latency=0.1)
        refusal = {"item": 1, "code": "6000", "message": "A business validation error", "detail": "Not today"}
        await w.control.arm("quickbooks", "item_fault", UPDATES, nth=1, options=refusal)
        await w.crm("update", "contacts", crm, phone="555-0001")
        await w.books("update", "Customer", books, company="Amy's Birds")
        await w.once()
        row = await _birds(w)
        assert row["status"] == "failed"
        assert "Not today" in row["words"]
        assert (await w.crm_rows("contacts"))[crm]["properties"]["company"] == "Amy's Birds"


async def _one_refused(w: World, sales: list[Sale], flow: str) -> Row:
    rows = {sale: await of_sale(w, sale) for sale in sales}
    refused = [(sale, row[flow]) for sale, row in rows.items() if row[flow]["status"] == "failed"]
    assert len(refused) == 1
    sale, row = refused[0]
    assert row["code"] != "internal_error"
    assert row["words"]
    assert row["remedy"]
    await ended_well(w, *(other for other in sales if other != sale))
    return row


async def test_a_version_that_moved_is_read_again_and_both_edits_survive(synced: Snapshot):
    """Somebody in QuickBooks saves right before our update: it is refused as stale, decided anew, and loses nothing."""
    async with synced.world() as w:
        crm, books = BIRDS
        _at(
            w,
            "quickbooks",
            '"operation":"update"',
            before=True,
            times=1,
            act=_edits(w, "quickbooks", "Customer", books, company="Amy's Birds"),
        )
        await w.crm("update", "contacts", crm, phone="555-0001")
        begin = await w.mark()
        await w.once()
        assert await _phones(w) == ("555-0001", "555-0001")
        assert (await w.crm_rows("contacts"))[crm]["properties"]["company"] == "Amy's Birds"
        assert (await _birds(w))["status"] == "synced"
        assert "write.stale" in [entry["event"] for entry in (await _birds(w))["activity"]]
        assert len(await w.written(begin)) == 2


async def test_a_version_that_keeps_moving_loses_nothing(synced: Snapshot):
    """Somebody saves before each of our updates: no edit of theirs is overwritten, and in the end both sides agree."""
    async with synced.world() as w:
        crm, books = BIRDS
        edits = _edits(w, "quickbooks", "Customer", books, company="Amy {}")
        _at(w, "quickbooks", '"operation":"update"', before=True, times=6, act=edits)
        await w.crm("update", "contacts", crm, phone="555-0001")
        await w.once()
        assert await _phones(w) == ("555-0001", "555-0001")
        assert (await w.crm_rows("contacts"))[crm]["properties"]["company"] == "Amy 6"
        assert (await w.books_rows("Customer"))[books]["CompanyName"] == "Amy 6"
        assert (await _birds(w))["status"] == "synced"


async def test_a_version_that_never_fits_is_held_for_a_person(synced: Snapshot):
    """Refused as stale again and again although nothing moves: after three rounds a person is asked."""
    async with synced.world() as w:
        stale = {"item": 1, "code": "5010", "message": "Stale Object Error"}
        await w.control.arm("quickbooks", "item_fault", UPDATES, options=stale)
        await w.crm("update", "contacts", BIRDS[0], phone="555-0001")
        await w.once()
        row = await _birds(w)
        assert (row["status"], row["code"]) == ("failed", "conflict_held")
        assert [fault["hits"] for fault in await w.control.faults()] == [4]


@pytest.mark.parametrize("fault", ["error_code", "fault_200"])
async def test_a_stale_answer_to_an_invoice_is_decided_again(fault, synced: Snapshot):
    """QuickBooks' code for a version that is not the latest, as an error and inside a 200."""
    async with synced.world() as w:
        sale = await crm_sale(w)
        await w.once()
        await w.crm("update", "invoices", sale.invoice, hs_due_date="2027-02-28")
        stale = {"code": "5010", "message": "Stale Object Error", "detail": "You and a user were working on this"}
        await w.control.arm("quickbooks", fault, UPDATES, nth=1, options=stale)
        await w.once()
        twin = (await of_sale(w, sale))["invoices"]["right"]["id"]
        assert (await w.books_rows("Invoice"))[twin]["DueDate"] == "2027-02-28"
        await ended_well(w, sale)


@pytest.mark.parametrize("vendor", ["hubspot", "quickbooks"])
async def test_an_edit_right_after_our_write_is_not_lost(vendor, synced: Snapshot):
    """A person changes the field we have just written, before we look at it again: theirs is newer, and goes over."""
    async with synced.world() as w:
        crm, books = BIRDS
        if vendor == "hubspot":
            _at(
                w,
                "hubspot",
                "contacts/batch/update",
                before=False,
                times=1,
                act=_edits(w, "hubspot", "contacts", crm, phone="555-0002"),
            )
            await w.books("update", "Customer", books, phone="555-0001")
        else:
            _at(
                w,
                "quickbooks",
                '"operation":"update"',
                before=False,
                times=1,
                act=_edits(w, "quickbooks", "Customer", books, phone="555-0002"),
            )
            await w.crm("update", "contacts", crm, phone="555-0001")
        await w.once()
        await w.once()
        assert await _phones(w) == ("555-0002", "555-0002")
        assert (await _birds(w))["status"] == "synced"


async def test_an_edit_that_our_write_ran_over_is_told_and_held(synced: Snapshot):
    """HubSpot has no lock: what a person typed between our look and our write is found in the history and shown."""
    async with synced.world() as w:
        crm, books = BIRDS
        _at(
            w,
            "hubspot",
            "contacts/batch/update",
            before=True,
            times=1,
            act=_edits(w, "hubspot", "contacts", crm, phone="555-0002"),
        )
        await w.books("update", "Customer", books, phone="555-0001")
        await w.once()
        row = await _birds(w)
        overwritten = [entry for entry in row["activity"] if entry["event"] == "conflict.overwritten"]
        assert [change["old"] for entry in overwritten for change in entry["changes"]] == ["555-0002"]
        assert (row["status"], row["code"]) == ("failed", "conflict_held")
